"""Another revision of this project, ready to be measured: a git worktree with a .venv from that revision's locks."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from orderboard.errors import RigError, UsageError
from orderboard.system.workspace import find_workspace


@dataclass(frozen=True)
class Side:
    """A checkout with its .venv."""

    name: str
    root: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.root / ".venv" / "bin" / "python"


def here() -> Side:
    """This checkout."""
    return Side("here", find_workspace().root)


def side_of(revision: str) -> Side:
    """The checkout of a revision, built in the state folder unless it is there already; or the one in this folder.

    Raise UsageError if there is no such revision, RigError if it cannot be built.
    """
    folder = Side(revision, Path(revision).resolve())
    if folder.python.is_file():
        return folder
    root = here().root
    found = subprocess.run(
        ["git", "-C", root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode != 0:
        raise UsageError(f"{revision} is neither a revision of {root} nor the folder of a checkout with a .venv.")
    commit = found.stdout.strip()
    side = Side(revision, find_workspace().state_dir / "against" / commit[:12])
    if not side.root.exists():
        _run("git", "-C", str(root), "worktree", "prune")
        _run("git", "-C", str(root), "worktree", "add", "--quiet", "--detach", str(side.root), commit)
    _run("make", "--silent", "-C", str(side.root), ".venv/.ready", f"PYTHON={sys.executable}")
    return side


def _run(*command: str) -> None:
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
        raise RigError(f"This command failed; its error is above: {' '.join(command)}")
