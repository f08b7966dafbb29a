"""All logs of a system: its processes' files and, in CloudWatch Logs, those of its functions and tasks.

A reader returns what is new since its last read, so one read shows the past and further reads follow.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from orderboard.orders.service_logs import LogLine, log_line, parsed_entry
from orderboard.system.target import AWS_ERRORS

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# Files of the state folder that are of no service.
_NO_SERVICES: Final = frozenset(("backend", "console"))
# CloudWatch Logs may show an event some seconds after its time.
_OVERLAP_MS: Final = 10_000
_GROUPS_EVERY_S: Final = 10.0
_RESTARTS_WITHIN_S: Final = 15.0
# Lambda's own lines: what it began and ended, and a metric in the embedded format, which the dashboard has.
_PLATFORM: Final = re.compile(r"(START|END|REPORT|INIT_START|EXTENSION|RESTORE_START|RESTORE_REPORT)\b")
_FAILED: Final = re.compile(r"\[ERROR\]|Traceback|.* Task timed out after ")


class Reader(Protocol):
    """A source of log lines."""

    def read(self) -> list[LogLine]:
        """Return the lines that are new since the last read, in any order."""


@dataclass
class LogFiles:
    """The logs of the processes that run here. A process that is started again goes on in its file."""

    folder: Path
    _offsets: dict[Path, int] = field(default_factory=dict, init=False)

    def read(self) -> list[LogLine]:
        """Return the new lines."""
        return [line for path in sorted(self.folder.glob("*.log")) for line in self._read(path)]

    def _read(self, path: Path) -> Iterator[LogLine]:
        if path.stem in _NO_SERVICES:
            return
        size = path.stat().st_size
        offset = self._offsets.get(path, 0)
        if size < offset:  # another file by this name
            offset = 0
        at: datetime | None = None
        with path.open("rb") as file:
            file.seek(offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # it is being written
                offset += len(line)
                text = line.decode(errors="replace").rstrip()
                if (entry := parsed_entry(text)) is not None:
                    found = log_line(entry, path.stem)
                    at = found.at
                    yield found
                elif text:  # what a service does not log itself: a crash, or why it did not start
                    at = at or datetime.fromtimestamp(path.stat().st_mtime, UTC).astimezone()
                    yield LogLine(at, path.stem, "ERROR", text, {})
        self._offsets[path] = offset


@dataclass
class LogGroups:
    """The log groups of a stack's functions and tasks: those named prefix-service, whatever comes before.

    since_ms: the earliest event to read. pattern: a filter pattern of CloudWatch Logs, to read less.
    """

    client: Any
    prefix: str
    since_ms: int = 0
    pattern: str = ""
    _groups: dict[str, str] = field(default_factory=dict, init=False)
    _groups_at_s: float = field(default=float("-inf"), init=False)
    _read_at_s: float = field(default=float("-inf"), init=False)
    _newest_ms: dict[str, int] = field(default_factory=dict, init=False)
    _seen: dict[tuple[str, ...], int] = field(default_factory=dict, init=False)

    def read(self) -> list[LogLine]:
        """Return the new events. Once it has read, a backend may be away for some seconds: it is started again."""
        lines: list[LogLine] = []
        try:
            if time.monotonic() >= self._groups_at_s + _GROUPS_EVERY_S:
                self._groups, self._groups_at_s = self._services(), time.monotonic()
            for group, service in self._groups.items():
                lines += self._read(group, service)
        except AWS_ERRORS:
            if time.monotonic() > self._read_at_s + _RESTARTS_WITHIN_S:
                raise
        else:
            self._read_at_s = time.monotonic()
        return lines

    def _services(self) -> dict[str, str]:
        """Return the service of each log group."""
        pages = self.client.get_paginator("describe_log_groups").paginate()
        named = re.compile(rf"(?:.*/)?{re.escape(self.prefix)}-(?P<service>[a-z][a-z-]*)")
        names = [group["logGroupName"] for page in pages for group in page["logGroups"]]
        return {name: found["service"] for name in names if (found := named.fullmatch(name))}

    def _read(self, group: str, service: str) -> list[LogLine]:
        lines: list[LogLine] = []
        newest_ms = self._newest_ms.get(group, 0)
        request: dict[str, Any] = {"logGroupName": group}
        if start_ms := max(self.since_ms, newest_ms - _OVERLAP_MS):
            request["startTime"] = start_ms
        if self.pattern:
            request["filterPattern"] = self.pattern
        now_seen: dict[tuple[str, ...], int] = {}
        for page in self.client.get_paginator("filter_log_events").paginate(**request):
            for event in page["events"]:
                text, at_ms = event["message"].rstrip(), event["timestamp"]
                newest_ms = max(newest_ms, at_ms)
                # MiniStack's events have no id.
                key = (group, event.get("eventId") or f"{event.get('logStreamName')} {at_ms} {text}")
                now_seen[key] = now_seen.get(key, 0) + 1
                if now_seen[key] > self._seen.get(key, 0) and (line := _event(text, at_ms, service)) is not None:
                    lines.append(line)
        self._newest_ms[group] = newest_ms
        self._seen = {key: count for key, count in self._seen.items() if key[0] != group} | now_seen
        return lines


def _event(text: str, at_ms: int, service: str) -> LogLine | None:
    """Return a log event as a line; None for those that Lambda itself writes, and for metrics."""
    if (entry := parsed_entry(text)) is not None:
        return log_line(entry, service)
    if not text or _PLATFORM.match(text) or text.startswith(('{"_aws":', '{"time":')):
        return None
    level = "ERROR" if _FAILED.match(text) else "INFO"
    return LogLine(datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(), service, level, text, {})


@dataclass
class OfOrder:
    """Selects the lines of one order: those with its id, and those of its trace that are of no other order.

    A service may log within an order's trace before it knows which order it is about.
    """

    order_id: str
    _traces: set[str] = field(default_factory=set, init=False)

    def __call__(self, lines: Sequence[LogLine]) -> list[LogLine]:
        """Return the lines of the order."""
        own = [line for line in lines if line.order_id == self.order_id]
        self._traces.update(line.ids["trace_id"] for line in own if "trace_id" in line.ids)
        return [
            line
            for line in lines
            if line.order_id == self.order_id or (not line.order_id and line.ids.get("trace_id") in self._traces)
        ]


def chosen(services: Sequence[str], level: str) -> Callable[[LogLine], bool]:
    """Return whether a line is of one of these services (or workers; all if none is named) and at least of a level."""
    least = LEVELS.index(level)

    def is_chosen(line: LogLine) -> bool:
        rank = LEVELS.index(line.level) if line.level in LEVELS else LEVELS.index("INFO")
        return rank >= least and (not services or not {line.service, line.who}.isdisjoint(services))

    return is_chosen


def read_all(readers: Sequence[Reader]) -> list[LogLine]:
    """Return the new lines of all readers, merged by time."""
    return sorted((line for reader in readers for line in reader.read()), key=lambda line: line.at)
