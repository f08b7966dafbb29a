"""What a calibration leaves behind: a file for each version of a backend, for bursts to say how near they came."""

import itertools
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

Operation = Literal["publish", "put_events", "receive_delete", "write", "together"]
OPERATIONS: Final[tuple[Operation, ...]] = ("publish", "put_events", "receive_delete", "write", "together")
MEANING: Final[dict[Operation, str]] = {
    "publish": "SNS PublishBatch of 10, filtered into the work queue",
    "put_events": "EventBridge PutEvents of 10",
    "receive_delete": "SQS ReceiveMessage and DeleteMessageBatch of 10",
    "write": "DynamoDB BatchExecuteStatement of 25 conditional inserts",
    "together": "all that an order needs, at once: published, put, received, written, its outcome put, deleted",
}


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ceiling(_Value):
    """So many orders a second went through one operation, while so many messages waited on the work queue."""

    operation: Operation
    backlog: int
    orders_per_s: float


class Calibration(_Value):
    """What one backend could do on one machine."""

    format: Literal["orderboard.calibration.v1"] = "orderboard.calibration.v1"
    measured_at: AwareDatetime
    backend: str
    backend_version: str = ""
    processor: str
    cpus: int
    versions: dict[str, str]
    ceilings: tuple[Ceiling, ...] = Field(min_length=1)

    def orders_per_s(self, operation: Operation, backlog: float) -> float | None:
        """The ceiling with so much waiting: between two measured backlogs on a straight line of logarithms.

        Outside of what was measured it is that of the nearest. None if the operation was not measured.
        """
        points = sorted((each.backlog, each.orders_per_s) for each in self.ceilings if each.operation == operation)
        if not points:
            return None
        return _between(points, backlog)


def _between(points: Sequence[tuple[int, float]], backlog: float) -> float:
    if backlog <= points[0][0]:
        return points[0][1]
    for (low, at_low), (high, at_high) in itertools.pairwise(points):
        if backlog <= high:
            way = math.log(backlog / low) / math.log(high / low)
            return math.exp(math.log(at_low) + way * (math.log(at_high) - math.log(at_low)))
    return points[-1][1]


def calibration_file(state_dir: Path, backend: str, backend_version: str) -> Path:
    """Where the calibration of this version of a backend is kept."""
    version = re.sub(r"[^\w.]+", "-", backend_version) or "unknown"
    return state_dir / f"calibration-{backend}-{version}.json"


def read_calibration(state_dir: Path, backend: str, backend_version: str) -> Calibration | None:
    """The last calibration of this version of the backend; None when there is none that can be read."""
    return _read(calibration_file(state_dir, backend, backend_version))


def newest_calibration(state_dir: Path, backend: str) -> Calibration | None:
    """The last calibration of this backend, whatever its version; None when there is none that can be read."""
    found = (_read(path) for path in state_dir.glob(f"calibration-{backend}-*.json"))
    return max((each for each in found if each is not None), key=lambda each: each.measured_at, default=None)


def write_calibration(calibration: Calibration, state_dir: Path) -> Path:
    """Keep it, and say where."""
    path = calibration_file(state_dir, calibration.backend, calibration.backend_version)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(calibration.model_dump_json(indent=2) + "\n")
    return path


def _read(path: Path) -> Calibration | None:
    try:
        return Calibration.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
