"""The end of a benchmark: its exit code, and its message if it does not come to an end."""

import signal
import sys
from collections.abc import Callable
from typing import Final

from orderboard.errors import RigError

_INTERRUPTED: Final = 130


def exit_code_of(program: str, measure: Callable[[], None]) -> int:
    """Measure; return 0, 130 after SIGINT or SIGTERM, 1 after a RigError, which is printed."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        measure()
    except KeyboardInterrupt:
        print("Interrupted; everything that was started has been stopped.", file=sys.stderr)
        return _INTERRUPTED
    except RigError as exc:
        print(f"{program}: {exc}", file=sys.stderr)
        return 1
    return 0
