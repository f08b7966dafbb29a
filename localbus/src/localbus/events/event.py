"""An event, and how an entry of PutEvents becomes one.

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

from localbus.errors import AwsError
from localbus.ids import new_id
from localbus.protocol import json_codec
from localbus.protocol.service_model import Params

MAX_REQUEST_BYTES = 1_048_576
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
MAX_DETAIL_TYPE = 128
_TIME_BYTES = 14
_REQUIRED = ("Source", "DetailType", "Detail")


class Event:
    """An event as rules see it. `hops` counts the buses that it has come over."""

    def __init__(self, document: dict[str, Any], ingested_at: float, trace_header: str | None = None) -> None:
        self.document = document
        self.event_id: str = document["id"]
        self.ingested_at = ingested_at
        self.trace_header = trace_header
        self.hops = 0
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The event as targets get it: JSON without spaces."""
        if self._text is None:
            self._text = json_codec.write(self.document)
        return self._text

    @property
    def archived_bytes(self) -> int:
        """What the event counts in an archive: time and account, source, detail type, resources and detail.

        AWS does not publish how it counts; this agrees with its recorded answer for ten events of one form.
        """
        document = self.document
        detail = self.text.partition(',"detail":')[2][:-1]  # the last member, and no text has quotes like these
        texts = (document["account"], document["source"], document["detail-type"], *document["resources"], detail)
        return _TIME_BYTES + sum(len(text.encode()) for text in texts)

    def on_next_bus(self, *, in_region: bool) -> Event:
        """The same event on another bus. In another region it has another id, as AWS's answers show."""
        document = self.document if in_region else {**self.document, "id": new_id()}
        event = Event(document, self.ingested_at, self.trace_header)
        event.hops = self.hops + 1
        event._text = self._text if in_region else None
        return event

    def replayed(self, replay_name: str, now: float) -> Event:
        """The same event in a replay, whose name it carries. A trace header is not kept in an archive.

        Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-related-service-xray.html
        """
        document: dict[str, Any] = {}
        for name, value in self.document.items():
            if name == "resources":
                document["replay-name"] = replay_name
            document[name] = value
        return Event(document, now)


class EntryError(Exception):
    """What is wrong with one entry of a batch."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def compact(value: Any) -> str:
    """JSON as EventBridge writes it."""
    return _ENCODE(value)


def timestamp(when: float) -> str:
    """A time in the form that events have."""
    return _timestamp(int(when // 1))


@lru_cache(maxsize=64)
def _timestamp(when_s: int) -> str:
    return datetime.fromtimestamp(when_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def envelope(source: str, detail_type: str, detail: Any, *, account: str, region: str, time: float) -> dict[str, Any]:
    """A new event's document."""
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


def entry_bytes(entry: Params) -> int:
    """What counts towards the size limit.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
    """
    return _TIME_BYTES * ("Time" in entry) + sum(len(text.encode("utf-8", "surrogatepass")) for text in _texts(entry))


def _texts(entry: Params) -> list[str]:
    return [entry.get("Source", ""), entry.get("DetailType", ""), entry.get("Detail", ""), *entry.get("Resources", ())]


def check_size(entries: list[Params]) -> None:
    """Refuse a request whose entries are too large together."""
    characters = sum(len(text) for entry in entries for text in _texts(entry))
    if characters < MAX_REQUEST_BYTES // 8:  # then the bytes, of which a character has four at most, need no count
        return
    if sum(map(entry_bytes, entries)) > MAX_REQUEST_BYTES:
        raise AwsError("ValidationException", "Total size of the entries in the request is over the limit.")


def build(entry: Params, account: str, region: str, now: float) -> Event:
    """The event of an entry. Raises EntryError."""
    for name in _REQUIRED:
        if not entry.get(name):
            raise EntryError(
                "InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument."
            )
    if len(entry["DetailType"]) > MAX_DETAIL_TYPE:
        reason = f"DetailType is longer than {MAX_DETAIL_TYPE} characters."
        raise EntryError("InvalidArgument", f"Parameter DetailType is not valid. Reason: {reason}")
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
            event.text.encode()  # what JSON or UTF-8 cannot hold is the sender's mistake, and is found here
    except (ValueError, RecursionError) as exc:
        raise EntryError("MalformedDetail", "Detail is malformed.") from exc
    return event


def _detail(text: str) -> dict[str, Any]:
    try:
        detail = _DECODE(text)
    except (ValueError, RecursionError) as exc:
        raise EntryError("MalformedDetail", "Detail is malformed.") from exc
    if not isinstance(detail, dict):
        raise EntryError("MalformedDetail", "Detail is malformed.")
    return detail


def _no_number(text: str) -> float:
    raise ValueError(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_ENCODE = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_DECODE = json.JSONDecoder(parse_constant=_no_number, parse_float=_finite).decode
