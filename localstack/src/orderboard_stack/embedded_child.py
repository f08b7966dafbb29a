"""The process that serves localbus, with MiniStack behind it as its child; neither outlives the other.

Run as `python -m orderboard_stack.embedded_child SCRATCH_DIR attached|detached OPTIONS...`, as the leader of a new
process group. The options are those of `python -m localbus`; MiniStack's settings are in the environment.
"""

import runpy
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from orderboard_stack.parent_watch import end_group, serve

_MINISTACK: Final = "orderboard_stack.ministack_child"


def main() -> None:
    """Start MiniStack and serve localbus until the end, which takes MiniStack and its functions along."""
    scratch, attached = Path(sys.argv[1]), sys.argv[2] == "attached"
    sys.argv[1:3] = []
    # Both start at once, which is quicker than one after the other. MiniStack watches the pipe that is open here.
    command = [sys.executable, "-m", _MINISTACK, str(scratch), "attached", "lean"]
    ministack = subprocess.Popen(command, stdin=subprocess.PIPE)
    threading.Thread(target=_end_with, args=(ministack, scratch), daemon=True, name="ministack").start()
    serve(lambda: runpy.run_module("localbus", run_name="__main__"), scratch, attached=attached)


def _end_with(ministack: "subprocess.Popen[bytes]", scratch: Path) -> None:
    ministack.wait()
    print("MiniStack has ended, so localbus ends too.", flush=True)
    end_group(scratch)


if __name__ == "__main__":
    main()
