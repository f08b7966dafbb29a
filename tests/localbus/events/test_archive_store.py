"""The archive store: complete, compressed, and exact when events expire."""

from __future__ import annotations

import sys
import tracemalloc

from localbus.events.archived_events.rows import BlockRows
from localbus.events.archived_events.store import ArchivedEvent, ArchiveStore, read_events
from localbus.events.event import Event, envelope

START = 1_700_000_000.0
MANY = 500  # several blocks


def event(number: int) -> Event:
    """Build an event of about 700 bytes, its number in seconds after START."""
    lines = [{"sku": f"sku-{n}", "n": 2**70} for n in range(16)]
    detail = {"number": number, "note": "for the café\n☕", "lines": lines}
    at = START + number
    return Event(envelope("shop", "Order", detail, account="000000000000", region="us-east-1", time=at), at)


def archived(count: int) -> tuple[list[Event], ArchiveStore]:
    """Build events and a store with them."""
    events = [event(number) for number in range(count)]
    store = ArchiveStore(BlockRows(), 1)
    for each in events:
        store.append(each)
    return events, store


def everything(store: ArchiveStore) -> list[ArchivedEvent]:
    """Return the places of all events."""
    return list(store.between(0, sys.maxsize))


def test_events_are_read_unchanged() -> None:
    """And in order, from full blocks and from the open one."""
    events, store = archived(MANY)

    found = list(read_events(everything(store)))

    assert [each.document for each in found] == [each.document for each in events]
    assert [each.ingested_at for each in found] == [each.ingested_at for each in events]


def test_events_are_selected_by_time() -> None:
    """From a start to an end, both inclusive."""
    _, store = archived(MANY)

    found = list(read_events(store.between(START + 100, START + 320)))

    assert [each.document["detail"]["number"] for each in found] == list(range(100, 321))


def test_exactly_the_oldest_events_expire() -> None:
    """Independent of the blocks, and the count and size follow."""
    events, store = archived(MANY)

    for gone in (1, 7, 130, 131, MANY):
        store.expire_until(START + gone - 1)

        assert [place.happened_at for place in everything(store)] == [START + number for number in range(gone, MANY)]
        assert len(store) == MANY - gone
        assert store.size_bytes == sum(each.archived_bytes for each in events[gone:])


def test_selected_events_can_be_read_after_they_expired() -> None:
    """A running replay is complete although the retention period of its events ends."""
    events, store = archived(MANY)
    chosen = everything(store)
    store.hold()

    store.expire_until(START + MANY)

    assert [each.document for each in read_events(chosen)] == [each.document for each in events]


def test_the_memory_of_an_archive_does_not_grow_with_its_text() -> None:
    """Full blocks are in a temporary file: less than a tenth of the text is in memory."""
    tracemalloc.start()
    try:
        _, store = archived(0)
        before, _ = tracemalloc.get_traced_memory()
        for number in range(4 * MANY):
            store.append(event(number))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < store.size_bytes / 10
