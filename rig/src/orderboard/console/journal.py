"""localbus's journal put into words: what happened to a message, where, and with what. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from orderboard.console.localbus import Entry

Tone = Literal["plain", "good", "bad", "waiting"]

_BAD: Final = frozenset(("undelivered", "dropped", "dead_lettered", "denied", "expired", "moved", "purged"))

_FIRST: Final = {
    ("received", "1"): "Received for the first time",
    ("hidden", "0"): "Given back, to be received again at once",
}
_TITLES: Final = {
    "published": "Published to {name}",
    "delivered": "Delivered to {to}{by}",
    "filtered": "Kept from {to} by its filter policy",
    "matched": "Matched by rule {name}",
    "unmatched": "Matched by no rule",
    "sent": "Arrived in {name}",
    "received": "Received again, {said} times now",
    "hidden": "Hidden for {said} s from now",
    "visible": "Visible again, to be received",
    "moved": "Moved to {place}: received too often",
    "deleted": "Deleted: it is done",
    "duplicated": "Delivered twice at a time, as AWS may",
    "missed": "A poll missed the queue, as short polls may",
    "doubled": "Rule {name} was triggered twice, as AWS may",
    "deduplicated": "A duplicate within five minutes, not taken",
    "expired": "Kept too long: gone",
    "purged": "Purged: everything thrown away",
    "undelivered": "Could not be delivered to {to}",
    "dead_lettered": "Put into a dead-letter queue",
    "dropped": "Dropped: there was no dead-letter queue",
    "retry_scheduled": "Not delivered to {to}; to be tried again",
    "denied": "Not allowed",
    "scheduled": "The schedule of {name} came round",
    "invoked": "Handed to the function {function}",
    "item_failed": "The function {function} reported it as failed",
    "invocation_failed": "The function failed",
}
_COUNTED: Final = {"received": "receive_count", "hidden": "hidden_s"}


@dataclass(frozen=True)
class Told:
    """One thing that happened, in words."""

    number: int
    at_s: float
    event: str
    who: str
    title: str
    tone: Tone = "plain"
    message_id: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


def tell(entry: Entry, endpoints: Mapping[str, str]) -> Told:
    """Put an entry into words. endpoints: where each subscription leads, by its ARN."""
    who = _who(entry.resource, endpoints)
    title, details = _words(entry, endpoints)
    tone: Tone = "bad" if entry.event in _BAD else "plain"
    return Told(entry.number, entry.at, entry.event, who, title, tone, entry.message_id, details)


def found_ids(entries: Iterable[Entry]) -> set[str]:
    """The ids under which the messages of these entries went on."""
    details = (entry.detail for entry in entries)
    return {str(each["message_id"]) for each in details if isinstance(each, Mapping) and "message_id" in each}


def without_echoes(entries: Iterable[Entry]) -> list[Entry]:
    """The entries in order, where `delivered` stands for the `sent` of the queue that took it, at that one's place.

    It is written down after `sent`, and a waiting consumer may have received the message in between.
    """
    every = sorted(entries, key=lambda entry: entry.number)
    arrived = {each.message_id: each for each in every if each.event == "sent"}
    echoes, found = set[str](), []
    for each in every:
        became = str(each.detail.get("message_id")) if isinstance(each.detail, Mapping) else ""
        if each.event == "delivered" and became in arrived:
            echoes.add(became)
            found.append(replace(each, number=arrived[became].number, at=arrived[became].at))
        elif each.event != "sent":
            found.append(each)
    found += [each for message_id, each in arrived.items() if message_id not in echoes]
    return sorted(found, key=lambda entry: entry.number)


def _who(arn: str, endpoints: Mapping[str, str]) -> str:
    service, name = _service(arn), short(arn)
    match service:
        case "sns":
            return f"SNS {short(arn.rsplit(':', 1)[0])}" if _is_subscription(arn) else f"SNS {name}"
        case "events":
            return "EventBridge"
        case "sqs":
            return f"SQS {name}"
        case "lambda":
            return "Lambda's mapping"
        case _:
            return endpoints.get(arn, name)


def short(arn: str) -> str:
    """The name at the end of an ARN."""
    return arn.rpartition(":")[2].rpartition("/")[2]


def _service(arn: str) -> str:
    parts = arn.split(":")
    return parts[2] if len(parts) > 5 else ""


def _is_subscription(arn: str) -> bool:
    return _service(arn) == "sns" and arn.count(":") == 6


def _words(entry: Entry, endpoints: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    detail = entry.detail
    given: dict[str, Any] = dict(detail) if isinstance(detail, Mapping) else {}
    said = "" if detail is None or given else str(detail)
    name = short(entry.resource) or "the archive"
    to = short(endpoints.get(entry.resource, "")) or "a subscription" if _is_subscription(entry.resource) else name
    by = f" by rule {short(str(given.pop('rule')))}" if "rule" in given else ""
    function = short(str(given.pop("function", "")))
    template = _FIRST.get((entry.event, said)) or _TITLES.get(entry.event)
    title = (
        entry.event.replace("_", " ").capitalize()
        if template is None
        else template.format(name=name, to=to, by=by, said=said, place=short(said), function=function)
    )
    details = {key: _text(value) for key, value in given.items()}
    if entry.event in _COUNTED:
        details[_COUNTED[entry.event]] = said
    elif said and (template is None or "{" not in template):
        details["detail"] = said
    return title, details


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
