"""The log: one JSON object per line."""

import json
import logging

import pytest
from order_api.__main__ import configure_logs
from order_api.trace import Trace, current_trace


@pytest.fixture
def _own_logging() -> object:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_own_logging")
def test_a_line_is_an_event_with_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """timestamp, level, service, message, the event's own fields, and the request that it belongs to."""
    configure_logs()
    token = current_trace.set(Trace("00-" + "1" * 32 + "-" + "2" * 16 + "-01", "rush-7"))

    logging.getLogger("order_api.orders").info("order.accepted", extra={"order_id": "o-1"})
    current_trace.reset(token)

    line = json.loads(capsys.readouterr().err)
    assert line.pop("timestamp").startswith("20")
    assert line == {
        "level": "INFO",
        "logger": "order_api.orders",
        "service": "order-api",
        "message": "order.accepted",
        "order_id": "o-1",
        "correlation_id": "rush-7",
        "trace_id": "1" * 32,
    }


@pytest.mark.usefixtures("_own_logging")
def test_a_line_is_written_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Text that is not valid Unicode, and an integer of a hundred bits, do not lose the line."""
    configure_logs()

    logging.getLogger("order_api").info("odd", extra={"path": "/\ud800", "number": 2**100})

    line = json.loads(capsys.readouterr().err)
    assert (line["path"], line["number"]) == ("/\ud800", 2**100)
