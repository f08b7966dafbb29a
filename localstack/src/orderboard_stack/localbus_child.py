"""The process that serves localbus for embedded_child: `python -m orderboard_stack.localbus_child SCRATCH OPTIONS...`.

The options are those of `python -m localbus`.
"""

import runpy
import sys
from pathlib import Path

from orderboard_stack.parent_watch import end_with_starter


def main() -> None:
    """Serve until it ends, or the process that started it does."""
    end_with_starter(Path(sys.argv.pop(1)))
    runpy.run_module("localbus", run_name="__main__")


if __name__ == "__main__":
    main()
