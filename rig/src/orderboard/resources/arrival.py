"""The answer to `why did it not arrive?`: a message or event followed through the journal to where it ended. Pure.

A message has a copy for each subscription and target that got it; each copy is followed, and each has an ending.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from orderboard.resources.ending import Ending, fields_of, numbers_of, text_of
from orderboard.resources.inventory import Inventory, name_of, service_of
from orderboard.resources.origins import at_buses, at_topics, unmatched_rules
from orderboard.resources.policy import Sender
from orderboard.resources.queue_copy import QUEUE_EVENTS, QueueCopy
from orderboard.system.localbus import JournalEntry

_MOST: Final = 60  # copies of one message that are followed
_DELIVERY_EVENTS: Final = frozenset(
    ("delivered", "undelivered", "dropped", "dead_lettered", "retry_scheduled", "filtered", "withheld")
)
_UNKNOWN: Final = (
    "Check the id: it is the MessageId that Publish and SendMessage return, or the EventId of PutEvents.",
    "An answer with an error, or an entry in Failed or FailedEntryCount, means that it was never accepted.",
    "The journal keeps the last 50,000 entries, and none from before the engine started.",
)
_SUMMARY: Final = {"arrived": "arrived", "waiting": "still on its way", "dead": "dead letters", "stopped": "stopped"}


@dataclass(frozen=True)
class Arrival:
    """A summary, the ending of each copy, the journal entries that were read, and what else is worth knowing."""

    message_id: str
    summary: str
    endings: tuple[Ending, ...] = ()
    entries: tuple[JournalEntry, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class Follower:
    """Follows one message. of_message and purges_of read the journal; allow returns a command that fixes a policy."""

    inventory: Inventory
    of_message: Callable[[str], list[JournalEntry]]
    purges_of: Callable[[str], Iterable[JournalEntry]]
    allow: Callable[[Sender, str], str]
    _entries: dict[int, JournalEntry] = field(default_factory=dict, init=False)
    _seen: set[str] = field(default_factory=set, init=False)
    _notes: list[str] = field(default_factory=list, init=False)

    def follow(self, message_id: str) -> Arrival:
        """Follow a message or an event by its id."""
        endings = self._endings(message_id)
        entries = tuple(self._entries[number] for number in sorted(self._entries))
        if not entries:
            return Arrival(message_id, "The journal has no entry with this id.", notes=_UNKNOWN)
        return Arrival(message_id, _summary(endings), tuple(endings), entries, tuple(dict.fromkeys(self._notes)))

    def _endings(self, message_id: str) -> list[Ending]:
        if message_id in self._seen or len(self._seen) >= _MOST:
            return []
        self._seen.add(message_id)
        entries = self.of_message(message_id)
        self._entries |= {each.number: each for each in entries}
        mapped = [each for each in entries if ":event-source-mapping:" in each.resource]
        stored = [each for each in entries if each.event in QUEUE_EVENTS and service_of(each.resource) == "sqs"]
        groups = defaultdict[str, list[JournalEntry]](list)
        for each in entries:
            if each.event in _DELIVERY_EVENTS and service_of(each.resource) and each not in mapped:
                groups[each.resource].append(each)
        found = [*at_topics(self.inventory, entries, groups.keys()), *at_buses(self.inventory, entries, groups.keys())]
        for resource, group in groups.items():
            found += self._delivery(resource, group, entries)
        if rules := unmatched_rules(self.inventory, entries):
            self._notes.append(f"Not matched by: {', '.join(str(each['Name']) for each in rules)}.")
        return found + (self._in_queue(stored, mapped) if stored else [])

    def _in_queue(self, stored: list[JournalEntry], mapped: list[JournalEntry]) -> list[Ending]:
        events = {each.event for each in stored}
        if "duplicated" in events:
            self._notes.append("A standard queue delivered it twice, which AWS allows.")
        if {"deduplicated", "sent"} <= events:
            self._notes.append("It was sent again with the same deduplication id within five minutes: stored once.")
        if stored[-1].event == "redriven":
            return self._endings(str(fields_of(stored[-1]).get("message_id", "")))
        return [QueueCopy(stored, mapped, self.inventory, self._purges).ending()]

    def _purges(self, queue: str) -> list[JournalEntry]:
        found = list(self.purges_of(queue))
        self._entries |= {each.number: each for each in found}
        return found

    def _delivery(self, resource: str, group: list[JournalEntry], entries: Sequence[JournalEntry]) -> list[Ending]:
        """Return the endings of the deliveries to one subscription or target."""
        last, numbers, to = group[-1], numbers_of(*group), self.inventory.describe(resource)
        found: list[Ending] = []
        for each in group:
            if each.event == "delivered" and "message_id" in fields_of(each):
                found += self._endings(str(fields_of(each)["message_id"]))
        match last.event:
            case "delivered" if "message_id" not in fields_of(last):
                endpoint = fields_of(last).get("endpoint", name_of(resource))
                why = f"It was delivered to {endpoint}."
                found.append(Ending("arrived", resource, why, "If it is missing there, see the target's log.", numbers))
            case "filtered":
                found.append(_filtered(resource, to, last))
            case "withheld":
                why = f"SNS withheld it from the {to}: {text_of(last)}."
                found.append(Ending("stopped", resource, why, "Confirm the subscription; publish again.", numbers))
            case "retry_scheduled":
                after_s = fields_of(last).get("after_s", "?")
                why = f"The delivery to {to} failed: {text_of(last)}. The next try comes {after_s} s after it."
                found.append(Ending("waiting", resource, why, "Fix the target; the retries go on.", numbers))
            case "dropped" | "undelivered":
                found.append(self._lost(resource, group, entries))
            case "dead_lettered":
                found += self._dead(resource, group)
        return found

    def _dead(self, resource: str, group: list[JournalEntry]) -> list[Ending]:
        """Return the endings in the dead-letter queue of a subscription or target."""
        failure = next((each for each in reversed(group) if each.event == "undelivered"), group[-1])
        detail, numbers = fields_of(group[-1]), numbers_of(*group)
        dead = str(detail.get("queue", resource))
        why = f"It could not be delivered to {self.inventory.describe(resource)}: {text_of(failure)}."
        rests = Ending("dead", dead, f"{why} It rests in {name_of(dead)}.", "Fix the target, then redrive.", numbers)
        endings = self._endings(str(detail.get("message_id", ""))) or [rests]
        return [
            replace(rests, evidence=numbers + each.evidence) if each.verdict == "waiting" else each for each in endings
        ]

    def _lost(self, resource: str, group: list[JournalEntry], entries: Sequence[JournalEntry]) -> Ending:
        failure = next((each for each in reversed(group) if each.event == "undelivered"), group[-1])
        reason, dropped = text_of(failure), text_of(group[-1])
        why = f"It could not be delivered to {self.inventory.describe(resource)}: {reason}"
        why += "." if dropped == reason else f"; {dropped}."
        sender, target = self._sender(resource, entries)
        command = self.allow(sender, target) if sender is not None and "policy does not allow" in reason else ""
        if command and sender is not None:
            fix = f"Allow {sender.service} in the policy of {name_of(target)}."
        elif "exist" in reason:
            fix = f"Create {name_of(target)}, or name another target."
        else:
            fix = "Fix the target, and name a dead-letter queue, which keeps what cannot be delivered."
        return Ending("stopped", resource, why, fix, numbers_of(*group), command)

    def _sender(self, resource: str, entries: Sequence[JournalEntry]) -> tuple[Sender | None, str]:
        """Return the sender of a delivery, and the ARN of its target."""
        matched = {each.resource for each in entries if each.event in ("matched", "scheduled")}
        for edge in self.inventory.edges:
            is_via = edge.via == resource or (edge.target == resource and edge.via in matched)
            if is_via and not edge.is_dead_letter and edge.sender is not None:
                return edge.sender, edge.target
        return None, resource


def _filtered(resource: str, to: str, entry: JournalEntry) -> Ending:
    detail = fields_of(entry)
    part = "body" if detail.get("scope") == "MessageBody" else "attributes"
    reason = f" ({detail['reason']})" if "reason" in detail else ""
    why = f"The filter policy of the {to} does not accept its {part}{reason}: {detail.get('policy', '')}"
    fix = "Open the subscription, and paste the message into `Why did it not match?`."
    return Ending("stopped", resource, why, fix, numbers_of(entry))


def _summary(endings: Sequence[Ending]) -> str:
    if not endings:
        return "It was accepted; the journal has nothing about where it went."
    if len(endings) == 1:
        return endings[0].why
    counts = [(words, sum(each.verdict == verdict for each in endings)) for verdict, words in _SUMMARY.items()]
    return f"Of {len(endings)} copies: {', '.join(f'{count} {words}' for words, count in counts if count)}."
