"""The services' logs: the lines about an order or a message."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

_IDS: Final = ("correlation_id", "event_id", "bus_event_id", "message_id", "trace_id", "span_id")
# Fields that every line has, and ids that are kept apart.
_NO_FIELDS: Final = frozenset(
    (*("timestamp", "level", "message", "service", "logger", "taskName", "order_id"), *_IDS),
)


@dataclass(frozen=True)
class LogLine:
    """A line that a service logged."""

    at: datetime
    service: str
    level: str
    event: str
    fields: dict[str, Any]
    ids: dict[str, str] = field(default_factory=dict)
    order_id: str = ""

    @property
    def who(self) -> str:
        """The service, or the worker among several."""
        return str(self.fields.get("worker_id", self.service))

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        known = {"timestamp": self.at.isoformat(), "service": self.service, "level": self.level, "message": self.event}
        return known | ({"order_id": self.order_id} if self.order_id else {}) | self.fields | self.ids


def logged_order_ids(logs_dir: Path, start: str) -> set[str]:
    """The ids that start with this text in the services' logs."""
    logged = (str(entry.get("order_id", "")) for _, entry in _entries(logs_dir, [start]))
    return {each for each in logged if each.startswith(start)}


def acceptances(logs_dir: Path, since: datetime) -> list[tuple[str, datetime]]:
    """Return the id of each order that order-api answered 202 from this time on, and when; a repeat is listed again."""
    found = (
        (str(entry["order_id"]), datetime.fromisoformat(entry["timestamp"]))
        for _, entry in _entries(logs_dir, ['"order.accepted"'])
        if "order_id" in entry
    )
    return [(order_id, at) for order_id, at in found if at >= since]


def log_lines(logs_dir: Path, names: Sequence[str]) -> list[LogLine]:
    """The lines of the services' logs with one of these ids as the value of a field, oldest first."""
    found = (
        log_line(entry, service)
        for service, entry in _entries(logs_dir, names)
        if any(name in value for value in map(_values, entry.values()) for name in names)
    )
    return sorted(found, key=lambda line: line.at)


def _values(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else (value,)


def _entries(logs_dir: Path, texts: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The lines that contain one of these texts, parsed, each with the name of its file."""
    for path in sorted(logs_dir.glob("*.log")):
        with path.open(errors="replace") as lines:
            for line in lines:
                if not any(text in line for text in texts):
                    continue
                if (entry := parsed_entry(line)) is not None:
                    yield path.stem, entry


def parsed_entry(line: str) -> dict[str, Any] | None:
    """Parse a line of a service's log; None for anything else, such as a traceback."""
    try:
        entry = json.loads(line)
        datetime.fromisoformat(entry["timestamp"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def log_line(entry: dict[str, Any], default_service: str) -> LogLine:
    """Return a parsed line of a service's log."""
    return LogLine(
        at=datetime.fromisoformat(entry["timestamp"]).astimezone(),
        service=str(entry.get("service", default_service)),
        level=str(entry.get("level", "")),
        event=str(entry.get("message", "")),
        fields={name: value for name, value in entry.items() if name not in _NO_FIELDS},
        ids={name: str(entry[name]) for name in _IDS if name in entry},
        order_id=str(entry.get("order_id", "")),
    )
