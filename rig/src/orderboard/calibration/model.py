"""Calibrations: the ceilings of a backend, kept in one file for each version of it, for bursts to compare with."""

import itertools
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

Operation = Literal["publish", "put_events", "receive_delete", "write", "together"]
OPERATIONS: Final[dict[Operation, str]] = {
    "publish": "SNS PublishBatch of 10, filtered into the work queue",
    "put_events": "EventBridge PutEvents of 10",
    "receive_delete": "SQS ReceiveMessage and DeleteMessageBatch of 10",
    "write": "DynamoDB BatchExecuteStatement of 25 conditional inserts",
    "together": "all calls of an order at once: publish, put, receive, write, put the outcome, delete",
}
_FLAT_FROM: Final = 0.8


class Ceiling(BaseModel):
    """The rate of one operation with a backlog of messages in the work queue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operation: Operation
    backlog: int
    orders_per_s: float


class Calibration(BaseModel):
    """The ceilings of one backend on one machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["orderboard.calibration.v1"] = "orderboard.calibration.v1"
    measured_at: AwareDatetime
    backend: str
    backend_version: str = ""
    processor: str
    cpus: int
    versions: dict[str, str]
    ceilings: tuple[Ceiling, ...] = Field(min_length=1)

    def orders_per_s(self, operation: Operation, backlog: float) -> float | None:
        """Return the ceiling at a backlog, interpolated between the measured ones on a logarithmic scale.

        Outside of them it is that of the nearest. None if the operation was not measured.
        """
        points = sorted((each.backlog, each.orders_per_s) for each in self.ceilings if each.operation == operation)
        return _between(points, backlog) if points else None

    def slowed_down(self) -> dict[Operation, float]:
        """Return the operations that are not flat: their rate at the longest backlog as a share of the shortest's."""
        backlogs = [each.backlog for each in self.ceilings]
        found: dict[Operation, float] = {}
        for operation in OPERATIONS:
            short, long = (self.orders_per_s(operation, each) for each in (min(backlogs), max(backlogs)))
            if short and long is not None and long < _FLAT_FROM * short:
                found[operation] = long / short
        return found


def _between(points: Sequence[tuple[int, float]], backlog: float) -> float:
    if backlog <= points[0][0]:
        return points[0][1]
    for (low, at_low), (high, at_high) in itertools.pairwise(points):
        if backlog <= high:
            way = math.log(backlog / low) / math.log(high / low)
            return math.exp(math.log(at_low) + way * (math.log(at_high) - math.log(at_low)))
    return points[-1][1]


def calibration_file(state_dir: Path, backend: str, backend_version: str) -> Path:
    """Return the path of the calibration of this version of a backend."""
    version = re.sub(r"[^\w.]+", "-", backend_version) or "unknown"
    return state_dir / f"calibration-{backend}-{version}.json"


def read_calibration(state_dir: Path, backend: str, backend_version: str) -> Calibration | None:
    """Return the calibration of this version of the backend; None without one that can be read."""
    return _read(calibration_file(state_dir, backend, backend_version))


def newest_calibration(state_dir: Path, backend: str) -> Calibration | None:
    """Return the newest calibration of this backend, whatever its version; None without one that can be read."""
    found = (_read(path) for path in state_dir.glob(f"calibration-{backend}-*.json"))
    return max((each for each in found if each is not None), key=lambda each: each.measured_at, default=None)


def write_calibration(calibration: Calibration, state_dir: Path) -> Path:
    """Write it, and return the path."""
    path = calibration_file(state_dir, calibration.backend, calibration.backend_version)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(calibration.model_dump_json(indent=2) + "\n")
    return path


def _read(path: Path) -> Calibration | None:
    try:
        return Calibration.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
