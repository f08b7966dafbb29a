"""Logging as JSON lines on stderr: timestamp, level, service, message (the event's name), and the line's own fields."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter


def configure(worker_id: str) -> None:
    """Send every log line of this process to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "%(levelname)s %(message)s",
            rename_fields={"levelname": "level"},
            static_fields={"service": "worker", "worker_id": worker_id},
            timestamp=True,
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    logging.getLogger("aiobotocore").setLevel(logging.WARNING)
