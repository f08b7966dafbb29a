"""Small, valid values, to be changed by a test with model_copy, and calibrations."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from orderboard.burst.load.mix import PlannedOrder
from orderboard.burst.model import BurstVerdict, Cost, GeneratorStats, Settings, Summary, TimelineRow
from orderboard.calibration.model import Calibration, Ceiling, Operation
from orderboard.system.host import Host

GENERATOR = GeneratorStats(
    orders=10,
    sent=10,
    not_sent=0,
    late=0,
    late_after_ms=50,
    lag_p50_ms=1,
    lag_p99_ms=2,
    lag_max_ms=2,
    waited_for_connection=0,
    connections=8,
    intended_rate=10,
    achieved_rate=10,
)
SUMMARY = Summary(
    started_at=datetime(2026, 1, 1, 8, tzinfo=UTC),
    settings=Settings(
        command="orderboard burst",
        backend="embedded",
        profile="constant",
        orders=10,
        duration_s=1,
        rate=10,
        mix="",
        seed=1,
        workers=1,
        connections=8,
        faults=(),
    ),
    verdict=BurstVerdict(
        valid=True,
        drained=True,
        attempted=10,
        acknowledged=9,
        refused=1,
        unavailable=0,
        completed=9,
        rejected=0,
        cancelled=0,
        dead_lettered=0,
        lost=0,
        duplicated=0,
        recovered=0,
        unexpected=0,
        alerts_due=0,
        alerts_announced=0,
        endings={"normal": {"completed": 9}},
        findings=(),
    ),
    load_s=1.0,
    drain_s=0.5,
    accepted_per_s=9,
    finished_per_s=6,
    peak_backlog=3,
    accept=None,
    end_to_end=None,
    generator=GENERATOR,
    faults=(),
    cost=Cost(requests=(), requests_per_1000_orders=900, usd_per_1000_orders=0.004, prices_as_of="", prices_source=""),
    memory=(),
    machine=Host(system="", processor="", cpus=2, memory_megabytes=1, python="", versions={}),
)
ROW = TimelineRow(
    at_s=0,
    phase="load",
    intended=1,
    sent=1,
    accepted=1,
    refused=0,
    unavailable=0,
    finished=0,
    unfinished=1,
    workers=1,
)


@dataclass(frozen=True)
class Planned:
    """These orders, whatever the seed; without any, plain ones with the keys 0, 1, ..."""

    planned: tuple[PlannedOrder, ...] = ()

    def orders(self, *, seed: int, run: str, count: int) -> Iterator[PlannedOrder]:
        """Return them."""
        del seed, run
        yield from self.planned or (PlannedOrder("normal", f"key-{number}", {}) for number in range(count))


def calibration(*together: tuple[int, float], **others: tuple[tuple[int, float], ...]) -> Calibration:
    """Ceilings by operation, as pairs of backlog and orders a second."""
    by_operation: dict[Operation, tuple[tuple[int, float], ...]] = {"together": together, **others}  # type: ignore[dict-item]
    return Calibration(
        measured_at=datetime(2026, 1, 2, tzinfo=UTC),
        backend="embedded",
        backend_version="localbus 1.0, ministack 2.0",
        processor="",
        cpus=2,
        versions={},
        ceilings=tuple(
            Ceiling(operation=operation, backlog=backlog, orders_per_s=rate)
            for operation, pairs in by_operation.items()
            for backlog, rate in pairs
        ),
    )
