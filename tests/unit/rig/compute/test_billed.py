"""The invocations of a function, read from its log as AWS, LocalStack and MiniStack write it."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from orderboard.compute import billed
from orderboard.compute.billed import invocations
from orderboard.system.target import Target

# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
REPORT = (
    "REPORT RequestId: {0}\tDuration: {1} ms\tBilled Duration: {2} ms\tMemory Size: 512 MB\tMax Memory Used: {3} MB"
)


def handled(*, cold: bool, processor_ms: float = 4.0) -> str:
    """The function's line about a batch."""
    entry = {"timestamp": "2026-11-30T02:00:00Z", "message": "batch.handled", "messages": 3}
    return json.dumps(entry | {"cold": cold, "processor_ms": processor_ms})


def target(*looks: list[tuple[str, str]]) -> Target:
    """A target whose log has these events, each with its stream, at each look; the last look stays."""
    left = list(looks)

    def paginate(*, logGroupName: str, startTime: int) -> list[dict[str, Any]]:  # noqa: N803
        assert (logGroupName, startTime) == ("/aws/lambda/cafe-worker", 5000)
        events = left.pop(0) if len(left) > 1 else left[0]
        return [{"events": [{"logStreamName": stream, "message": message} for stream, message in events]}]

    client = SimpleNamespace(get_paginator=lambda _name: SimpleNamespace(paginate=paginate))
    return cast(
        "Target",
        SimpleNamespace(
            logs=client,
            outputs=SimpleNamespace(worker_function="cafe-worker"),
        ),
    )


def test_reports_are_counted_warm_and_cold_apart() -> None:
    """A report with an Init Duration is cold, and so is one after a first batch, where a backend reports none."""
    init = "\tInit Duration: 412.53 ms"
    log = [
        ("s1", "START RequestId: a Version: $LATEST"),
        ("s1", handled(cold=True, processor_ms=300)),
        ("s1", REPORT.format("a", "700.00", "700", "80") + init),
        ("s1", handled(cold=False)),
        ("s1", REPORT.format("b", "12.34", "13", "81")),
        ("s2", handled(cold=True)),
        ("s1", handled(cold=False, processor_ms=6)),
        ("s2", REPORT.format("c", "900", "900", "95")),
        ("s1", REPORT.format("d", "20.5", "21", "82")),
    ]

    found = invocations(target(log), 5.0)

    assert (found.count, found.cold) == (4, 2)
    assert (found.warm_billed_ms, found.cold_billed_ms) == (34, 1600)
    assert (found.warm_ms, found.processor_ms) == (17, 5)
    assert found.most_memory_mb == 95


def test_an_invocation_that_failed_is_billed_too() -> None:
    """It has a report and no line about a batch."""
    found = invocations(target([("s1", REPORT.format("a", "5000.00", "5000", "80") + "\tStatus: timeout")]), 5.0)

    assert (found.count, found.cold, found.warm_billed_ms) == (1, 0, 5000)


def test_lines_of_others_are_no_batches() -> None:
    """Text that only mentions the event, in JSON or not, counts for nothing."""
    log = [("s1", 'the "batch.handled" line'), ("s1", '["batch.handled"]'), ("s1", "REPORT nothing")]

    assert invocations(target(log), 5.0).count == 0


def test_reports_that_are_late_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudWatch has lines some seconds later, in any order: every handled batch must have its report."""
    monkeypatch.setattr(billed, "_POLL_S", 0)
    line, report = ("s1", handled(cold=False)), ("s1", REPORT.format("a", "9.1", "10", "80"))

    assert invocations(target([line], [line], [line, report]), 5.0).count == 1


def test_a_report_that_never_comes_is_waited_for_no_longer_than_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The count is then what is there."""
    monkeypatch.setattr(billed, "_COMPLETE_WITHIN_S", 0)

    assert invocations(target([("s1", handled(cold=False))]), 5.0).count == 0
