"""Logging as JSON lines on stderr: timestamp, level, service, message (the event's name), and the line's own fields.

There is a line for each order, so what makes one is kept cheap.
"""

import json
import logging
import sys
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter

# Made once; python-json-logger's own default makes an encoder for each line.
_encoder: Final = json.JSONEncoder(default=str)


def configure(worker_id: str) -> None:
    """Send every log line of this process to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "%(levelname)s %(message)s",
            rename_fields={"levelname": "level"},
            static_fields={"service": "worker", "worker_id": worker_id},
            timestamp=True,
            json_serializer=_line,
        )
    )
    # Nothing of these is in a line: https://docs.python.org/3/howto/logging.html#optimization
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("botocore").setLevel(logging.WARNING)


def _line(fields: dict[str, Any], **_: Any) -> str:
    return _encoder.encode(fields)
