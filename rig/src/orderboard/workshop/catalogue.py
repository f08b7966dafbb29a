"""The exercises: each is a folder in `workshop/`, in the order of its number."""

from __future__ import annotations

import difflib
import importlib.util
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from orderboard.errors import RigError, UsageError
from orderboard.system.workspace import find_workspace
from orderboard.workshop.exercise import Exercise
from orderboard.workshop.readme import Readme, read_readme

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """An exercise of a folder. name: the folder's without its number, `the-outage`."""

    name: str
    folder: Path
    readme: Readme
    exercise: Exercise

    @property
    def number(self) -> int:
        """Its place in the workshop, from 1."""
        return self.readme.number

    @property
    def solution(self) -> str:
        """The text of its solution, as Markdown."""
        return (self.folder / "solution.md").read_text()

    def __str__(self) -> str:
        return f"{self.number}. {self.readme.title}"


@cache
def everything() -> tuple[Entry, ...]:
    """Return all exercises, in order."""
    return tuple(_load(path) for path in sorted((find_workspace().root / "workshop").glob("[0-9][0-9]-*")))


def find(typed: str) -> Entry:
    """Return the exercise with this number or name; raise UsageError with the nearest names."""
    entries = everything()
    for each in entries:
        if typed in (each.name, each.folder.name) or (typed.isdecimal() and int(typed) == each.number):
            return each
    near = difflib.get_close_matches(typed, [each.name for each in entries], n=2, cutoff=0.4)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    numbers = f"{entries[0].number} to {entries[-1].number}"
    raise UsageError(f"Unknown exercise {typed!r}: expected {numbers}, or a name.{hint} All: orderboard workshop list")


def _load(folder: Path) -> Entry:
    number, _, name = folder.name.partition("-")
    readme = read_readme(folder / "README.md")
    exercise = getattr(_module(folder / f"exercise_{number}.py"), "EXERCISE", None)
    if not isinstance(exercise, Exercise) or readme.number != int(number):
        raise RigError(
            f"{folder} needs EXERCISE = Exercise(...) in exercise_{number}.py, and {number} in its README.md."
        )
    return Entry(name, folder, readme, exercise)


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"workshop_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise RigError(f"File not found: {path}.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
