"""A report to a wall: an attendee's whole progress, without texts, files or code."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from orderboard.errors import UsageError
from orderboard.workshop.progress import Membership, Progress, Record, Status

MAX_BYTES: Final = 16_000
SENT: Final = "your name; and of each exercise its status, hints, checks, times, and how many findings were met"
_MAX_EXERCISES: Final = 40
_Count = Annotated[int, Field(ge=0, le=1_000_000)]
_Number = Annotated[int, Field(ge=1, le=99)]


class ExerciseReport(BaseModel):
    """One exercise. met, findings: counts of the last check since the opening."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    status: Status
    hints: _Count = 0
    checks: _Count = 0
    met: _Count = 0
    findings: _Count = 0
    minutes: Annotated[float, Field(ge=0)] | None = None
    opened_at: AwareDatetime | None = None
    checked_at: AwareDatetime | None = None


class Report(BaseModel):
    """An attendee's progress at a version of it. left: the attendee leaves the wall."""

    model_config = ConfigDict(frozen=True)

    attendee: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    name: Annotated[str, Field(min_length=1, max_length=40)]
    version: Annotated[int, Field(ge=0, le=2**53)]
    sent_at: AwareDatetime
    current: _Number | None = None
    left: bool = False
    exercises: Annotated[Mapping[_Number, ExerciseReport], Field(max_length=_MAX_EXERCISES)] = {}

    @field_validator("name")
    @classmethod
    def _printable(cls, name: str) -> str:
        if not name.isprintable() or not name.strip():
            raise ValueError("expected printable characters")
        return name.strip()


def report(progress: Progress, membership: Membership, *, left: bool = False) -> Report:
    """Return what is sent to this wall; raise UsageError if the name cannot be shown there."""
    try:
        return Report(
            attendee=membership.attendee,
            name=membership.name,
            version=progress.version,
            sent_at=datetime.now(UTC),
            current=progress.current,
            left=left,
            exercises={} if left else {number: _of(record) for number, record in progress.records.items()},
        )
    except ValidationError as exc:
        if all(each["loc"] == ("name",) for each in exc.errors()):
            raise UsageError(f"--name {membership.name!r}: expected 1 to 40 printable characters.") from exc
        raise


def _of(record: Record) -> ExerciseReport:
    return ExerciseReport(
        status=record.status,
        hints=record.hints,
        checks=record.checks,
        met=sum(each.met for each in record.findings),
        findings=len(record.findings),
        minutes=record.minutes,
        opened_at=record.opened_at,
        checked_at=record.checked_at,
    )
