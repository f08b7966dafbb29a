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
_DEEPEST: Final = 50  # references; CloudWatch documents no limit
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
    _check_references({query["Id"]: _checked(query, ids) for query in queries})


def _check_references(references: Mapping[str, set[str]]) -> None:
    """Raise AwsError if expressions refer to each other in a circle, or through too many others."""
    known: set[str] = set()
    for _ in range(_DEEPEST):
        open_ids = references.keys() - known
        if not open_ids:
            return
        resolved = {one for one in open_ids if references[one] <= known}
        if not resolved:
            raise invalid(f"The expressions {', '.join(sorted(open_ids))} refer to themselves, or to one that does.")
        known |= resolved
    raise invalid(f"An expression refers to others through more than {_DEEPEST} of them.")


def _checked(query: Params, ids: Sequence[str]) -> set[str]:
    """Return the ids to which a valid query refers. Raises AwsError."""
    if ("MetricStat" in query) == ("Expression" in query):
        raise invalid(f"The query {query['Id']} must have either MetricStat or Expression.")
    if "Expression" in query:
        named = Expression(query["Expression"]).ids
        unknown = named - set(ids)
        if unknown:
            raise invalid(
                f"The expression {query['Expression']!r} names {', '.join(sorted(unknown))}: no query has it."
            )
        return named
    stat = query["MetricStat"]
    if not {"Namespace", "MetricName"} <= stat["Metric"].keys():
        raise invalid(f"The metric of the query {query['Id']} must have Namespace and MetricName.")
    check_period(stat["Period"])
    check_statistic(stat["Stat"])
    return set()


def metric_of(given: Mapping[str, Any], owner: Owner) -> MetricId:
    """Return the metric that a request names."""
    return MetricId(*owner, given["Namespace"], given["MetricName"], dimensions_of(given.get("Dimensions", ())))


def periods_of(start: float, end: float, period_s: int, anchor: int = 0) -> range:
    """Return the starts of the periods in the range, whole ones: the first contains the start, the last the end."""
    first = int((start - anchor) // period_s) * period_s + anchor
    return range(first, first + math.ceil((end - first) / period_s) * period_s, period_s)


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
            if "MetricStat" in query:
                self._found[query_id] = self._metric(query["MetricStat"])
            else:
                self._found[query_id] = self._expression(query_id, query["Expression"])
        return self._found[query_id]

    def _metric(self, stat: Params) -> TimeSeries:
        metric, period_s = metric_of(stat["Metric"], self._owner), stat["Period"]
        points = self._store.points(metric, stat.get("Unit"), self._periods(period_s))
        values = {at: statistic(point, stat["Stat"]) for at, point in points.items()}
        return {at: value for at, value in values.items() if value is not None}

    def _periods(self, period_s: int) -> range:
        return periods_of(self._start, self._end, period_s, self._anchor)

    def _expression(self, query_id: str, text: str) -> TimeSeries:
        period_s = self.period_s(query_id)
        values: dict[str, Value] = {}
        expression = Expression(text)
        wanted = [one for one, query in self._by_id.items() if expression.uses_metrics and "MetricStat" in query]
        for one in (*expression.ids, *wanted):
            values[one] = self.series(one)
        return expression.evaluate(values, wanted, period_s, self._periods(period_s))
