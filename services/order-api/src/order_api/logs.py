"""One JSON object a line to stderr: timestamp, level, service, message (the event's name), and its own fields.

There is a line for each order, so what makes one is kept cheap.
"""

import json
import logging
import sys
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter

from order_api.trace import current_trace

SERVICE: Final = "order-api"
# Made once; python-json-logger's own default makes an encoder for each line.
_encoder: Final = json.JSONEncoder(default=str)


class _Correlated(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        trace = current_trace.get(None)
        if trace is not None and not hasattr(record, "correlation_id"):
            record.correlation_id = trace.correlation_id
        return True


def configure_logs(level: int = logging.INFO) -> None:
    """Send this process's logs to stderr. uvicorn speaks up only for warnings: our own events say the rest."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Correlated())
    handler.setFormatter(
        JsonFormatter(
            "{levelname}{name}{message}",
            style="{",
            rename_fields={"levelname": "level", "name": "logger"},
            static_fields={"service": SERVICE},
            timestamp=True,
            json_serializer=_line,
        )
    )
    # Nothing of these is in a line: https://docs.python.org/3/howto/logging.html#optimization
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("uvicorn.error", "botocore", "aiobotocore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _line(fields: dict[str, Any], **_: Any) -> str:
    return _encoder.encode(fields)
