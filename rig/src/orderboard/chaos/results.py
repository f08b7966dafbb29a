"""The results of chaos runs: one JSON document a line, so that runs of any length add up."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from orderboard.burst.model import Summary
from orderboard.errors import RigError
from orderboard.system.host import Host

COUNTS = (
    *("attempted", "acknowledged", "refused", "unavailable", "unreached", "recovered"),
    *("completed", "rejected", "cancelled", "dead_lettered", "dead_lettered_duplicates"),
    *("lost", "duplicated", "unexpected", "unsettled"),
)


class ChaosResult(BaseModel):
    """One run. A field is added, never renamed: scripts read these lines."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal["orderboard.chaos.v1"] = "orderboard.chaos.v1"
    started_at: AwareDatetime
    seed: int
    command: str = Field(description="The command line that repeats it.")
    valid: bool = Field(description="lost, duplicated and unexpected are 0, and the drain finished.")
    orders: Mapping[str, int] = Field(description="Of the verdict: each name of its counts -> how many orders.")
    faults: Mapping[str, int] = Field(description="Kind -> how many were injected.")
    load_s: float
    drain_s: float
    machine: Host

    @property
    def injected(self) -> int:
        """The number of all faults."""
        return sum(self.faults.values())


def result_of(summary: Summary, *, command: str) -> ChaosResult:
    """Return the result of a burst."""
    return ChaosResult(
        started_at=summary.started_at,
        seed=summary.settings.seed,
        command=command,
        valid=summary.verdict.valid,
        orders={name: getattr(summary.verdict, name) for name in COUNTS},
        faults=dict(sorted(Counter(mark.fault for mark in summary.faults if mark.fault is not None).items())),
        load_s=summary.load_s,
        drain_s=summary.drain_s,
        machine=summary.machine,
    )


def append(result: ChaosResult, path: Path) -> None:
    """Add a line to the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(result.model_dump_json() + "\n")


def read(path: Path) -> list[ChaosResult]:
    """Read all lines; raise RigError for one that is not a result. Without the file there are none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except UnicodeDecodeError as exc:
        raise RigError(f"{path} is not a file of results: it is not UTF-8 text. Name another with --results.") from exc
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(ChaosResult.model_validate_json(line))
        except ValidationError as exc:
            raise RigError(
                f"{path}, line {number}: not the result of a run. Correct it, or name another file with --results."
            ) from exc
    return found


class Total(BaseModel):
    """Several runs, added up."""

    model_config = ConfigDict(frozen=True)

    runs: int
    valid: int
    orders: Mapping[str, int]
    faults: Mapping[str, int]
    load_s: float

    @property
    def injected(self) -> int:
        """The number of all faults."""
        return sum(self.faults.values())


def total(results: Iterable[ChaosResult]) -> Total:
    """Add them up."""
    orders: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
    faults: Counter[str] = Counter()
    runs = list(results)
    for each in runs:
        orders.update(each.orders)
        faults.update(each.faults)
    return Total(
        runs=len(runs),
        valid=sum(each.valid for each in runs),
        orders=dict(orders),
        faults=dict(sorted(faults.items())),
        load_s=round(sum(each.load_s for each in runs), 1),
    )
