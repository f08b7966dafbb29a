"""JSON logs: the fields of a line, and the moment at which it is written."""

import asyncio
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


async def test_lines_of_a_turn_are_written_together_and_a_warning_at_once(lines: Lines) -> None:
    """At the end of the loop's turn nothing waits any more, and the order of the lines stays."""
    log.info("one")
    log.info("two")
    assert not lines()
    log.warning("three")
    assert [line["message"] for line in lines()] == ["one", "two", "three"]

    log.info("four")
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert [line["message"] for line in lines()] == ["four"]


def test_a_record_that_cannot_be_formatted_ends_nothing(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """As logging does it everywhere: the error is printed, the caller goes on."""
    monkeypatch.setattr(logging, "raiseExceptions", False)

    log.info("%d", "not a number")
    log.info("next")

    assert [line["message"] for line in lines()] == ["next"]
