"""A copy of a message in its queue: whether a consumer got it, it waits, it is a dead letter, or it is gone. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from orderboard.resources.ending import Ending, Verdict, fields_of, numbers_of, text_of
from orderboard.resources.inventory import Inventory, name_of, object_of
from orderboard.system.localbus import JournalEntry

QUEUE_EVENTS: Final = frozenset(
    ("sent", "received", "hidden", "visible", "moved", "redriven", "deleted", "duplicated", "deduplicated", "expired")
)
_NO_STATE: Final = ("duplicated", "deduplicated")  # they change nothing about the message that is in the queue
_HELD: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_FAILURES: Final = ("invocation_failed", "item_failed", "retry_scheduled")


@dataclass(frozen=True)
class QueueCopy:
    """The journal of a copy in its queues (at least one entry), and at event source mappings.

    purges_of returns the entries of a queue's purges.
    """

    entries: Sequence[JournalEntry]
    mapped: Sequence[JournalEntry]
    inventory: Inventory
    purges_of: Callable[[str], Iterable[JournalEntry]]

    def ending(self) -> Ending:
        """Return how it ended, or that it waits."""
        match self._last.event:
            case "deleted":
                return self._deleted()
            case "moved":
                return self._dead(self._last)
            case "expired":
                period = self._attributes.get("MessageRetentionPeriod", "")
                why = f"It expired in {self._name}: it was older than the retention period ({period} s)."
                return self._at(
                    "stopped", why, "Receive it earlier, or raise MessageRetentionPeriod (at most 14 days)."
                )
            case "deduplicated":
                why = f"{self._name} took it for a duplicate: the same deduplication id within five minutes."
                return self._at("stopped", why, "Give each message its own MessageDeduplicationId.")
            case _:
                moved = next((each for each in reversed(self.entries) if each.event == "moved"), None)
                if moved is not None and moved.detail == self._queue:
                    return self._dead(moved)
                return self._gone(self._queue) or self._waiting()

    @property
    def _last(self) -> JournalEntry:
        return ([each for each in self.entries if each.event not in _NO_STATE] or list(self.entries))[-1]

    @property
    def _queue(self) -> str:
        return self._last.resource

    @property
    def _name(self) -> str:
        return name_of(self._queue)

    @property
    def _attributes(self) -> dict[str, Any]:
        kind, found = self.inventory.by_arn.get(self._queue, ("", {}))
        return dict(found) if kind == "queue" else {}

    def _receives(self, queue: str = "") -> str:
        queue = queue or self._queue
        count = sum(each.event == "received" and each.resource == queue for each in self.entries)
        return "once" if count == 1 else f"{count} times"

    def _at(self, verdict: Verdict, why: str, fix: str, *more: JournalEntry, at: str = "") -> Ending:
        return Ending(verdict, at or self._queue, why, fix, numbers_of(*self.entries, *self.mapped, *more))

    def _failure(self) -> str:
        """Return the reason for which a function failed last; empty if none did."""
        failed = next((each for each in reversed(self.mapped) if each.event in _FAILURES), None)
        if failed is None:
            return ""
        return "reported by the function" if failed.event == "item_failed" else text_of(failed)

    def _deleted(self) -> Ending:
        for each in reversed(self.mapped):
            if each.event == "filtered":
                patterns = ", ".join(map(str, fields_of(each).get("patterns", [])))
                why = f"The filter criteria of the event source mapping do not accept it ({patterns}),"
                why += f" so Lambda deleted it from {self._name}."
                return self._at("stopped", why, "Widen the mapping's FilterCriteria.", at=each.resource)
            if each.event == "invoked":
                function = name_of(str(fields_of(each).get("function", "")))
                why = f"The function {function} processed it, and Lambda deleted it from {self._name}."
                return self._at("arrived", why, "If its effect is missing, see the function's log.")
        why = f"A consumer of {self._name} received it ({self._receives()}) and deleted it."
        fix = "If your code did not process it: another consumer reads this queue, or yours deletes before it is done."
        return self._at("arrived", why, fix)

    def _dead(self, moved: JournalEntry) -> Ending:
        dead, failure = str(moved.detail), self._failure()
        source = name_of(moved.resource)
        policy = object_of(self.inventory.by_arn.get(moved.resource, ("", {}))[1].get("RedrivePolicy"))
        limit = f" (maxReceiveCount {policy['maxReceiveCount']})" if "maxReceiveCount" in policy else ""
        why = (
            f"It was received {self._receives(moved.resource)} from {source} and never deleted{limit}, so SQS moved it"
        )
        why += f" to {name_of(dead)}." + (f" The last failure: {failure}." if failure else "")
        gone = self._gone(dead)
        if gone is not None:
            return self._at("stopped", f"{why} {gone.why}", gone.fix, at=dead)
        return self._at("dead", why, "Fix the consumer, then redrive the dead-letter queue.", at=dead)

    def _gone(self, queue: str) -> Ending | None:
        """Return an ending if the queue was purged, deleted or emptied with the message in it."""
        name = name_of(queue)
        purged = next((each for each in self.purges_of(queue) if each.number > self._last.number), None)
        if purged is not None:
            return self._at("stopped", f"{name} was purged while it was there.", "Send it again.", purged, at=queue)
        if queue not in self.inventory.by_arn:
            deleted = self.inventory.covers(queue)
            why = f"{name} was deleted while it was there."
            return self._at("stopped", why, "Send it again.", at=queue) if deleted else None
        if not any(int(self.inventory.by_arn[queue][1].get(each, 0)) for each in _HELD):
            why = f"{name} is empty, and the journal does not say why: it was deleted and created again."
            return self._at("stopped", why, "Send it again.", at=queue)
        return None

    def _waiting(self) -> Ending:
        name, failure = self._name, self._failure()
        if failure:
            why = f"It is in {name}: the last invocation of the function failed: {failure}."
            return self._at("waiting", why, "Fix the function; the mapping tries again.")
        if self._last.event in ("received", "hidden"):
            why = f"It is in flight in {name}: a consumer received it ({self._receives()}) and has not deleted it yet."
            timeout = self._attributes.get("VisibilityTimeout", "?")
            return self._at(
                "waiting", why, f"It becomes visible after its visibility timeout (the queue's: {timeout} s)."
            )
        for each in self.inventory.mappings:
            if each.get("EventSourceArn") == self._queue and each.get("State") != "Enabled":
                why = f"It waits in {name}: its event source mapping is {each.get('State')}."
                return self._at("waiting", why, "Enable the mapping.")
        received = any(each.event == "received" for each in self.entries)
        delay_s = float(self._attributes.get("DelaySeconds", 0))
        if not received and self.inventory.now_s < self._last.at + delay_s:
            return self._at("waiting", f"It is delayed in {name}, for {delay_s:g} s after the send.", "Wait.")
        again = f" It was received {self._receives()} before, and became visible again." if received else ""
        fifo = " On a FIFO queue the earlier messages of its group come first." if name.endswith(".fifo") else ""
        return self._at("waiting", f"It waits in {name}: nobody receives it.{again}{fifo}", "Start a consumer.")
