"""An exercise in code: its start state, its check, its hints and its solution. The text is its README.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orderboard.errors import RigError

if TYPE_CHECKING:
    from orderboard.workshop.board import Board


class NotReadyError(RigError):
    """The start state cannot be prepared, or the check cannot run, on this system. The message names the fix."""


@dataclass(frozen=True)
class Finding:
    """One thing that a check looked at. text: what was seen; if it is not met, also what is not yet right."""

    met: bool
    text: str


@dataclass(frozen=True)
class Exercise:
    """The functions of an exercise.

    prepare makes the start state; the system is as deployed before it. check yields one Finding for each thing that the
    exercise asks for, from the evidence alone; the exercise is solved if all are met. solve does what solution.md says.
    hints: three, each says more than the one before. files: those that the attendee writes; `start/` has each as it is
    at the beginning, `solution/` as solved. deploy puts the files onto the system, and returns a sentence about it;
    it raises UsageError, or an error of AWS, for files that cannot be deployed. worker_environment: the variables that
    the workers have at the beginning.
    """

    prepare: Callable[[Board], None]
    check: Callable[[Board], Iterable[Finding]]
    solve: Callable[[Board], object]
    hints: tuple[str, str, str]
    files: tuple[str, ...] = ()
    deploy: Callable[[Board], str] | None = None
    worker_environment: Mapping[str, str] = field(default_factory=dict)


def nothing(_: Board) -> None:
    """Prepare nothing: the start state is the system as deployed."""
