"""Calibrations as values: kept, read again, and what they say about slowness."""

import asyncio
import io
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from orderboard.calibration.measure import each_of, through
from orderboard.calibration.model import (
    Calibration,
    Ceiling,
    calibration_file,
    newest_calibration,
    read_calibration,
    write_calibration,
)
from orderboard.calibration.result import show, slowed_down
from rich.console import Console


def a_calibration(version: str = "localbus 1.0, ministack 2.0", **rates: tuple[float, float]) -> Calibration:
    """Of operations at backlogs of 100 and 10,000."""
    return Calibration(
        measured_at=datetime(2026, 1, 2, tzinfo=UTC),
        backend="embedded",
        backend_version=version,
        processor="a processor",
        cpus=2,
        versions={"boto3": "1"},
        ceilings=tuple(
            Ceiling.model_validate({"operation": operation, "backlog": backlog, "orders_per_s": rate})
            for operation, both in rates.items()
            for backlog, rate in zip((100, 10_000), both, strict=True)
        ),
    )


def test_a_calibration_is_kept_for_its_backend_and_version(tmp_path: Path) -> None:
    """What is written is read again, for that version of that backend only; another version has a file of its own."""
    old, new = a_calibration(publish=(500, 400)), a_calibration("localbus 1.1, ministack 2.0", publish=(600, 500))
    new = new.model_copy(update={"measured_at": old.measured_at + timedelta(days=1)})

    for each in (new, old):
        write_calibration(each, tmp_path / "state")

    assert read_calibration(tmp_path / "state", "embedded", old.backend_version) == old
    assert read_calibration(tmp_path / "state", "embedded", new.backend_version) == new
    assert read_calibration(tmp_path / "state", "embedded", "localbus 9") is None
    assert read_calibration(tmp_path / "state", "localstack", old.backend_version) is None
    assert newest_calibration(tmp_path / "state", "embedded") == new
    assert newest_calibration(tmp_path / "state", "localstack") is None


def test_an_unreadable_calibration_is_none(tmp_path: Path) -> None:
    """A file of another version, or half of one, does not stop a burst."""
    calibration_file(tmp_path, "embedded", "1").write_text('{"format": "orderboard.calibration.v9"}')

    assert read_calibration(tmp_path, "embedded", "1") is None
    assert newest_calibration(tmp_path, "embedded") is None


def test_slowing_down_is_less_than_half() -> None:
    """Only what does less than half as much with a long backlog is called slow."""
    assert slowed_down(a_calibration(publish=(500, 300), receive_delete=(500, 200))) == ["receive_delete"]


@pytest.mark.parametrize(
    ("rate", "said"),
    [(450, "Flat: at the longest"), (300, "Nearly flat: at the longest"), (200, "publish slows down")],
)
def test_what_the_backlog_does_is_said(rate: float, said: str) -> None:
    """Flat is said as plainly as slow."""
    console = Console(record=True, width=120, file=io.StringIO())

    show(a_calibration(publish=(500, rate)), Path("calibration.json"), console)

    assert said in console.export_text()


async def test_every_call_is_made_once() -> None:
    """Lanes share the calls; what they did adds up."""
    seen: list[int] = []

    async def act(part: object) -> int:
        await asyncio.sleep(0)
        assert isinstance(part, list)
        seen.extend(part)
        return len(part)

    done, took_s = await through(each_of(iter([[1, 2], [3], [4, 5, 6]]), act), seconds=60, lanes=2)  # type: ignore[list-item]

    assert done == 6
    assert sorted(seen) == [1, 2, 3, 4, 5, 6]
    assert took_s > 0


async def test_calls_end_with_the_time() -> None:
    """An endless supply of calls is cut off once the seconds are over."""
    done, took_s = await through(itertools.repeat(lambda: asyncio.sleep(0.001, 1)), seconds=0.02, lanes=3)

    assert done >= 3
    assert took_s >= 0.02
