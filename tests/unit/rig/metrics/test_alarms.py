"""The stack's alarms as `orderboard alarms` shows them, read from a localbus whose clock stands."""

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any, cast

import pytest
from localbus.clock import FIXED_START
from localbus.pytest_plugin import Localbus
from orderboard.cli.metrics import _print_change, render_alarms, render_dashboard
from orderboard.console.alarms import read_alarms as alarms_of_the_page
from orderboard.console.source import Source
from orderboard.errors import RigError, UsageError
from orderboard.metrics.alarms import read_alarms, read_history
from orderboard.metrics.dashboard import read_dashboard
from orderboard.metrics.sparkline import ASCII_BARS, sparkline
from orderboard.system.localbus import now_at
from orderboard.system.target import Target
from orderboard_stack.backend import Endpoint
from orderboard_stack.outputs import StackOutputs
from rich.console import Console

QUEUE = [{"Name": "QueueName", "Value": "shop-work"}]
METRICS = [
    ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "shop-work"],
    ["...", "shop-express"],
    [".", ".", ".", "shop-alerts", {"label": "alerts"}],
    [{"expression": "line0 * 2", "label": "twice"}],
]
BODY = {
    "widgets": [
        {"type": "text", "properties": {"markdown": "tea"}},
        {"type": "metric", "properties": {"annotations": {"alarms": ["arn:aws:cloudwatch:eu-west-1:1:alarm:shop"]}}},
        {"type": "metric", "properties": {"title": "Backlog", "stat": "Maximum", "period": 60, "metrics": METRICS}},
    ]
}


@pytest.fixture(scope="module")
def bus() -> Iterator[Localbus]:
    """An engine with a queue of two messages, an alarm that has gone off by them, and another stack's alarm."""
    bus = Localbus(start=FIXED_START).start()
    sqs, cloudwatch = bus.client("sqs"), bus.client("cloudwatch")
    url = sqs.create_queue(QueueName="shop-work")["QueueUrl"]
    given: dict[str, Any] = {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": QUEUE,
    }
    given |= {"Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 0}
    for name in ("shop-work", "shop-a", "other-work"):
        operator = "LessThanThreshold" if name == "shop-a" else "GreaterThanThreshold"
        cloudwatch.put_metric_alarm(AlarmName=name, AlarmDescription="Look.", ComparisonOperator=operator, **given)
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody="tea")
    cloudwatch.put_dashboard(DashboardName="shop", DashboardBody=json.dumps(BODY))
    bus.advance(120)
    yield bus
    bus.stop()


@pytest.fixture(scope="module")
def target(bus: Localbus) -> Target:
    """The stack `shop` on the engine."""
    return system(bus, "shop")


def system(bus: Localbus, name: str) -> Target:
    """Return the target of a stack with this bus."""
    return Target(Endpoint("embedded", bus.url), cast(StackOutputs, SimpleNamespace(bus_name=name)))


def output(render: Any, *args: Any, **given: Any) -> str:
    """Return what a command prints on 100 columns."""
    file = StringIO()
    render(*args, Console(file=file, width=100), **given)
    return file.getvalue()


def test_alarms_that_went_off_come_first(target: Target) -> None:
    """The stack's alarms have state, time and reason; those of other stacks are left out."""
    first, second = read_alarms(target)

    assert [(each.name, each.state) for each in (first, second)] == [("shop-work", "ALARM"), ("shop-a", "OK")]
    assert "2.0 (14/11/23 22:13:00)" in first.reason
    assert now_at(target.endpoint) - first.since == timedelta(seconds=80)


def test_a_name_without_its_prefix(target: Target) -> None:
    """An alarm is found with and without the prefix; another name is an error that lists the alarms."""
    assert read_alarms(target, "work") == read_alarms(target, "shop-work")
    with pytest.raises(UsageError, match=r"No alarm has the name tea\. The stack has: a, work\."):
        read_alarms(target, "tea")


def test_the_history_is_in_order(target: Target) -> None:
    """Changes come oldest first, and only the last ones."""
    alarms = read_alarms(target, "work")

    assert [each.summary for each in read_history(target, alarms, last=9)] == [
        'Alarm "shop-work" created',
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
    ]
    assert len(read_history(target, alarms, last=1)) == 1


def test_the_table(target: Target) -> None:
    """The table has every alarm, and below it the reason of those that went off, and the history if it is asked for."""
    alarms = read_alarms(target)
    changes = read_history(target, alarms[:1], last=9)

    def render(console: Console) -> None:
        render_alarms(alarms, changes, now_at(target.endpoint), console, with_reasons=False)

    text = output(render)

    assert "shop-work   ALARM   22:14:00, 1 min" in text
    assert text.count("Look.") == 1
    assert "2023-11-14 22:14:00 shop-work: Alarm updated from INSUFFICIENT_DATA to ALARM" in text


def test_the_consoles_alarms(target: Target, bus: Localbus) -> None:
    """The console's page gets the alarms with the seconds since their last change, by the engine's clock."""
    source = cast(Source, SimpleNamespace(reachable=lambda: target, backend_now=bus.clock.now))

    first, _ = alarms_of_the_page(source)["alarms"]

    assert (first["name"], first["state"], first["since_s"]) == ("shop-work", "ALARM", 80.0)


def test_a_change(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    """A new state while one watches is one line, or one JSON document."""
    (alarm,) = read_alarms(target, "work")

    def render(console: Console) -> None:
        _print_change(alarm, "OK", console, json_output=False)

    assert output(render).startswith(" 22:14:00 shop-work OK -> ALARM: Threshold Crossed")
    _print_change(alarm, "OK", Console(), json_output=True)
    document = json.loads(capsys.readouterr().out)
    assert (document["name"], document["before"], document["state"]) == ("shop-work", "OK", "ALARM")


def test_the_dashboards_graphs(target: Target) -> None:
    """The graphs have a value a period, for entries in full, with CloudWatch's abbreviations, and for expressions."""
    (graph,) = read_dashboard(target, end=now_at(target.endpoint), since_s=180)

    assert (graph.title, graph.stat, graph.period_s, graph.start.minute) == ("Backlog", "Maximum", 60, 12)
    assert [(each.label, each.values) for each in graph.series] == [
        ("shop-work", (None, 2.0, 2.0)),
        ("shop-express", (None, None, None)),
        ("alerts", (None, None, None)),
        ("twice", (None, 4.0, 4.0)),
    ]


def test_the_graphs_in_the_terminal(target: Target) -> None:
    """Each line is on the graph's scale, with the latest and the greatest value."""
    text = output(render_dashboard, read_dashboard(target, end=now_at(target.endpoint), since_s=180))

    lines = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.split()}
    assert lines["shop-work"] == ["▅▅", "2", "2"]
    assert lines["twice"] == ["██", "4", "4"]
    assert lines["shop-express"] == ["-", "-"]


def test_a_stack_without_a_dashboard(bus: Localbus) -> None:
    """A missing dashboard is an error that says why."""
    with pytest.raises(RigError, match="The embedded backend has no dashboard bar: its stack was deployed without one"):
        read_dashboard(system(bus, "bar"), end=now_at(system(bus, "bar").endpoint), since_s=60)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([0.0, 1.0, 8.0, None, 4.0], "_.# +"),
        ([0.0] * 5 + [8.0] * 5, "_____#####"),
        ([float(value) for value in range(20)], "..-==+*%%#"),
        ([0.001, 8.0], ".#"),
        ([None], " "),
    ],
)
def test_a_sparkline(values: list[float | None], line: str) -> None:
    """A line is as wide as allowed; what is more than nothing is seen, and a gap is a gap."""
    assert sparkline(values, max((value or 0 for value in values), default=0), 10, ASCII_BARS) == line
