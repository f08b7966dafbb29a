"""One JSON object a line to stderr: timestamp, level, service, message (the event's name), and its own fields."""

import logging
import sys
from typing import Final

from pythonjsonlogger.json import JsonFormatter

from order_api.trace import current_trace

SERVICE: Final = "order-api"


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
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("uvicorn.error", "botocore", "aiobotocore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
