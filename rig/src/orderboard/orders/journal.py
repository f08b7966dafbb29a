"""localbus's journal in words, and the trace of a message through what it became. Pure."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal

from orderboard.system.localbus import JournalEntry

Tone = Literal["plain", "good", "bad", "waiting"]

_BAD: Final = frozenset(("undelivered", "dropped", "dead_lettered", "denied", "expired", "moved", "purged"))
_IN_A_QUEUE: Final = frozenset(("sent", "delivered", "received", "hidden", "visible", "moved", "duplicated"))
# Events after which a message is no longer in the queue that the entry names.
LEFT_THE_QUEUE: Final = frozenset(("deleted", "expired", "moved", "redriven", "purged"))
_MESSAGES_OF_AN_ORDER: Final = 40
_SAME_CLOCK_WITHIN_S: Final = 5.0
_SPECIAL_TITLES: Final = {
    ("received", "1"): "Received for the first time",
    ("hidden", "0"): "Made visible again at once",
}
_TITLES: Final = {
    "alarm": "Its state changed",
    "published": "Published to {name}",
    "delivered": "Delivered to {to}{by}",
    "filtered": "Filtered out for {to} (filter policy)",
    "matched": "Matched by rule {name}",
    "unmatched": "Matched by no rule",
    "sent": "Arrived in {name}",
    "forwarded": "Sent by another service",
    "received": "Received again: receive count {detail}",
    "hidden": "Visibility timeout: hidden for {detail} s from now",
    "visible": "Visible again",
    "moved": "Moved to {place}: received too often",
    "redriven": "Moved by a message move task, as a new message",
    "deleted": "Deleted",
    "duplicated": "Delivered twice, which AWS allows",
    "missed": "A poll missed the queue, which AWS allows for short polls",
    "doubled": "Rule {name} was triggered twice, which AWS allows",
    "deduplicated": "A duplicate within five minutes, not accepted",
    "expired": "Expired: older than the retention period",
    "purged": "Purged: every message deleted",
    "withheld": "Not delivered to {to}: {detail}",
    "undelivered": "Could not be delivered to {to}",
    "dead_lettered": "Sent to a dead-letter queue",
    "dropped": "Dropped: no dead-letter queue",
    "retry_scheduled": "Not delivered to {to}; a retry is scheduled",
    "denied": "Not allowed",
    "scheduled": "Sent on the schedule of {name}",
    "invoked": "Passed to the function {function}",
    "item_failed": "The function {function} reported it as failed",
    "invocation_failed": "The function failed",
}
_NAMED_DETAILS: Final = {"received": "receive_count", "hidden": "hidden_s"}


@dataclass(frozen=True)
class DescribedEntry:
    """One journal entry in words."""

    number: int
    at_s: float
    event: str
    who: str
    title: str
    tone: Tone = "plain"
    message_id: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


def describe(entry: JournalEntry, endpoints: Mapping[str, str]) -> DescribedEntry:
    """Put an entry into words. endpoints: the endpoint of each subscription, by the subscription's ARN."""
    title, details = _words(entry, endpoints)
    return DescribedEntry(
        number=entry.number,
        at_s=entry.at,
        event=entry.event,
        who=_who(entry.resource, endpoints),
        title=title,
        tone="bad" if entry.event in _BAD else "plain",
        message_id=entry.message_id,
        details=details,
    )


def trace(of_message: Callable[[str], list[JournalEntry]], ids: Iterable[str]) -> list[JournalEntry]:
    """All entries of these messages and of those that they became, oldest first. of_message is called 40 times at most.

    SNS and EventBridge deliver a message under a new id, which the entry `delivered` has.
    """
    entries: dict[int, JournalEntry] = {}
    waiting, asked = list(dict.fromkeys(ids)), set[str]()
    while waiting and len(asked) < _MESSAGES_OF_AN_ORDER:
        message_id = waiting.pop(0)
        asked.add(message_id)
        found = of_message(message_id)
        entries |= {entry.number: entry for entry in found}
        became = {str(each.detail["message_id"]) for each in found if _has_message_id(each)}
        waiting += [each for each in sorted(became) if each not in asked and each not in waiting]
    return merge_deliveries(entries.values())


def merge_deliveries(entries: Iterable[JournalEntry]) -> list[JournalEntry]:
    """The entries in order, with `delivered` in the place of the `sent` of the queue that accepted the message.

    localbus writes `delivered` after `sent`, and a waiting consumer may have received the message in between.
    """
    every = sorted(entries, key=lambda entry: entry.number)
    arrived = {each.message_id: each for each in every if each.event == "sent"}
    merged, found = set[str](), []
    for each in every:
        became = str(each.detail["message_id"]) if _has_message_id(each) else ""
        if each.event == "delivered" and became in arrived:
            merged.add(became)
            sent = arrived[became]
            found.append(replace(each, number=sent.number, at=sent.at, real_at=sent.real_at))
        elif each.event != "sent":
            found.append(each)
    found += [each for message_id, each in arrived.items() if message_id not in merged]
    return sorted(found, key=lambda entry: entry.number)


def purges(
    entries: Iterable[JournalEntry],
    endpoints: Mapping[str, str],
    held: Collection[str],
    last_purge: Callable[[str], JournalEntry | None],
) -> list[JournalEntry]:
    """The purges that deleted any of these messages, one entry for each message. The journal has one for each queue.

    entries: oldest first. held: ids of the messages that are in a queue now. last_purge is called with a queue's ARN.
    """
    last = {}
    for each in entries:
        became = str(each.detail["message_id"]) if each.event == "delivered" and _has_message_id(each) else ""
        last[became or each.message_id] = each
    found = []
    for message_id, each in last.items():
        queue = str(each.detail) if each.event == "moved" else endpoints.get(each.resource, each.resource)
        if message_id in held or each.event not in _IN_A_QUEUE or _service(queue) != "sqs":
            continue
        purge = last_purge(queue)
        if purge is not None and purge.number > each.number:
            found.append(replace(purge, message_id=message_id))
    return found


def in_real_time(entry: JournalEntry) -> tuple[JournalEntry, dict[str, str]]:
    """The entry at its real time; where that differs from localbus's, also localbus's time as a detail."""
    if entry.real_at is None:
        return entry, {}
    differs = abs(entry.real_at - entry.at) > _SAME_CLOCK_WITHIN_S
    clock = {"queue_clock": f"{datetime.fromtimestamp(entry.at, UTC):%Y-%m-%d %H:%M:%S}"} if differs else {}
    return replace(entry, at=entry.real_at), clock


def short(arn: str) -> str:
    """The name at the end of an ARN."""
    return arn.rpartition(":")[2].rpartition("/")[2]


def _has_message_id(entry: JournalEntry) -> bool:
    return isinstance(entry.detail, Mapping) and "message_id" in entry.detail


def _who(arn: str, endpoints: Mapping[str, str]) -> str:
    name = short(arn)
    match _service(arn):
        case "sns":
            return f"SNS {short(arn.rsplit(':', 1)[0])}" if _is_subscription(arn) else f"SNS {name}"
        case "events":
            return "EventBridge"
        case "sqs":
            return f"SQS {name}"
        case "lambda":
            return "Lambda's mapping"
        case "cloudwatch":
            return f"Alarm {name}"
        case _:
            return endpoints.get(arn, name)


def _service(arn: str) -> str:
    parts = arn.split(":")
    return parts[2] if len(parts) > 5 else ""


def _is_subscription(arn: str) -> bool:
    return _service(arn) == "sns" and arn.count(":") == 6


def _words(entry: JournalEntry, endpoints: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    fields: dict[str, Any] = dict(entry.detail) if isinstance(entry.detail, Mapping) else {}
    detail = "" if entry.detail is None or fields else str(entry.detail)
    name = short(entry.resource) or "the archive"
    to = short(endpoints.get(entry.resource, "")) or "a subscription" if _is_subscription(entry.resource) else name
    by = f" by rule {short(str(fields.pop('rule')))}" if "rule" in fields else ""
    function = short(str(fields.pop("function", "")))
    template = _SPECIAL_TITLES.get((entry.event, detail)) or _TITLES.get(entry.event)
    title = (
        entry.event.replace("_", " ").capitalize()
        if template is None
        else template.format(name=name, to=to, by=by, detail=detail, place=short(detail), function=function)
    )
    details = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for key, value in fields.items()
    }
    if entry.event in _NAMED_DETAILS:
        details[_NAMED_DETAILS[entry.event]] = detail
    elif detail and (template is None or "{" not in template):
        details["detail"] = detail
    return title, details
