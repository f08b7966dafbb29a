"""Calibrations as values: kept, read again, and what they say about slowness."""

import asyncio
import itertools
from datetime import UTC, datetime
from pathlib import Path

from orderboard.calibration.measure import each_of, through
from orderboard.calibration.model import Calibration, Ceiling, calibration_file, read_calibration, write_calibration
from orderboard.calibration.result import slowed_down


def a_calibration(**rates: tuple[float, float]) -> Calibration:
    """Of operations at backlogs of 100 and 10,000."""
    return Calibration(
        measured_at=datetime(2026, 1, 2, tzinfo=UTC),
        backend="embedded",
        processor="a processor",
        cpus=2,
        versions={"boto3": "1"},
        ceilings=tuple(
            Ceiling.model_validate({"operation": operation, "backlog": backlog, "orders_per_s": rate})
            for operation, both in rates.items()
            for backlog, rate in zip((100, 10_000), both, strict=True)
        ),
    )


def test_a_calibration_is_kept_for_its_backend(tmp_path: Path) -> None:
    """What is written is read again, for that backend only."""
    calibration = a_calibration(publish=(500, 400))

    write_calibration(calibration, tmp_path / "state")

    assert read_calibration(tmp_path / "state", "embedded") == calibration
    assert read_calibration(tmp_path / "state", "localstack") is None


def test_an_unreadable_calibration_is_none(tmp_path: Path) -> None:
    """A file of another version, or half of one, does not stop a burst."""
    calibration_file(tmp_path, "embedded").write_text('{"format": "orderboard.calibration.v9"}')

    assert read_calibration(tmp_path, "embedded") is None


def test_slowing_down_is_less_than_half() -> None:
    """Only what does less than half as much with a long backlog is called slow."""
    assert slowed_down(a_calibration(publish=(500, 300), receive_delete=(500, 200))) == ["receive_delete"]


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
