"""PutEvents in batches: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from orderboard_aws_client.batcher import Batcher, Limits
from orderboard_aws_client.errors import EntryError

if TYPE_CHECKING:
    from types_aiobotocore_events.client import EventBridgeClient

MAX_ENTRIES: Final = 10
MAX_BYTES: Final = 256 * 1024
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
_RETRYABLE_CODES: Final = frozenset(("ThrottlingException", "InternalFailure", "InternalException"))

BusEntry = Mapping[str, str]
EventBus = Batcher[BusEntry, str]


def entry_size_bytes(entry: BusEntry) -> int:
    """Return the size of an entry as EventBridge counts it: source, detail type and detail, in UTF-8.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html
    """
    return sum(len(entry[member].encode()) for member in ("Source", "DetailType", "Detail"))


def event_bus(
    client: "EventBridgeClient", *, linger_s: float = 0.002, max_concurrent_calls: int = 4, max_waiting: int = 10_000
) -> EventBus:
    """Create a Batcher whose result for each entry is its EventBridge event id."""

    async def send(entries: Sequence[BusEntry]) -> list[str | EntryError]:
        batch: Any = list(entries)
        response: Any = await client.put_events(Entries=batch)
        return [_result(each) for each in response["Entries"]]

    limits = Limits(MAX_ENTRIES, MAX_BYTES, linger_s, max_concurrent_calls, max_waiting)
    return Batcher(send, limits=limits, size_bytes=entry_size_bytes)


def _result(entry: Mapping[str, str]) -> str | EntryError:
    if event_id := entry.get("EventId"):
        return event_id
    code = entry.get("ErrorCode", "Unknown")
    return EntryError(code, entry.get("ErrorMessage", ""), retryable=code in _RETRYABLE_CODES)
