"""The events of an archive: small, complete, and forgotten one by one."""

from __future__ import annotations

import sys
import tracemalloc

from localbus.events.archive_store import ArchivedEvent, ArchiveStore, read_events
from localbus.events.event import Event, envelope

START = 1_700_000_000.0
MANY = 500  # several blocks


def event(number: int) -> Event:
    """An event of about 700 bytes in the second of its number."""
    detail = {
        "number": number,
        "note": "for the café\n☕",
        "lines": [{"sku": f"sku-{n}", "n": 2**70} for n in range(16)],
    }
    at = START + number
    return Event(envelope("shop", "Order", detail, account="000000000000", region="us-east-1", time=at), at)


def kept(count: int) -> tuple[list[Event], ArchiveStore]:
    """So many events, and the same in the store."""
    events = [event(number) for number in range(count)]
    store = ArchiveStore()
    for each in events:
        store.append(each)
    return events, store


def everything(store: ArchiveStore) -> list[ArchivedEvent]:
    """Where all that is kept is."""
    return list(store.between(0, sys.maxsize))


def test_events_come_back_as_they_were() -> None:
    """What is kept comes back unchanged and in its order, from full blocks and from the one that fills."""
    events, store = kept(MANY)

    found = list(read_events(everything(store)))

    assert [each.document for each in found] == [each.document for each in events]
    assert [each.ingested_at for each in found] == [each.ingested_at for each in events]


def test_a_time_is_chosen_to_the_second() -> None:
    """Of many events those between two times come back, both ends included."""
    _, store = kept(MANY)

    found = list(read_events(store.between(START + 100, START + 320)))

    assert [each.document["detail"]["number"] for each in found] == list(range(100, 321))


def test_events_are_forgotten_one_by_one() -> None:
    """Whatever the blocks are, exactly what is old enough goes, and the numbers say so."""
    events, store = kept(MANY)

    for gone in (1, 7, 130, 131, MANY):
        store.expire_until(START + gone - 1)

        assert [place.happened_at for place in everything(store)] == [START + number for number in range(gone, MANY)]
        assert len(store) == MANY - gone
        assert store.size_bytes == sum(each.archived_bytes for each in events[gone:])


def test_what_was_chosen_can_be_read_after_it_was_forgotten() -> None:
    """A replay that has begun gets its events although their retention ends meanwhile."""
    events, store = kept(MANY)
    chosen = everything(store)

    store.expire_until(START + MANY)

    assert [each.document for each in read_events(chosen)] == [each.document for each in events]


def test_an_archive_is_smaller_than_its_text() -> None:
    """Events are kept in less than half of the room that their text takes, whatever they take as objects."""
    tracemalloc.start()
    try:
        _, store = kept(0)
        before, _ = tracemalloc.get_traced_memory()
        for number in range(4 * MANY):
            store.append(event(number))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < store.size_bytes / 2
