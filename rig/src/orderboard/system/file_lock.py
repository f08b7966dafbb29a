"""A lock between processes: a file that one of them holds."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from orderboard.errors import RigError

_POLL_S: Final = 0.05


@contextmanager
def file_lock(path: Path, *, busy: str, within_s: float = 0) -> Iterator[None]:
    """Hold the lock; raise RigError with the text `busy` if another process still holds it after this time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + within_s
    with path.open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as exc:
                if time.monotonic() >= until:
                    raise RigError(busy) from exc
                time.sleep(_POLL_S)
        yield
