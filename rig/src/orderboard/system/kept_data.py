"""The data folder of `up`: what the embedded backend keeps between `down` and `up`, and its removal."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from orderboard.errors import RigError

# In the words of the user who is asked about its removal.
CONTENTS = "queues with their messages, topics, rules, archives, tables, stacks, functions and buckets"


@dataclass(frozen=True)
class KeptData:
    """A data folder that exists, and the size of its files."""

    path: Path
    bytes: int

    @property
    def megabytes(self) -> str:
        """The size for people, such as `1.4 MB`."""
        return f"{self.bytes / 1e6:,.1f} MB"


def kept_data(path: Path) -> KeptData | None:
    """Return what a data folder holds; None if there is none."""
    if not path.is_dir():
        return None
    return KeptData(path, sum(each.stat().st_size for each in path.rglob("*") if each.is_file()))


def remove(path: Path) -> None:
    """Remove a data folder, as a whole: an interrupted removal leaves no part of it under its name."""
    removed = path.with_name(f"{path.name}.removed")
    try:
        if removed.exists():  # of an interrupted removal
            shutil.rmtree(removed)
        path.rename(removed)
        shutil.rmtree(removed)
    except FileNotFoundError:
        return
    except OSError as exc:
        raise RigError(f"{exc.filename} cannot be removed: {exc.strerror}. Remove it by hand.") from exc
