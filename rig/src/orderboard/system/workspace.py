"""Where things lie: the project's files, and the directory that the rig writes to."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orderboard.errors import RigError

STATE_DIR_VARIABLE: Final = "ORDERBOARD_STATE_DIR"
_TEMPLATE: Final = Path("localstack", "template.yaml")


@dataclass(frozen=True)
class Workspace:
    """A clone of the project, and the directory for state, logs and what is built (.orderboard unless named)."""

    root: Path
    state_dir: Path

    @property
    def lock(self) -> Path:
        """The pinned dependencies."""
        return self.root / "requirements.lock"

    @property
    def logs_dir(self) -> Path:
        """Where the processes of `orderboard up` write their logs."""
        return self.state_dir / "logs"


def find_workspace() -> Workspace:
    """The clone that this command was installed from, else the one around the working directory."""
    here = Path(__file__).resolve()
    working = Path.cwd()
    for root in (*here.parents, working, *working.parents):
        if (root / _TEMPLATE).is_file():
            named = os.environ.get(STATE_DIR_VARIABLE)
            return Workspace(root, Path(named).resolve() if named else root / ".orderboard")
    raise RigError(f"{_TEMPLATE} is not here. Run orderboard inside a clone of Order Board.")
