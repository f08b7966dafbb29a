"""The workshop's operations, for the command line and the console: open, check, hint, solution, skip, reset."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from orderboard.errors import RigError, UsageError
from orderboard.system import localbus
from orderboard.system.backends import backend_answers
from orderboard.system.connect import connect
from orderboard.system.state import StateFile
from orderboard.system.target import AWS_ERRORS
from orderboard.system.workers import Workers
from orderboard.system.workspace import Workspace
from orderboard.workshop.as_deployed import put_back
from orderboard.workshop.board import Board, Say
from orderboard.workshop.catalogue import Entry, everything, find
from orderboard.workshop.exercise import Finding
from orderboard.workshop.progress import Membership, Progress, ProgressFile, Record
from orderboard.workshop.quiz import Answered, answered, question

START: Final = "Start it with: orderboard workshop start"
_NO_ANSWER: Final = f"localbus does not answer. End what is left (orderboard down). {START}"


@dataclass(frozen=True)
class Checked:
    """A check's findings. solved: all are met."""

    entry: Entry
    findings: tuple[Finding, ...]

    @property
    def solved(self) -> bool:
        """True if everything that the exercise asks for is met."""
        return bool(self.findings) and all(each.met for each in self.findings)


@dataclass
class Workshop:
    """One attendee's workshop in this workspace. on_change is called with each new progress."""

    workspace: Workspace
    say: Say = lambda _: None
    on_change: Callable[[Progress], None] = lambda _: None
    workers: Workers = field(init=False)
    _file: ProgressFile = field(init=False)

    def __post_init__(self) -> None:
        self.workers = Workers(self.workspace, StateFile(self.workspace.state_dir).read, connect)
        self._file = ProgressFile(self.workspace.state_dir)

    @property
    def files(self) -> Path:
        """The folder of the attendee's own files: workshop/, unless ORDERBOARD_STATE_DIR names another state folder."""
        root, state_dir = self.workspace.root, self.workspace.state_dir
        return (root if state_dir == root / ".orderboard" else state_dir) / "workshop"

    def progress(self) -> Progress:
        """Return what is kept."""
        return self._file.read()

    def entry(self, typed: str | None) -> Entry:
        """Return the exercise of this number or name; without one, the current one."""
        if typed is not None:
            return find(typed)
        if (current := self.progress().current) is None:
            raise UsageError(f"No exercise is open. {START}, or name one: orderboard workshop open 1")
        return find(str(current))

    def next_after(self, entry: Entry) -> Entry | None:
        """Return the next exercise that is neither solved nor skipped, after the last one from the first on, if any."""
        progress = self.progress()
        left = [
            each
            for each in everything()
            if each.number != entry.number and progress.record(each.number).status in ("not opened", "open")
        ]
        return min(left, key=lambda each: (each.number < entry.number, each.number), default=None)

    def open(self, entry: Entry) -> Record:
        """Put the system back as deployed and prepare the exercise's start state. The attendee's files stay.

        If it does not come to its end, also after Ctrl-C, no exercise is open: the system is in a state between two.
        """
        with self._file.locked(), self._board(entry, Record()) as board:
            try:
                put_back(board, entry.exercise.worker_environment)
                self._copy_files(entry)
                board.opened_at = datetime.now(UTC)
                board.journal_after = board.last_entry()
                entry.exercise.prepare(board)
            except BaseException:
                self._keep(self.progress().model_copy(update={"current": None}))
                raise
            record = self.progress().record(entry.number)
            record = Record(
                opened_at=board.opened_at,
                journal_after=board.journal_after,
                facts=board.facts,
                **record.model_dump(include={"hints", "checks", "solution_seen", "solution_applied", "solved_at"}),
            )
            progress = self.progress()
            records = {**progress.records, entry.number: record}
            self._keep(progress.model_copy(update={"current": entry.number, "records": records}))
            return record

    def check(self, entry: Entry) -> Checked:
        """Check the exercise, and keep the result."""
        with self._file.locked(), self.board(entry) as board:
            record = self._opened(entry)
            findings = tuple(_findings(entry.exercise.check, board))
            checked = Checked(entry, findings)
            changes: dict[str, Any] = {
                "checks": record.checks + 1,
                "findings": findings,
                "checked_at": datetime.now(UTC),
                "facts": dict(board.facts),
            }
            if checked.solved:
                changes |= {"solved_at": record.solved_at or datetime.now(UTC), "skipped": False}
            self._change(entry, **changes)
            return checked

    def deploy(self, entry: Entry) -> str:
        """Put the attendee's files of this exercise onto the system; return a sentence about it."""
        with self._file.locked(), self.board(entry) as board:
            if entry.exercise.deploy is None:
                raise UsageError(f"Exercise {entry.number} has no files to deploy. Its text: {_again(entry)}")
            try:
                done = entry.exercise.deploy(board)
            except AWS_ERRORS as exc:
                raise UsageError(f"Nothing was deployed: {exc}") from exc
            self._change(entry, facts=dict(board.facts))
            return done

    def hint(self, entry: Entry, number: int | None = None) -> tuple[str, ...]:
        """Return the hints up to this one (1 to 3); by default the next one, with those seen before."""
        hints = entry.exercise.hints
        seen = self.progress().record(entry.number).hints
        if number is not None and not 1 <= number <= len(hints):
            raise UsageError(f"Hint {number}: expected 1 to {len(hints)}.")
        shown = max(seen, number) if number is not None else min(seen + 1, len(hints))
        with self._file.locked():
            self._change(entry, hints=shown)
        return hints[:shown]

    def solution(self, entry: Entry) -> str:
        """Return the solution's text, and note that it was seen."""
        with self._file.locked():
            self._change(entry, solution_seen=True)
        return entry.solution

    def apply_solution(self, entry: Entry) -> list[Path]:
        """Do what the solution says, in the attendee's place. Return the attendee's files that were kept as *.mine."""
        with self._file.locked(), self.board(entry) as board:
            kept = self._solve_files(entry)
            entry.exercise.solve(board)
            self._change(entry, solution_seen=True, solution_applied=True, facts=dict(board.facts))
            return kept

    def skip(self, entry: Entry) -> None:
        """Leave the exercise out."""
        with self._file.locked():
            self._change(entry, skipped=True)

    def reset(self, entry: Entry) -> list[Path]:
        """Forget the exercise's progress and its files, then open it again. Return the files kept as *.mine."""
        with self._file.locked():
            kept = [self._put_aside(self.files / name) for name in entry.exercise.files if (self.files / name).exists()]
            progress = self.progress()
            records = {number: each for number, each in progress.records.items() if number != entry.number}
            self._keep(progress.model_copy(update={"records": records}))
        self.open(entry)
        return kept

    def set_wall(self, wall: Membership | None) -> Progress:
        """Keep the wall to which changes are reported; None: none. Return the new progress."""
        with self._file.locked():
            self._keep(self.progress().model_copy(update={"wall": wall}))
            return self.progress()

    def answer(self, number: int, choice: int) -> Answered:
        """Keep an answer to a question of the quiz; raise UsageError if there is no such question or choice."""
        given = answered(question(number), str(choice))
        with self._file.locked():
            progress = self.progress()
            self._keep(progress.model_copy(update={"quiz": {**progress.quiz, number: choice}}))
        return given

    def forget_answers(self) -> None:
        """Forget the answers to the quiz."""
        with self._file.locked():
            self._keep(self.progress().model_copy(update={"quiz": {}}))

    def forget(self) -> list[Path]:
        """Forget everything. Return the attendee's files, which were kept as *.mine."""
        with self._file.locked():
            names = [name for entry in everything() for name in entry.exercise.files]
            kept = [self._put_aside(self.files / name) for name in names if (self.files / name).exists()]
            self.on_change(self._file.forget())
            return kept

    @contextmanager
    def board(self, entry: Entry) -> Iterator[Board]:
        """Give the system as the open exercise sees it."""
        with self._board(entry, self._opened(entry)) as board:
            yield board

    @contextmanager
    def _board(self, entry: Entry, record: Record) -> Iterator[Board]:
        if (state := StateFile(self.workspace.state_dir).read()) is None:
            raise RigError(f"Nothing is running here. {START}")
        if state.backend != "embedded":
            raise RigError(
                f"The workshop needs the embedded backend, and {state.backend} runs. End it: orderboard down"
            )
        if not state.allow_faults:
            raise RigError(f"This system does not accept faults. End it (orderboard down). {START}")
        if not backend_answers(state.endpoint):
            raise RigError(_NO_ANSWER)
        target = connect()
        engine = localbus.find(target.endpoint)
        if engine is None:
            raise RigError(_NO_ANSWER)
        self.workers.target = lambda: target
        try:
            yield Board(
                workspace=self.workspace,
                state=state,
                target=target,
                engine=engine,
                workers=self.workers,
                folder=entry.folder,
                files=self.files,
                opened_at=record.opened_at or datetime.now(UTC),
                journal_after=record.journal_after,
                facts=dict(record.facts),
                say=self.say,
            )
        finally:
            engine.close()
            target.close()

    def _opened(self, entry: Entry) -> Record:
        progress = self.progress()
        if progress.current != entry.number:
            raise UsageError(f"Exercise {entry.number} is not the open one. Open it: {_again(entry)}")
        return progress.record(entry.number)

    def _change(self, entry: Entry, **changes: Any) -> None:
        self._keep(self.progress().changed(entry.number, **changes))

    def _keep(self, progress: Progress) -> None:
        self.on_change(self._file.write(progress))

    # ---- The attendee's files ----

    def _copy_files(self, entry: Entry) -> None:
        for name in entry.exercise.files:
            if not (self.files / name).exists():
                self.files.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(entry.folder / "start" / name, self.files / name)

    def _solve_files(self, entry: Entry) -> list[Path]:
        kept = []
        for name in entry.exercise.files:
            path, solved = self.files / name, (entry.folder / "solution" / name).read_bytes()
            if path.exists() and path.read_bytes() not in (solved, (entry.folder / "start" / name).read_bytes()):
                kept.append(self._put_aside(path))
            path.write_bytes(solved)
        return kept

    def _put_aside(self, path: Path) -> Path:
        return path.replace(_free(path))


def _findings(check: Callable[[Board], Iterable[Finding]], board: Board) -> Iterator[Finding]:
    try:
        yield from check(board)
    except (RigError, *AWS_ERRORS) as exc:
        yield Finding(met=False, text=f"The check could not go on: {exc}")


def _again(entry: Entry) -> str:
    return f"orderboard workshop open {entry.number}"


def _free(path: Path) -> Path:
    """Return the first of NAME.mine, NAME.mine.2 and so on that no file has."""
    candidate, number = path.with_name(f"{path.name}.mine"), 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}.mine.{number}")
    return candidate
