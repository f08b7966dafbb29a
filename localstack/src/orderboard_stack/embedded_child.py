"""The process that embedded.py starts: MiniStack, which ends with its functions and its files when the starter is gone.

Run as `python -m orderboard_stack.embedded_child SCRATCH_DIR attached|detached`, as leader of its own process group.
Attached, its standard input is a pipe whose other end the starter holds: end of file means that the starter closed it
or died in whatever way (SIGKILL too, on Linux and macOS alike).
"""

import os
import runpy
import shutil
import signal
import sys
import threading
from pathlib import Path


def _end(scratch: Path) -> None:
    shutil.rmtree(scratch, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _end_with_starter(scratch: Path) -> None:
    while os.read(0, 64):
        pass
    _end(scratch)


def main() -> None:
    """Serve until told to end, then take every function process along."""
    scratch = Path(sys.argv[1])
    if sys.argv[2] == "attached":
        threading.Thread(target=_end_with_starter, args=(scratch,), daemon=True, name="lifeline").start()
    sys.argv[1:] = []
    try:
        runpy.run_module("ministack", run_name="__main__")
    except SystemExit as exc:
        if exc.code:  # it never served: say so to the starter
            raise
    _end(scratch)


if __name__ == "__main__":
    main()
