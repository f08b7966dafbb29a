"""The process that serves MiniStack: `python -m orderboard_stack.ministack_child SCRATCH_DIR attached|detached [lean]`.

It leads its own process group, or belongs to that of embedded_child. Its functions are processes of the same group.
"""

import runpy
import sys
from pathlib import Path

from orderboard_stack.lean_ministack import make_lean
from orderboard_stack.parent_watch import serve


def main() -> None:
    """Serve until the end, which takes every function process along."""
    scratch, attached, lean = Path(sys.argv[1]), sys.argv[2] == "attached", "lean" in sys.argv[3:]
    sys.argv[1:] = []
    if lean:
        make_lean()
    serve(lambda: runpy.run_module("ministack", run_name="__main__"), scratch, attached=attached)


if __name__ == "__main__":
    main()
