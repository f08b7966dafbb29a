"""JSON logs: the fields of a line, and what cannot be written."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from orderboard_aws_client.json_logs import configure_json_logs

Lines = Callable[[], list[dict[str, Any]]]
log = logging.getLogger("worker.handlers")


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """A function that returns the lines written since its last call. Logs are configured as a service does it."""
    written = io.StringIO()

    def read() -> list[dict[str, Any]]:
        text = written.getvalue()
        written.seek(0)
        written.truncate()
        return [json.loads(line) for line in text.splitlines()]

    monkeypatch.setattr(sys, "stderr", written)
    root, options = logging.getLogger(), ("logThreads", "logProcesses", "logMultiprocessing", "_srcfile")
    level, handlers, values = root.level, root.handlers[:], [getattr(logging, name) for name in options]
    root.handlers.clear()  # they are pytest's, and would be closed
    configure_json_logs("worker", worker_id="w-1")
    yield read
    root.level, root.handlers[:] = level, handlers
    for name, value in zip(options, values, strict=True):
        setattr(logging, name, value)


def test_a_line_has_its_fields(lines: Lines) -> None:
    """Level, logger, event and service first, then the fields of the record; what JSON cannot hold becomes text."""
    log.info("order.%s", "completed", extra={"order_id": "1", "at": datetime(2026, 3, 2), "receive_count": 2})  # noqa: DTZ001

    (line,) = lines()

    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo is not None
    assert list(line.items()) == [
        ("level", "INFO"),
        ("logger", "worker.handlers"),
        ("message", "order.completed"),
        ("service", "worker"),
        ("worker_id", "w-1"),
        ("order_id", "1"),
        ("at", "2026-03-02 00:00:00"),
        ("receive_count", 2),
    ]


def test_an_exception_is_part_of_its_line(lines: Lines) -> None:
    """One object a line, however long the traceback is."""
    try:
        int("a bug")
    except ValueError:
        log.exception("message.unexpected_failure")

    (line,) = lines()

    assert line["exc_info"].startswith("Traceback")
    assert line["exc_info"].endswith("'a bug'")


def test_a_record_that_cannot_be_formatted_ends_nothing(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """As logging does it everywhere: the error is printed, the caller goes on."""
    monkeypatch.setattr(logging, "raiseExceptions", False)

    log.info("%d", "not a number")
    log.info("next")

    assert [line["message"] for line in lines()] == ["next"]


def test_no_value_loses_its_line(lines: Lines) -> None:
    """Half a surrogate pair and an integer of any size are written, too."""
    log.info("request.failed", extra={"path": "/\ud83d", "total_cents": 2**70})

    (line,) = lines()

    assert (line["path"], line["total_cents"]) == ("/\ud83d", 2**70)
