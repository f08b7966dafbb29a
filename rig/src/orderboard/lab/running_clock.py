"""A manual clock that runs with real time, for programs, which live in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from orderboard.errors import RigError
from orderboard.system.localbus import CLOCK, Localbus

_TICK_S: Final = 0.05


@contextmanager
def running_clock(localbus: Localbus | None) -> Iterator[None]:
    """Let the manual clock of this localbus run for the length of a with block; None has none.

    Raises RigError at the end if the clock could not be moved all the time: what was seen then proves nothing.
    """
    if localbus is None:
        yield
        return
    ended = threading.Event()
    failures: list[RigError] = []

    def move() -> None:
        before = time.monotonic()
        while not ended.wait(_TICK_S):
            now = time.monotonic()
            try:
                localbus.change("POST", CLOCK, {"advance_s": now - before})
            except RigError as exc:
                failures.append(exc)
                return
            before = now

    mover = threading.Thread(target=move, daemon=True)
    mover.start()
    try:
        yield
    finally:
        ended.set()
        mover.join()
    if failures:
        raise failures[0]
