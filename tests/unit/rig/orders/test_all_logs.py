"""All logs of a system: files and log groups, read once and then what is new, and the lines of one order."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from orderboard.cli.logs import _check_services
from orderboard.errors import UsageError
from orderboard.orders.all_logs import LogFiles, LogGroups, OfOrder, chosen, read_all
from orderboard.orders.service_logs import LogLine

ORDER, OTHER = "3f2a1b9c-0000-4000-8000-000000000001", "3f2a1b9c-0000-4000-8000-000000000002"
EVENT = '{"_aws":{"Timestamp":1,"CloudWatchMetrics":[]},"service":"notifier"}'


def entry(second: int, message: str, level: str = "INFO", **fields: object) -> str:
    """A line as a service logs it."""
    at = f"2026-01-05T08:00:{second:02}+00:00"
    return json.dumps({"timestamp": at, "level": level, "service": "worker", "message": message, **fields}) + "\n"


def line(message: str, order_id: str = "", trace_id: str = "", level: str = "INFO", who: str = "worker-1") -> LogLine:
    """A line that was read."""
    ids = {"trace_id": trace_id} if trace_id else {}
    return LogLine(datetime(2026, 1, 5, tzinfo=UTC), "worker", level, message, {"worker_id": who}, ids, order_id)


class FakeLogs:
    """CloudWatch Logs with pages of two, as DescribeLogGroups and FilterLogEvents have them."""

    def __init__(self) -> None:
        self.groups: dict[str, list[tuple[int, str]]] = {}
        self.requests: list[dict[str, Any]] = []
        self.failure: Exception | None = None

    def get_paginator(self, operation: str) -> Any:
        """Return an object with `paginate`."""
        logs = self

        class Paginator:
            def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
                if operation == "describe_log_groups":
                    yield {"logGroups": [{"logGroupName": name} for name in logs.groups]}
                    return
                if logs.failure is not None:
                    raise logs.failure
                logs.requests.append(request)
                events = [
                    {"timestamp": at, "message": text, "logStreamName": "s"}
                    for at, text in logs.groups[request["logGroupName"]]
                    if at >= request.get("startTime", 0)
                ]
                for start in range(0, len(events) + 1, 2):
                    yield {"events": events[start : start + 2]}

        return Paginator()


def test_files_are_read_on_from_where_the_last_read_ended(tmp_path: Path) -> None:
    """Each line is returned once, one that is half written when it is whole; a new file is read from its beginning."""
    path, files = tmp_path / "worker-1.log", LogFiles(tmp_path)
    first, second = entry(1, "order.completed"), entry(2, "order.rejected")
    path.write_text(first + second[:20])
    (tmp_path / "backend.log").write_text(entry(1, "not of a service"))

    assert [each.event for each in files.read()] == ["order.completed"]
    path.write_text(first + second)
    assert [each.event for each in files.read()] == ["order.rejected"]
    path.write_text(entry(3, "again"))
    (tmp_path / "order-api.log").write_text(entry(4, "api.listening"))
    assert [each.event for each in read_all([files])] == ["again", "api.listening"]
    assert files.read() == []


def test_what_a_service_does_not_log_itself_is_an_error_at_the_time_of_the_line_before(tmp_path: Path) -> None:
    """The interpreter's own lines, such as the reason of a crash, have no time."""
    (tmp_path / "worker-1.log").write_text(
        entry(1, "order.completed") + "Fatal Python error: Aborted\n" + "[" * 9000 + "\n"
    )

    lines = LogFiles(tmp_path).read()

    assert [each.level for each in lines] == ["INFO", "ERROR", "ERROR"]
    assert lines[1].event == "Fatal Python error: Aborted"
    assert lines[0].at == lines[1].at


def test_log_groups_of_the_stack_by_their_service() -> None:
    """Functions and tasks of this stack; other stacks' groups are not read."""
    logs = FakeLogs()
    for name in (
        "/aws/lambda/cafe-notifier",
        "/ecs/cafe-order-api",
        "/aws/lambda/cafe2-notifier",
        "/aws/lambda/my-cafe-x",
    ):
        logs.groups[name] = [(1_000, "hello")]

    lines = LogGroups(logs, "cafe").read()

    assert sorted((each.service, each.event) for each in lines) == [("notifier", "hello"), ("order-api", "hello")]


def test_the_lines_of_lambda_itself_and_metrics_are_left_out() -> None:
    """Lambda's START, END and REPORT are not of an order; what it logs of a failure is an error."""
    logs = FakeLogs()
    timeout = "2026-01-05T08:00:00.000Z 1-2 Task timed out after 3.00 seconds"
    texts = (
        "START RequestId: 1",
        entry(1, "alert.published"),
        EVENT,
        "[ERROR] boom\nTraceback",
        timeout,
        "plain",
        "END R",
    )
    logs.groups["/aws/lambda/cafe-notifier"] = [(number, text) for number, text in enumerate(texts)]

    lines = LogGroups(logs, "cafe").read()

    assert [(each.level, each.event) for each in lines] == [
        ("INFO", "alert.published"),
        ("ERROR", "[ERROR] boom\nTraceback"),
        ("ERROR", timeout),
        ("INFO", "plain"),
    ]


def test_events_that_come_late_are_read_and_none_twice() -> None:
    """A read overlaps the one before, as CloudWatch Logs shows an event some seconds after its time."""
    logs = FakeLogs()
    group = logs.groups["/aws/lambda/cafe-notifier"] = [(50_000, "a"), (60_000, "b"), (60_000, "b")]
    reader = LogGroups(logs, "cafe", since_ms=40_000, pattern='"x"')

    assert [each.event for each in reader.read()] == ["a", "b", "b"]
    group[1:1] = [(55_000, "late")]
    group.append((61_000, "c"))
    assert sorted(each.event for each in reader.read()) == ["c", "late"]
    assert reader.read() == []
    assert [each["startTime"] for each in logs.requests] == [40_000, 50_000, 51_000]
    assert {each["filterPattern"] for each in logs.requests} == {'"x"'}


def test_a_backend_that_is_started_again_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost meanwhile. One that does not answer the first read, or stays away, is an error."""
    logs, away = FakeLogs(), EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    group = logs.groups["/aws/lambda/cafe-notifier"] = [(1_000, "a")]
    reader = LogGroups(logs, "cafe")
    logs.failure = away
    with pytest.raises(EndpointConnectionError):
        reader.read()

    logs.failure = None
    assert [each.event for each in reader.read()] == ["a"]
    logs.failure = away
    group.append((2_000, "b"))
    assert reader.read() == []
    logs.failure = None
    assert [each.event for each in reader.read()] == ["b"]

    logs.failure = away
    monkeypatch.setattr("orderboard.orders.all_logs._RESTARTS_WITHIN_S", -1.0)
    with pytest.raises(EndpointConnectionError):
        reader.read()


def test_the_lines_of_an_order_are_those_with_its_id_and_those_of_its_trace() -> None:
    """A line that was logged before its order was known counts; one of another order in the same trace does not."""
    of_order = OfOrder(ORDER)

    found = of_order([line("early", "", "t1"), line("a", ORDER, "t1"), line("b", OTHER, "t1"), line("c", "", "t2")])

    assert [each.event for each in found] == ["early", "a"]
    assert [each.event for each in of_order([line("later", "", "t1")])] == ["later"]


def test_lines_by_service_and_by_level() -> None:
    """A worker is chosen by its name or with all others; a level includes those above it."""
    warning = line("message.retry_scheduled", level="WARNING")

    assert chosen([], "WARNING")(warning)
    assert not chosen([], "ERROR")(warning)
    assert chosen(["worker-1"], "DEBUG")(warning)
    assert chosen(["worker", "notifier"], "DEBUG")(warning)
    assert not chosen(["worker-2"], "DEBUG")(warning)


def test_a_service_that_has_not_logged_is_not_a_wrong_name() -> None:
    """The notifier is silent about most orders; an unknown name is refused, with those that have lines."""
    _check_services(["notifier"], [line("order.completed")])

    with pytest.raises(UsageError, match=r"No log line is of notifer\. There are lines of worker, worker-1"):
        _check_services(["notifer"], [line("order.completed")])
