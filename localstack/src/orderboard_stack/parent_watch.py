"""What ties a process to the one that started it, and a process group to its leader.

The starter holds one end of a pipe that is the standard input of the other: end of file means that the starter closed
it or died in whatever way (SIGKILL too, on Linux and macOS alike).
"""

import os
import shutil
import signal
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn


def serve(run: Callable[[], object], scratch: Path, *, attached: bool) -> NoReturn:
    """Run until it returns or fails, or until the starter is gone; then end the whole group and remove its files."""
    if attached:
        threading.Thread(target=_end_with_starter, args=(scratch,), daemon=True, name="lifeline").start()
    try:
        run()
    except SystemExit as exc:
        if isinstance(exc.code, str):
            print(exc.code, flush=True)
    except BaseException:  # noqa: BLE001 (said in the log, which the starter shows; then the group ends)
        traceback.print_exc()
    end_group(scratch)


def end_group(scratch: Path) -> NoReturn:
    """Remove the files and kill every process of this group, this one included."""
    shutil.rmtree(scratch, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)
    raise AssertionError("unreachable")


def _end_with_starter(scratch: Path) -> None:
    while os.read(0, 64):
        pass
    end_group(scratch)
