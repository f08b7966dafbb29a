"""The process that serves MiniStack: `python -m orderboard_stack.ministack_child SCRATCH_DIR attached|detached|kept`.

It leads its own process group, to which its functions belong. kept: by embedded_child, behind localbus.
"""

import runpy
import sys
from pathlib import Path

from orderboard_stack.kept_state import keep_state
from orderboard_stack.lean_ministack import make_lean
from orderboard_stack.parent_watch import end_with_starter, serve


def main() -> None:
    """Serve until the end, which takes every function process along."""
    scratch, how = Path(sys.argv[1]), sys.argv[2]
    sys.argv[1:] = []
    if how == "kept":
        end_with_starter(scratch)
        make_lean()
        keep_state()
        _run()
    else:
        serve(_run, scratch, attached=how == "attached")


def _run() -> None:
    runpy.run_module("ministack", run_name="__main__")


if __name__ == "__main__":
    main()
