"""PutEvents in batches: limits, and the results of entries."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orderboard_aws_client.errors import EntryRefusedError, EntryTooLargeError
from orderboard_aws_client.event_bus import MAX_BYTES, MAX_ENTRIES, BusEntry, EventBus, entry_size_bytes, event_bus


class FakeEventBridge:
    """Accepts entries as EventBridge does; `errors` holds error codes to return first, by detail."""

    def __init__(self) -> None:
        self.calls: list[Sequence[BusEntry]] = []
        self.errors: dict[str, list[str]] = {}

    async def put_events(self, *, Entries: Sequence[BusEntry]) -> Mapping[str, Any]:  # noqa: N803 - AWS's name
        """Return one result for each entry, in order."""
        self.calls.append(Entries)
        results = [self._result(entry["Detail"]) for entry in Entries]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def _result(self, detail: str) -> dict[str, str]:
        if self.errors.get(detail):
            return {"ErrorCode": self.errors[detail].pop(0), "ErrorMessage": f"refused {detail}"}
        return {"EventId": f"id of {detail}"}


def entry(detail: str) -> BusEntry:
    """An entry with this detail."""
    return {"EventBusName": "orderboard", "Source": "orderboard.worker", "DetailType": "made", "Detail": detail}


def entry_of_bytes(size_bytes: int) -> BusEntry:
    """An entry that EventBridge counts as so many bytes."""
    return entry("x" * (size_bytes - entry_size_bytes(entry(""))))


def opened(client: FakeEventBridge, linger_s: float = 0.002) -> EventBus:
    """The event bus on this fake."""
    return event_bus(cast("Any", client), linger_s=linger_s)


async def test_every_entry_gets_its_event_id() -> None:
    """Twenty-five entries go in calls of ten, and each caller gets its entry's id."""
    client = FakeEventBridge()

    async with opened(client, linger_s=0.2) as bus:
        ids = await asyncio.gather(*(bus.submit(entry(str(number))) for number in range(25)))

    assert ids == [f"id of {number}" for number in range(25)]
    assert [len(call) for call in client.calls] == [10, 10, 5]


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure", "InternalException"])
async def test_retryable_codes_are_retried(code: str) -> None:
    """Only the entry with a code that AWS calls retryable is sent again."""
    client = FakeEventBridge()
    client.errors["b"] = [code]

    async with opened(client, linger_s=0.1) as bus:
        ids = await asyncio.gather(*(bus.submit(entry(detail)) for detail in "ab"))

    assert ids == ["id of a", "id of b"]
    assert [len(call) for call in client.calls] == [2, 1]


@pytest.mark.parametrize("code", ["MalformedDetail", "AccessDeniedException", "NotAuthorizedForSourceException"])
async def test_permanent_codes_are_raised_at_once(code: str) -> None:
    """Other codes go to the caller with the service's message."""
    client = FakeEventBridge()
    client.errors["a"] = [code]

    async with opened(client) as bus:
        with pytest.raises(EntryRefusedError, match=f"{code}: refused a"):
            await bus.submit(entry("a"))

    assert len(client.calls) == 1


async def test_an_entry_of_256_kib_goes_and_a_larger_one_does_not() -> None:
    """The largest entry that EventBridge accepts is sent; one byte more is an error here."""
    client = FakeEventBridge()

    async with opened(client) as bus:
        await bus.submit(entry_of_bytes(MAX_BYTES))
        with pytest.raises(EntryTooLargeError, match="the entry has 262145 bytes; the limit is 262144"):
            await bus.submit(entry_of_bytes(MAX_BYTES + 1))

    assert len(client.calls) == 1


async def test_entries_of_one_call_are_counted_together() -> None:
    """Two entries that are together over 256 KiB go in two calls."""
    client = FakeEventBridge()

    async with opened(client) as bus:
        await asyncio.gather(bus.submit(entry_of_bytes(MAX_BYTES // 2)), bus.submit(entry_of_bytes(MAX_BYTES // 2 + 1)))

    assert [len(call) for call in client.calls] == [1, 1]


@given(source=st.text(), detail_type=st.text(), detail=st.text())
def test_size_is_counted_in_utf_8(source: str, detail_type: str, detail: str) -> None:
    """An entry's size is that of source, detail type and detail in UTF-8; the bus name does not count."""
    counted = entry_size_bytes(
        {"EventBusName": "any length", "Source": source, "DetailType": detail_type, "Detail": detail}
    )

    assert counted == len(f"{source}{detail_type}{detail}".encode())


def test_the_limits_are_those_of_put_events() -> None:
    """Ten entries and 256 KiB: EventBridge would reject a larger call as a whole."""
    assert (MAX_ENTRIES, MAX_BYTES) == (10, 262_144)
