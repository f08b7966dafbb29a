"""The progress file: what is kept, and that one command at a time works on it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from orderboard.errors import RigError
from orderboard.system.workspace import Workspace
from orderboard.workshop.catalogue import find
from orderboard.workshop.progress import Progress, ProgressFile, Record
from orderboard.workshop.workshop import Workshop

_NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (Record(), "not opened"),
        (Record(opened_at=_NOON), "open"),
        (Record(skipped=True), "skipped"),
        (Record(opened_at=_NOON, solved_at=_NOON), "solved"),
        (Record(opened_at=_NOON + timedelta(hours=1), solved_at=_NOON), "solved"),  # opened again
    ],
)
def test_status_of_a_record(record: Record, status: str) -> None:
    """An exercise that was solved stays solved."""
    assert record.status == status


def test_minutes_count_from_the_opening_to_the_solution() -> None:
    """An exercise that was opened again after it was solved has no time."""
    assert Record(opened_at=_NOON, solved_at=_NOON + timedelta(minutes=7)).minutes == 7
    assert Record(opened_at=_NOON + timedelta(minutes=9), solved_at=_NOON).minutes is None
    assert Record(opened_at=_NOON).minutes is None


def test_progress_survives_the_process(tmp_path: Path) -> None:
    """Facts, times and hints are read as they were written."""
    file = ProgressFile(tmp_path)
    progress = Progress(current=3).changed(3, opened_at=_NOON, facts={"order_ids": ["a"]}, hints=2)

    kept = file.write(progress)

    assert ProgressFile(tmp_path).read() == kept
    assert (kept.current, kept.records) == (progress.current, progress.records)
    assert kept.version == progress.version + 1
    assert ProgressFile(tmp_path / "another").read() == Progress()


def test_a_damaged_file_names_the_fix(tmp_path: Path) -> None:
    """Nothing is overwritten that could still be repaired."""
    (tmp_path / "workshop.json").write_text("{")

    with pytest.raises(RigError, match="workshop reset --all"):
        ProgressFile(tmp_path).read()


def test_two_commands_do_not_work_on_it_at_once(tmp_path: Path) -> None:
    """The second is refused at once; after the first it may."""
    file = ProgressFile(tmp_path)

    with file.locked(), pytest.raises(RigError, match="Another command"), ProgressFile(tmp_path).locked():
        pass

    with ProgressFile(tmp_path).locked():
        pass


@pytest.mark.parametrize(("after", "expected"), [(7, 9), (12, 2), (2, 9)])
def test_the_next_exercise_may_be_one_that_was_passed_over(after: int, expected: int, tmp_path: Path) -> None:
    """Exercises may be opened in any order: after the last one the next is the first that is left."""
    left = {2, 9}
    records = {each: Record(skipped=True) for each in range(1, 13) if each not in left}
    ProgressFile(tmp_path).write(Progress(records=records))

    following = Workshop(Workspace(tmp_path, tmp_path)).next_after(find(str(after)))

    assert following is not None
    assert following.number == expected
