"""The workspace: a clone of the project, and the folder for state, logs and built files."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orderboard.errors import RigError

STATE_DIR_VARIABLE: Final = "ORDERBOARD_STATE_DIR"
_TEMPLATE: Final = Path("localstack", "template.yaml")


@dataclass(frozen=True)
class Workspace:
    """A clone, and its state folder: .orderboard unless ORDERBOARD_STATE_DIR names another."""

    root: Path
    state_dir: Path

    @property
    def lock(self) -> Path:
        """The pinned dependencies."""
        return self.root / "requirements.lock"

    @property
    def data_dir(self) -> Path:
        """The state that the embedded backend of `orderboard up` keeps; see kept_data."""
        return self.state_dir / "data"

    @property
    def logs_dir(self) -> Path:
        """The logs of the processes that `orderboard up` starts."""
        return self.state_dir / "logs"


def find_workspace() -> Workspace:
    """The clone that this command was installed from, else the one around the working directory."""
    here = Path(__file__).resolve()
    working = Path.cwd()
    for root in (*here.parents, working, *working.parents):
        if (root / _TEMPLATE).is_file():
            named = os.environ.get(STATE_DIR_VARIABLE)
            return Workspace(root, Path(named).resolve() if named else root / ".orderboard")
    raise RigError(f"{_TEMPLATE} was not found. Run orderboard inside a clone of Order Board.")
