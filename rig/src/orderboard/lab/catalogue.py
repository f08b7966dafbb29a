"""The experiments: each is a file in `lab/`, and its name follows from the file's."""

from __future__ import annotations

import difflib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from orderboard.errors import RigError, UsageError
from orderboard.lab.experiment import Experiment
from orderboard.lab.program import Program
from orderboard.system.workspace import find_workspace

# In the order of the table of contents; the folders of `lab/`.
AREAS: Final = {
    "coupling": "The whole",
    "sqs": "SQS",
    "sns": "SNS",
    "events": "EventBridge",
    "functions": "Lambda",
}

_FIRST: Final = "tight_or_loose"  # what this project is about


@dataclass(frozen=True)
class Entry:
    """An experiment of a file. name: of its folder and file, `sqs-visibility-timeout`. title: its first line."""

    name: str
    area: str
    title: str
    path: Path
    experiment: Experiment

    def document(self) -> dict[str, Any]:
        """Return what a reader is shown of it, for JSON."""
        return {
            "name": self.name,
            "area": self.area,
            "title": self.title,
            "claim": self.experiment.claim,
            "source": self.experiment.source,
            "means": self.experiment.means,
        }


def names() -> dict[str, Path]:
    """Return the file of each experiment, by name, in the order of the areas."""
    folder = find_workspace().root / "lab"
    return {_name(path): path for area in AREAS for path in sorted((folder / area).glob("*.py"), key=_place)}


def _place(path: Path) -> tuple[bool, str]:
    return path.stem != _FIRST, path.stem


def find(name: str) -> Entry:
    """Return the experiment with this name, or of this file; raise UsageError with the nearest names."""
    if name.endswith(".py"):
        return load(Path(name))
    known = names()
    if name not in known:
        near = (
            difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            or [each for each in known if name and name in each][:3]
        )
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise UsageError(f"Unknown experiment {name!r}.{hint} All of them: orderboard lab list")
    return load(known[name])


def everything() -> list[Entry]:
    """Return all experiments."""
    return [load(path) for path in names().values()]


def load(path: Path) -> Entry:
    """Build the experiment of a file, which calls its Experiment `lab`; raise RigError if it does not."""
    path = path.resolve()
    if not path.is_file():
        raise UsageError(f"File not found: {path}.")
    try:
        program = Program.read(path)
        title, experiment = (program.title, program) if program is not None else _recorded(path)
    except Exception as exc:
        raise RigError(f"{path} cannot be loaded: {type(exc).__name__}: {exc}") from exc
    if not isinstance(experiment, Experiment) or not title:
        raise RigError(
            f"{path} needs a first line, its title, and `lab = Experiment(...)`. CONTRIBUTING.md shows both."
        )
    return Entry(_name(path), path.parent.name, title.rstrip("."), path, experiment)


def _recorded(path: Path) -> tuple[str, Any]:
    """Run the file; return the first line of its docstring, and its `lab`."""
    spec = importlib.util.spec_from_file_location(f"lab_{path.parent.name}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise RigError("it is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return (module.__doc__ or "").strip().partition("\n")[0], getattr(module, "lab", None)


def _name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem.replace('_', '-')}"
