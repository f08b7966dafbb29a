"""The invocations of the upstream's functions, as far as they pass through localbus.

The result of an asynchronous invocation is not known here, so only the invocation itself is counted.
Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from localbus.metric_counts import MetricCounts

_THROTTLED: Final = 429


class FunctionName(NamedTuple):
    """A function, without its qualifier."""

    account: str
    region: str
    name: str


def function_name(arn: str) -> FunctionName:
    """Return the function of an ARN, which may end with a qualifier."""
    _, _, _, region, account, _, name, *_ = arn.split(":")
    return FunctionName(account, region, name)


class FunctionCounts:
    """The counts of all functions."""

    def __init__(self) -> None:
        self._counts: dict[FunctionName, MetricCounts] = {}
        self._running: dict[FunctionName, int] = {}

    def begin(self, function: FunctionName) -> Invocation:
        """Count the beginning of an invocation."""
        running = self._running[function] = self._running.get(function, 0) + 1
        return Invocation(self, function, running, time.perf_counter())

    def of(self, function: FunctionName) -> MetricCounts:
        """Return the counts of a function."""
        return self._counts.setdefault(function, MetricCounts())

    def ended(self, function: FunctionName) -> None:
        """Account for the end of an invocation."""
        self._running[function] -= 1

    def __iter__(self) -> Iterator[tuple[FunctionName, MetricCounts]]:
        return iter(list(self._counts.items()))


class Invocation(NamedTuple):
    """An invocation that is under way, as one of so many of its function. Exactly one of its methods ends it."""

    counts: FunctionCounts
    function: FunctionName
    running: int
    began_s: float

    def answered(self, status: int, *, failed: bool, waited: bool) -> None:
        """Count an answer: `failed` is what X-Amz-Function-Error says, `waited` that it is the function's result."""
        counts = self.counts.of(self.function)
        self.counts.ended(self.function)
        if status == _THROTTLED:
            counts.add("Throttles")
        elif status < 400:
            counts.add("Invocations")
            counts.record("ConcurrentExecutions", self.running)
            if waited:
                counts.record("Errors", int(failed))
                counts.record("Duration", (time.perf_counter() - self.began_s) * 1000)

    def timed_out(self) -> None:
        """Count a function that did not answer within the longest time that one may run."""
        self.answered(200, failed=True, waited=True)

    def not_sent(self) -> None:
        """Count nothing: the function was not reached."""
        self.counts.ended(self.function)
