"""The folder of a run, which no later run writes to.

It keeps summary.json (the measurements and the verdict, by the schema), timeline.csv (a line a second), report.html,
burst.toml (the configuration, which runs it again), the files of --export, and logs/ if the verdict is not valid.
"""

import os
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Final

from orderboard.burst.report.files import SUMMARY_FILE
from orderboard.errors import UsageError
from orderboard.system.workspace import find_workspace

LOGS: Final = "logs"
_STAMP: Final = "%Y-%m-%d_%H-%M-%S"


def runs_folder() -> Path:
    """Return the folder of all runs without --out."""
    return find_workspace().state_dir / "bursts"


def claim_folder(out: Path | None) -> Path:
    """Make the folder of a run: `out`, or a new one named by the time. Raise UsageError if `out` cannot be used."""
    if out is None:
        return _new_folder(runs_folder())
    make_folder("--out", out)
    if (out / SUMMARY_FILE).exists():
        raise UsageError(
            f"--out {out}: the folder has a run, which is not overwritten. Name another folder, or remove that run "
            f"first: orderboard bursts remove {out}"
        )
    if (logs := out / LOGS).is_dir() and any(logs.iterdir()):
        raise UsageError(f"--out {out}: its folder {LOGS} is not empty, and a burst writes there. Name another folder.")
    return out


def make_folder(option: str, path: Path) -> None:
    """Make it before the burst, whose files could not be written otherwise."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(f"{option} {path}: the folder cannot be created: {exc.strerror}.") from exc
    if not os.access(path, os.W_OK):
        raise UsageError(f"{option} {path}: the folder is not writable.")


def _new_folder(runs: Path) -> Path:
    """Make one that did not exist: a run that starts in the same second as another gets a number."""
    stamp = datetime.now().astimezone().strftime(_STAMP)
    for number in count(1):
        folder = runs / (stamp if number == 1 else f"{stamp}_{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if not runs.is_dir():
                raise
            continue
        return folder
    raise AssertionError
