"""The invocations of a function, from its log: the REPORT line of each is what Lambda bills by.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
"""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from orderboard.compute.model import Invocations
from orderboard.orders.service_logs import parsed_entry
from orderboard.system.target import Target

_REPORT: Final = re.compile(
    r"^REPORT RequestId: \S+\s+Duration: [\d.]+ ms\s+Billed Duration: (?P<billed>[\d.]+) ms\s+"
    r"Memory Size: \d+ MB\s+Max Memory Used: (?P<memory>\d+) MB(?:\s+Init Duration: (?P<init>[\d.]+) ms)?"
)
# Log events arrive late on AWS.
_COMPLETE_WITHIN_S: Final = 60.0
_POLL_S: Final = 2.0
_HANDLED: Final = '"batch.handled"'


def invocations(target: Target, since_s: float) -> Invocations:
    """Read the invocations of the worker's function since a time, once the log has a REPORT for each handled batch."""
    events = target.logs.get_paginator("filter_log_events")
    group = f"/aws/lambda/{target.outputs.worker_function}"
    until = time.monotonic() + _COMPLETE_WITHIN_S
    while True:
        found = _Counts()
        pages = events.paginate(logGroupName=group, startTime=int(since_s * 1000))
        found.read((event["logStreamName"], event["message"]) for page in pages for event in page["events"])
        if found.complete or time.monotonic() >= until:
            return found.invocations()
        time.sleep(_POLL_S)


@dataclass
class _Counts:
    warm_ms: float = 0.0
    cold_ms: float = 0.0
    count: int = 0
    cold: int = 0
    handled: int = 0
    most_memory_mb: int = 0
    warm_processor_ms: float = 0.0
    _cold_streams: set[str] = field(default_factory=set)

    @property
    def complete(self) -> bool:
        return self.count >= self.handled

    def read(self, events: Iterable[tuple[str, str]]) -> None:
        """Read log events, each with its stream. In a stream, the report of an invocation follows its own lines."""
        for stream, message in events:
            if _HANDLED in message and (batch := parsed_entry(message)) is not None:
                self.handled += 1
                if batch.get("cold") is True:
                    self._cold_streams.add(stream)
                else:
                    self.warm_processor_ms += float(batch.get("processor_ms", 0.0))
            elif (report := _REPORT.match(message)) is not None:
                self._add(report, cold=report["init"] is not None or stream in self._cold_streams)
                self._cold_streams.discard(stream)

    def _add(self, report: "re.Match[str]", *, cold: bool) -> None:
        self.count += 1
        self.cold += cold
        if cold:
            self.cold_ms += float(report["billed"])
        else:
            self.warm_ms += float(report["billed"])
        self.most_memory_mb = max(self.most_memory_mb, int(report["memory"]))

    def invocations(self) -> Invocations:
        return Invocations(
            count=self.count,
            cold=self.cold,
            warm_billed_ms=self.warm_ms,
            cold_billed_ms=self.cold_ms,
            warm_processor_ms=round(self.warm_processor_ms, 1),
            most_memory_mb=self.most_memory_mb,
        )
