"""JSON logs on stderr, one object per line: level, logger, message (the event's name), service, fields, timestamp.

Every order produces a line, so the cost of a line is kept low: own formatting, and one write for all lines of a turn of
the event loop.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TextIO

_encode: Final = json.JSONEncoder(default=str).encode
_USUAL: Final = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime"))  # all other attributes are fields


def configure_json_logs(
    service: str, *, filters: Sequence[logging.Filter] = (), warnings_only: Sequence[str] = ("botocore",), **fields: str
) -> None:
    """Send every log record of this process to stderr. fields are added to each line; warnings_only names loggers."""
    handler = _TurnHandler(sys.stderr)
    for each in filters:
        handler.addFilter(each)
    handler.setFormatter(_JsonFormatter({"service": service, **fields}))
    # None of these appear in a line, nor does the caller: https://docs.python.org/3/howto/logging.html#optimization
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in warnings_only:
        logging.getLogger(name).setLevel(logging.WARNING)


class _JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__()
        self._fields = fields

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
        line.update(self._fields)
        if record.exc_info:
            line["exc_info"] = self.formatException(record.exc_info)
        line.update((name, value) for name, value in vars(record).items() if name not in _USUAL)
        line["timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat(" ")
        return _encode(line)


class _TurnHandler(logging.StreamHandler[TextIO]):
    """Writes the lines of a turn of the event loop together; a warning, or a line outside a loop, at once."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Add a line."""
        try:
            self._lines.append(self.format(record))
        except Exception:  # noqa: BLE001 - as in the base class: a record that cannot be formatted ends nothing
            self.handleError(record)
            return
        if record.levelno >= logging.WARNING or not _loop_runs():
            self.flush()
        elif len(self._lines) == 1:
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write the lines that wait."""
        self.acquire()
        try:
            if self._lines:
                lines, self._lines = self._lines, []
                self.stream.write("\n".join(lines) + "\n")
            super().flush()
        except OSError:
            pass  # nobody reads stderr any more
        finally:
            self.release()


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
