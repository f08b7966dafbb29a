"""JSON logs on stderr, one object per line: timestamp, level, logger, service, message (the event's name), fields.

Every order produces a line, so the cost of a line is kept low.
"""

import json
import logging
import sys
from collections.abc import Sequence
from typing import Any, Final

import orjson
from pythonjsonlogger.json import JsonFormatter

_AS_TEXT: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_NON_STR_KEYS


def configure_json_logs(
    service: str,
    *,
    filters: Sequence[logging.Filter] = (),
    warnings_only: Sequence[str] = ("botocore", "aiobotocore"),
    **fields: str,
) -> None:
    """Send every log record of this process to stderr. fields are added to each line; warnings_only names loggers."""
    handler = logging.StreamHandler(sys.stderr)
    for each in filters:
        handler.addFilter(each)
    handler.setFormatter(
        JsonFormatter(
            "{levelname}{name}{message}",
            style="{",
            rename_fields={"levelname": "level", "name": "logger"},
            static_fields={"service": service, **fields},
            timestamp=True,
            json_serializer=_serialize,
        )
    )
    # None of these appear in a line: https://docs.python.org/3/howto/logging.html#optimization
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in warnings_only:
        logging.getLogger(name).setLevel(logging.WARNING)


def _serialize(fields: dict[str, Any], **_: Any) -> str:
    try:
        return orjson.dumps(fields, default=str, option=_AS_TEXT).decode()
    except TypeError:  # half a surrogate pair, or an integer of more than 64 bits
        return json.dumps(fields, default=str)
