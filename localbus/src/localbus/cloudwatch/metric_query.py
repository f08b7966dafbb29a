"""Queries of GetMetricData, of dashboards' graphs and of alarms: metrics, and expressions over them.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from localbus.cloudwatch.errors import invalid
from localbus.cloudwatch.metric import MINUTE_S, MetricId, dimensions_of
from localbus.cloudwatch.metric_math import Expression, TimeSeries, Value
from localbus.cloudwatch.metric_store import MetricStore
from localbus.cloudwatch.statistics import check_statistic, statistic
from localbus.protocol.service_model import Params

MAX_QUERIES: Final = 500
_ID: Final = re.compile(r"[a-z][A-Za-z0-9_]{0,254}")
_SHORT_PERIODS_S: Final = (1, 5, 10, 20, 30)


class Owner(NamedTuple):
    """The account and region whose metrics a query reads."""

    account: str
    region: str


def check_period(period_s: int) -> None:
    """Raise AwsError unless the period is one that CloudWatch has."""
    if period_s not in _SHORT_PERIODS_S and period_s % MINUTE_S:
        raise invalid(f"Period must be 1, 5, 10, 20, 30 or a multiple of 60; {period_s} is none of them.")


def check_queries(queries: Sequence[Params]) -> None:
    """Raise AwsError for a query that is not valid."""
    ids = [query["Id"] for query in queries]
    if len(ids) > MAX_QUERIES:
        raise invalid(f"A request has at most {MAX_QUERIES} queries; this one has {len(ids)}.")
    for query_id in ids:
        if not _ID.fullmatch(query_id):
            raise invalid(f"The id {query_id!r} must begin with a lower-case letter, with letters, digits, _ after it.")
        if ids.count(query_id) > 1:
            raise invalid(f"The id {query_id} is not unique.")
    for query in queries:
        _check(query, ids)


def _check(query: Params, ids: Sequence[str]) -> None:
    if ("MetricStat" in query) == ("Expression" in query):
        raise invalid(f"The query {query['Id']} must have either MetricStat or Expression.")
    if "Expression" in query:
        unknown = Expression(query["Expression"]).ids - set(ids)
        if unknown:
            raise invalid(
                f"The expression {query['Expression']!r} names {', '.join(sorted(unknown))}: no query has it."
            )
        return
    stat = query["MetricStat"]
    if not {"Namespace", "MetricName"} <= stat["Metric"].keys():
        raise invalid(f"The metric of the query {query['Id']} must have Namespace and MetricName.")
    check_period(stat["Period"])
    check_statistic(stat["Stat"])


def metric_of(given: Mapping[str, Any], owner: Owner) -> MetricId:
    """Return the metric that a request names."""
    return MetricId(*owner, given["Namespace"], given["MetricName"], dimensions_of(given.get("Dimensions", ())))


class Queries:
    """The queries of one request over the periods that start at these times, computed where needed."""

    def __init__(
        self, store: MetricStore, owner: Owner, queries: Sequence[Params], *, start: float, end: float, anchor: int = 0
    ) -> None:
        """Periods start at multiples of the period after `anchor`."""
        self._store = store
        self._owner = owner
        self._by_id = {query["Id"]: query for query in queries}
        self._start, self._end, self._anchor = start, end, anchor
        self._found: dict[str, TimeSeries] = {}
        self._open: list[str] = []

    def period_s(self, query_id: str) -> int:
        """Return the period of a query: of an expression, that of the metrics in it."""
        query = self._by_id[query_id]
        if "MetricStat" in query:
            period_s: int = query["MetricStat"]["Period"]
            return period_s
        if "Period" in query:
            given: int = query["Period"]
            return given
        periods = [query["MetricStat"]["Period"] for query in self._by_id.values() if "MetricStat" in query]
        return max(periods, default=MINUTE_S)

    def series(self, query_id: str) -> TimeSeries:
        """Return the values of a query by the start of their period."""
        if query_id not in self._found:
            query = self._by_id[query_id]
            if query_id in self._open:
                raise invalid(f"The expression {query['Expression']!r} refers to itself.")
            self._open.append(query_id)
            if "MetricStat" in query:
                self._found[query_id] = self._metric(query["MetricStat"])
            else:
                self._found[query_id] = self._expression(query_id, query["Expression"])
            self._open.pop()
        return self._found[query_id]

    def _metric(self, stat: Params) -> TimeSeries:
        metric, period_s = metric_of(stat["Metric"], self._owner), stat["Period"]
        found: TimeSeries = {}
        for at in self._times(period_s):
            point = self._store.point(metric, stat.get("Unit"), at, period_s)
            value = statistic(point, stat["Stat"]) if point is not None else None
            if value is not None:
                found[at] = value
        return found

    def _times(self, period_s: int) -> range:
        """Return the starts of the periods in the range. The first is the one that contains the start."""
        first = int((self._start - self._anchor) // period_s) * period_s + self._anchor
        return range(first, math.ceil(self._end), period_s)

    def _expression(self, query_id: str, text: str) -> TimeSeries:
        period_s = self.period_s(query_id)
        values: dict[str, Value] = {}
        expression = Expression(text)
        wanted = [one for one, query in self._by_id.items() if expression.uses_metrics and "MetricStat" in query]
        for one in (*expression.ids, *wanted):
            values[one] = self.series(one)
        return expression.evaluate(values, wanted, period_s, list(self._times(period_s)))
