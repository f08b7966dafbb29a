"""Events, and their construction from the entries of PutEvents.

Sources: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html for the errors of single entries, and for
the size https://aws.amazon.com/blogs/compute/more-room-to-build-serverless-services-now-support-payloads-up-to-1-mb
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from localbus.events.errors import invalid
from localbus.ids import new_id
from localbus.protocol import json_codec
from localbus.protocol.service_model import Params

MAX_REQUEST_BYTES = 1_048_576
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
MAX_DETAIL_TYPE = 128
_TIME_BYTES = 14
_DEEP = 500
_ROOM_FRAMES = 200
_REQUIRED = ("Source", "DetailType", "Detail")


class Event:
    """An event on a bus. `hops` counts the buses that forwarded it."""

    def __init__(self, document: dict[str, Any], ingested_at: float, trace_header: str | None = None) -> None:
        self.document = document
        self.event_id: str = document["id"]
        self.ingested_at = ingested_at
        self.trace_header = trace_header
        self.hops = 0
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The event as targets receive it: JSON without spaces."""
        if self._text is None:
            self._text = json_codec.write(self.document)
        return self._text

    @property
    def archived_bytes(self) -> int:
        """The event's size in an archive: time and account, source, detail type, resources and detail.

        AWS does not publish the rule; this agrees with its recorded size of ten events of one form.
        """
        document = self.document
        detail = self.text.partition(',"detail":')[2][:-1]  # the last member; quotes in a string are escaped
        texts = (document["account"], document["source"], document["detail-type"], *document["resources"], detail)
        return _TIME_BYTES + sum(len(text.encode()) for text in texts)

    def on_next_bus(self, *, in_region: bool) -> Event:
        """Return the event for another bus. In another region it gets a new id, as recorded from AWS."""
        document = self.document if in_region else {**self.document, "id": new_id()}
        event = Event(document, self.ingested_at, self.trace_header)
        event.hops = self.hops + 1
        event._text = self._text if in_region else None
        return event

    def replayed(self, replay_name: str, now: float) -> Event:
        """Return the event with the name of a replay. An archive does not store the trace header.

        Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-related-service-xray.html
        """
        document: dict[str, Any] = {}
        for name, value in self.document.items():
            if name == "resources":
                document["replay-name"] = replay_name
            document[name] = value
        return Event(document, now)


class EntryError(Exception):
    """The error of one entry of a batch."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def compact(value: Any) -> str:
    """Encode JSON without spaces."""
    return _ENCODE(value)


def timestamp(when: float) -> str:
    """Format a time as events do, in UTC and whole seconds."""
    return _timestamp(int(when // 1))


@lru_cache(maxsize=64)
def _timestamp(when_s: int) -> str:
    return datetime.fromtimestamp(when_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def envelope(source: str, detail_type: str, detail: Any, *, account: str, region: str, time: float) -> dict[str, Any]:
    """Build the document of a new event."""
    return {
        "version": "0",
        "id": new_id(),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": timestamp(time),
        "region": region,
        "resources": [],
        "detail": detail,
    }


def condition_keys(source: str, detail_type: str, *, by_bus: bool) -> dict[str, str]:
    """Return the condition keys of a policy for an event that a caller or another bus puts on a bus."""
    return {
        "events:source": source,
        "events:detail-type": detail_type,
        "events:eventbusinvocation": str(by_bus).lower(),
    }


def entry_bytes(entry: Params) -> int:
    """Return the bytes that count towards the size limit.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
    """
    return _TIME_BYTES * ("Time" in entry) + sum(len(text.encode("utf-8", "surrogatepass")) for text in _texts(entry))


def _texts(entry: Params) -> list[str]:
    return [entry.get("Source", ""), entry.get("DetailType", ""), entry.get("Detail", ""), *entry.get("Resources", ())]


def check_size(entries: list[Params]) -> None:
    """Raise ValidationException for a request that exceeds the size limit."""
    characters = sum(len(text) for entry in entries for text in _texts(entry))
    if characters < MAX_REQUEST_BYTES // 8:  # a character has at most four bytes in UTF-8
        return
    if sum(map(entry_bytes, entries)) > MAX_REQUEST_BYTES:
        raise invalid("Total size of the entries in the request is over the limit.")


def build(entry: Params, account: str, region: str, now: float) -> Event:
    """Build the event of an entry. Raises EntryError."""
    for name in _REQUIRED:
        if not entry.get(name):
            raise _invalid_argument(name, "is a required argument")
    if len(entry["DetailType"]) > MAX_DETAIL_TYPE:
        raise _invalid_argument("DetailType", f"is longer than {MAX_DETAIL_TYPE} characters")
    source: str = entry["Source"]
    if source.startswith("aws."):
        raise EntryError("NotAuthorizedForSourceException", "Not authorized for the source.")
    detail = _detail(entry["Detail"])
    time = entry["Time"].timestamp() if "Time" in entry else now
    document = envelope(source, entry["DetailType"], detail, account=account, region=region, time=time)
    document["resources"] = entry.get("Resources", [])
    event = Event(document, now, entry.get("TraceHeader"))
    try:
        if not event.text.isascii():
            event.text.encode()  # raises for what JSON or UTF-8 cannot represent, such as lone surrogates
    except (ValueError, RecursionError) as exc:
        raise _malformed_detail() from exc
    return event


def _invalid_argument(name: str, reason: str) -> EntryError:
    return EntryError("InvalidArgument", f"Parameter {name} is not valid. Reason: {name} {reason}.")


def _detail(text: str) -> dict[str, Any]:
    try:
        detail = _DECODE(text) if text.count("{") + text.count("[") < _DEEP else _decoded(text, _ROOM_FRAMES)
    except (ValueError, RecursionError) as exc:
        raise _malformed_detail() from exc
    if not isinstance(detail, dict):
        raise _malformed_detail()
    return detail


def _decoded(text: str, frames: int) -> Any:
    """Read further down in the stack, so that what can be read can also be matched, and written within other JSON."""
    return _decoded(text, frames - 1) if frames else _DECODE(text)


def _malformed_detail() -> EntryError:
    return EntryError("MalformedDetail", "Detail is malformed.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_ENCODE = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_DECODE = json.JSONDecoder(parse_constant=_finite, parse_float=_finite).decode
