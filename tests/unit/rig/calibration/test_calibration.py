"""Calibrations: files, the slowdown with the backlog, and the timing of calls."""

import asyncio
import io
import itertools
from datetime import timedelta
from pathlib import Path

import pytest
from orderboard.calibration.measure import each_of, through
from orderboard.calibration.model import calibration_file, newest_calibration, read_calibration, write_calibration
from orderboard.cli.load.calibrate import show
from rich.console import Console
from unit.rig.burst.summaries import calibration


def test_a_calibration_is_kept_by_backend_and_version(tmp_path: Path) -> None:
    """Each version has its own file; the newest of a backend is known whatever its version."""
    old = calibration((100, 500))
    later = old.measured_at + timedelta(days=1)
    new = old.model_copy(update={"backend_version": "localbus 1.1, ministack 2.0", "measured_at": later})

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


def test_an_operation_is_flat_down_to_eighty_percent() -> None:
    """Below that, its rate at the longest backlog is given as a share."""
    measured = calibration(publish=((100, 500), (10_000, 410)), receive_delete=((100, 500), (10_000, 200)))

    assert measured.slowed_down() == {"receive_delete": pytest.approx(0.4)}


@pytest.mark.parametrize(
    ("rate", "said"),
    [(450, "Flat: no operation falls below 80 %"), (200, "publish slows down with the backlog, to 40% of its rate")],
)
def test_the_effect_of_the_backlog_is_printed(rate: float, said: str) -> None:
    """Flat or slow."""
    console = Console(record=True, width=120, file=io.StringIO())

    show(calibration(publish=((100, 500), (10_000, rate))), Path("calibration.json"), console)

    assert said in console.export_text()


async def test_every_call_is_made_once() -> None:
    """Lanes share the calls, and their counts add up."""
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
