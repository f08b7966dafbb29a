"""The graphs of the stack's dashboard, with their data from GetMetricData.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from orderboard.errors import RigError
from orderboard.system.target import Target

_PERIOD_S: Final = 300  # CloudWatch's default
_SAME, _SAME_START = ".", "..."


@dataclass(frozen=True)
class Series:
    """A line of a graph. `values` has one value a period, oldest first; None without data."""

    label: str
    metric: str
    values: tuple[float | None, ...]

    @property
    def latest(self) -> float | None:
        """The value of the last period with data."""
        return next((value for value in reversed(self.values) if value is not None), None)

    @property
    def highest(self) -> float | None:
        """The greatest value."""
        return max((value for value in self.values if value is not None), default=None)


@dataclass(frozen=True)
class Graph:
    """A graph: its title, its statistic, the first period and the length of each in seconds."""

    title: str
    stat: str
    period_s: int
    start: datetime
    series: tuple[Series, ...]

    def document(self) -> dict[str, object]:
        """The graph as JSON."""
        return asdict(self) | {"start": self.start.isoformat()}


def read_dashboard(target: Target, *, end: datetime, since_s: float) -> list[Graph]:
    """Return the graphs of the stack's dashboard for this time up to `end`. Raises RigError if there is none."""
    name = target.outputs.bus_name
    try:
        body = target.cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]
    except ClientError as exc:
        if exc.response["Error"]["Code"] not in ("ResourceNotFound", "NotImplemented", "InternalFailure"):
            raise
        text = f"The {target.endpoint.name} backend has no dashboard {name}"
        raise RigError(f"{text}: its stack was deployed without one, or its CloudFormation makes none.") from exc
    widgets = [each["properties"] for each in json.loads(body).get("widgets", []) if each["type"] == "metric"]
    return [_graph(target, each, end, since_s) for each in widgets if each.get("metrics")]  # without: an alarm's graph


def _graph(target: Target, properties: Mapping[str, Any], end: datetime, since_s: float) -> Graph:
    stat, period_s = str(properties.get("stat", "Average")), int(properties.get("period", _PERIOD_S))
    last = int(end.timestamp() // period_s) * period_s
    count = max(1, round(since_s / period_s))
    start = datetime.fromtimestamp(last - count * period_s, end.tzinfo)
    lines = list(_lines(properties["metrics"], stat, period_s))
    answer = target.cloudwatch.get_metric_data(
        MetricDataQueries=[line.query for line in lines],  # type: ignore[misc]
        StartTime=start,
        EndTime=start + timedelta(seconds=count * period_s),
        ScanBy="TimestampAscending",
    )
    data = {
        each["Id"]: dict(zip(each["Timestamps"], each["Values"], strict=True)) for each in answer["MetricDataResults"]
    }
    series = tuple(
        Series(line.label, line.metric, _by_period(data[line.query["Id"]], start, period_s, count))
        for line in lines
        if line.query.get("ReturnData", True)
    )
    return Graph(str(properties.get("title", "")), stat, period_s, start, series)


def _by_period(
    values: Mapping[datetime, float], start: datetime, period_s: int, count: int
) -> tuple[float | None, ...]:
    places = {int((at - start).total_seconds() // period_s): value for at, value in values.items()}
    return tuple(places.get(place) for place in range(count))


@dataclass(frozen=True)
class _Line:
    query: dict[str, Any]
    label: str
    metric: str


def _lines(metrics: Sequence[Sequence[Any]], stat: str, period_s: int) -> Iterator[_Line]:
    """Yield a query for each entry of a widget. A line is named by what differs: the resource, or the metric."""
    entries = _complete_entries(metrics)
    is_one_metric = len({names[1] for names, _ in entries if names}) == 1
    for place, (names, options) in enumerate(entries):
        query: dict[str, Any] = {"Id": options.get("id", f"line{place}"), "ReturnData": options.get("visible", True)}
        if not names:
            expression = str(options["expression"])
            query |= {"Expression": expression, "Period": period_s}
            yield _Line(query, str(options.get("label", expression)), expression)
            continue
        namespace, metric, *rest = names
        dimensions = [{"Name": name, "Value": value} for name, value in zip(rest[::2], rest[1::2], strict=True)]
        named = {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions}
        chosen = {"Period": int(options.get("period", period_s)), "Stat": str(options.get("stat", stat))}
        label = str(options.get("label", rest[-1] if rest and is_one_metric else metric))
        yield _Line(query | {"MetricStat": {"Metric": named, **chosen}}, label, metric)


def _complete_entries(metrics: Sequence[Sequence[Any]]) -> list[tuple[list[str], dict[str, Any]]]:
    """Return names and options of each entry. In it "." stands for the same as before, "..." for the same start."""
    found: list[tuple[list[str], dict[str, Any]]] = []
    before: list[str] = []
    for entry in metrics:
        options = dict(entry[-1]) if entry and isinstance(entry[-1], dict) else {}
        if "expression" in options:
            found.append(([], options))
            continue
        before = _complete([str(part) for part in entry if not isinstance(part, dict)], before)
        found.append((before, options))
    return found


def _complete(names: list[str], before: list[str]) -> list[str]:
    if names[:1] == [_SAME_START]:
        names = [*before[: len(before) - len(names) + 1], *names[1:]]
    return [before[place] if name == _SAME and place < len(before) else name for place, name in enumerate(names)]
