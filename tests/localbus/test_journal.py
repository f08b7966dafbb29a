"""The journal: the latest entries by message, resource and event, however many were noted before."""

from __future__ import annotations

import time

from localbus.journal import Entry, Journal


def noted(count: int) -> Journal:
    """A journal of 1,000 with this many entries, of a hundred messages in turns."""
    journal = Journal(1_000)
    for number in range(1, count + 1):
        journal.note("sent", "arn:queue", f"m{number % 100}", float(number), {"at": number})
    return journal


def test_the_latest_entries_are_kept() -> None:
    """Old entries go, and at least as many as the capacity stay, oldest first."""
    numbers = [entry.number for entry in noted(12_345).entries()]

    assert numbers == list(range(numbers[0], 12_346))
    assert 1_000 <= len(numbers) < 2_000


def test_entries_come_back_as_they_were_noted() -> None:
    """An entry is the same whether it is new or was noted long before."""
    old, *_, new = noted(1_300).entries(message_id="m7")

    assert new == Entry(1_207, 1_207.0, "sent", "arn:queue", "m7", {"at": 1_207})
    assert old == Entry(7, 7.0, "sent", "arn:queue", "m7", {"at": 7})


def test_entries_are_chosen_by_message_resource_and_event() -> None:
    """Filters combine; a resource matches by its name too."""
    journal = noted(1_300)
    journal.note("deleted", "arn:queue", "m7", 2_000.0)

    assert [entry.number for entry in journal.entries(message_id="m7", event="deleted")] == [1_301]
    assert [entry.number for entry in journal.entries(resource="queue", last=2)] == [1_300, 1_301]
    assert not list(journal.entries(resource="other"))
    assert [entry.number for entry in journal.entries(message_id="m7,m8", after=1_200)] == [1_207, 1_208, 1_301]


def test_reading_goes_on_after_the_last_entry_seen() -> None:
    """A reader that gives its last number receives what came after it, and with `last` the newest of that."""
    journal = noted(2_600)

    assert [entry.number for entry in journal.entries(after=2_597)] == [2_598, 2_599, 2_600]
    assert [entry.number for entry in journal.entries(after=900, last=2)] == [2_599, 2_600]
    assert not list(journal.entries(after=2_600))


def test_entries_have_the_real_time_beside_that_of_a_manual_clock() -> None:
    """With it each entry has `real_at`, in its document too; without it there is no such field."""
    manual, real = Journal(with_real_time=True), Journal()
    before = time.time()
    for journal in (manual, real):
        journal.note("sent", "arn:queue", "m1", 7.0)

    [dated], [plain] = manual.entries(), real.entries()
    assert dated.at == 7.0
    assert before <= (dated.real_at or 0) <= time.time()
    assert dated.document()["real_at"] == dated.real_at
    assert "real_at" not in plain.document()
