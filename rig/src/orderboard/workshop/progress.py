"""An attendee's progress, kept in the state folder: .orderboard/workshop.json."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from orderboard.errors import RigError
from orderboard.system.file_lock import file_lock
from orderboard.workshop.exercise import Finding

Status = Literal["not opened", "open", "solved", "skipped"]
_BUSY: Final = "Another command works on this exercise. Wait for its end."


class Record(BaseModel):
    """One exercise. facts: what its start state noted for its check. journal_after: localbus's entries before it."""

    model_config = ConfigDict(frozen=True)

    opened_at: datetime | None = None
    journal_after: int = 0
    facts: Mapping[str, Any] = {}
    hints: int = 0  # seen
    checks: int = 0
    findings: tuple[Finding, ...] = ()  # of the last check since the opening
    checked_at: datetime | None = None
    solution_seen: bool = False
    solution_applied: bool = False
    solved_at: datetime | None = None
    skipped: bool = False

    @property
    def status(self) -> Status:
        """Its state. One that was solved stays solved, also when it is opened again."""
        if self.solved_at is not None:
            return "solved"
        if self.skipped:
            return "skipped"
        return "not opened" if self.opened_at is None else "open"

    @property
    def failing(self) -> tuple[str, ...]:
        """The texts of what the last check found not yet right."""
        return tuple(each.text for each in self.findings if not each.met)

    @property
    def minutes(self) -> float | None:
        """The time from its last opening to its solution; None if it is not solved."""
        if self.solved_at is None or self.opened_at is None or self.solved_at < self.opened_at:
            return None
        return (self.solved_at - self.opened_at).total_seconds() / 60


class Membership(BaseModel):
    """A wall that shows this attendee's progress. attendee: a random id. url: may end with #TOKEN."""

    model_config = ConfigDict(frozen=True)

    attendee: str
    name: str
    url: str


class Progress(BaseModel):
    """All exercises, by number. current: the one that was opened last. version: grows with every change.

    quiz: the answers given, by the number of the question; each is the number of a choice, from 1.
    """

    model_config = ConfigDict(frozen=True)

    version: int = 0
    wall: Membership | None = None
    current: int | None = None
    records: Mapping[int, Record] = {}
    quiz: Mapping[int, int] = {}

    def record(self, number: int) -> Record:
        """Return the record of an exercise; an empty one if it was never opened."""
        return self.records.get(number, Record())

    def changed(self, number: int, **changes: Any) -> "Progress":
        """Return a copy in which an exercise's record has these values."""
        records = {**self.records, number: self.record(number).model_copy(update=changes)}
        return self.model_copy(update={"records": records})


class ProgressFile:
    """The file, and the lock that lets one command at a time work on an exercise."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "workshop.json"

    def read(self) -> Progress:
        """Return what is kept; an empty progress if nothing is."""
        try:
            return Progress.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return Progress()
        except ValidationError as exc:
            raise RigError(
                f"{self._path} is damaged. Remove it to begin again: orderboard workshop reset --all"
            ) from exc

    def write(self, progress: Progress) -> Progress:
        """Keep this progress, as a whole or not at all. Return it with its new version."""
        kept = progress.model_copy(update={"version": progress.version + 1})
        partial = self._path.with_suffix(".partial")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial.touch(mode=0o600)  # the address of a wall may hold its token
            partial.write_text(kept.model_dump_json(indent=2))
            partial.replace(self._path)
        except OSError as exc:
            why = exc.strerror or exc
            raise RigError(f"The progress cannot be kept in {self._path}: {why}. It is as it was before.") from exc
        return kept

    def forget(self) -> Progress:
        """Forget all exercises, and what is damaged. The wall stays. Return what is kept now."""
        try:
            before = self.read()
        except RigError:
            before = Progress()
        return self.write(Progress(version=before.version, wall=before.wall))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock; raise RigError if another command holds it."""
        with file_lock(self._path.with_suffix(".lock"), busy=_BUSY):
            yield
