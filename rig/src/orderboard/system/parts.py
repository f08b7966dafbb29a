"""What runs under a process that we know: the backend has engines and functions below it."""

from typing import Final

import psutil
from orderboard_stack.local_backend import is_engine

from orderboard.system.state import KnownProcess

BACKEND: Final = "backend"
MINISTACK: Final = "backend (MiniStack)"  # behind localbus, which is then the backend's own process
LAMBDAS: Final = "notifier (Lambda)"


def parts(known: KnownProcess) -> dict[str, list[psutil.Process]]:
    """The process, and the backend's children, by what they are; nothing when it has ended."""
    if (process := known.find()) is None:
        return {}
    found = {known.name: [process]}
    if known.name == BACKEND:
        for child in process.children(recursive=True):
            found.setdefault(MINISTACK if is_engine(child.pid) else LAMBDAS, []).append(child)
    return found
