"""Ends a process when the process that started it ends, and a process group with its leader.

Our own children watch a pipe: the starter holds the writing end of their standard input, and end of file means that the
starter closed it or died, even by SIGKILL, on Linux and macOS. Programs that know nothing of the pipe are killed by the
kernel, on Linux only.
"""

import ctypes
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


def serve(run: Callable[[], object], scratch: Path, *, attached: bool) -> NoReturn:
    """Run until it returns or fails, or the starter is gone; then end the whole group and remove its files."""
    if attached:
        end_with_starter(scratch)
    try:
        run()
    except SystemExit as exc:
        if isinstance(exc.code, str):
            print(exc.code, flush=True)
    except BaseException:  # noqa: BLE001 (it goes to the log, which the starter shows; then the group ends)
        traceback.print_exc()
    end_group(scratch)


def end_with_starter(scratch: Path) -> None:
    """End the group of this process, and remove its files, when the process that started it is gone."""
    threading.Thread(target=_watch, args=(scratch,), daemon=True, name="parent-watch").start()


def end_group(scratch: Path | str) -> NoReturn:
    """Remove the files and kill every process of this group, this one included."""
    shutil.rmtree(scratch, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)
    raise AssertionError("unreachable")


def killed_with(parent: int) -> Callable[[], None] | None:
    """A preexec_fn that has the kernel kill the new process when its parent dies; None where the kernel cannot.

    The kernel ties that to the thread that starts the process, so start it on the main thread.
    https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
    """
    if _LIBC is None:
        return None

    def bind() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)

    return bind


def _watch(scratch: Path) -> None:
    while os.read(0, 64):
        pass
    end_group(scratch)
