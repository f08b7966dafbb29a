"""Work that takes a while, as a stream of JSON lines: what it shows as it comes, and its error as the last one."""

import json
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

from orderboard.errors import RigError
from orderboard.system.command_line import to_paste
from orderboard.system.target import AWS_ERRORS

Line = dict[str, Any]
Put = Callable[[Line], None]


def stream(name: str, work: Callable[[Put], None]) -> Iterator[bytes]:
    """Run the work in a thread of this name, which goes on if nobody reads; return the lines that it puts."""
    lines: SimpleQueue[Line | None] = SimpleQueue()
    threading.Thread(target=_run, args=(work, lines), name=name, daemon=True).start()
    return _lines(lines)


def _run(work: Callable[[Put], None], lines: "SimpleQueue[Line | None]") -> None:
    try:
        work(lines.put)
    except (RigError, *AWS_ERRORS) as exc:
        lines.put({"error": to_paste(str(exc))})
    except Exception as exc:
        lines.put({"error": f"{type(exc).__name__}: {exc}"})
        raise
    finally:
        lines.put(None)


def _lines(lines: "SimpleQueue[Line | None]") -> Iterator[bytes]:
    while (line := lines.get()) is not None:
        yield json.dumps(line, default=str).encode() + b"\n"
