"""The services' logs: the lines about an order or a message."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

_IDS: Final = ("correlation_id", "event_id", "bus_event_id", "message_id")
# Fields that every line has, and ids that are kept apart.
_NO_FIELDS: Final = frozenset(
    (*("timestamp", "level", "message", "service", "logger", "taskName", "order_id"), *_IDS),
)


@dataclass(frozen=True)
class LogLine:
    """A line that a service logged about the order."""

    at: datetime
    service: str
    level: str
    event: str
    fields: dict[str, Any]
    ids: dict[str, str] = field(default_factory=dict)


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
        _log_line(entry, service)
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
                try:
                    entry = json.loads(line)
                    datetime.fromisoformat(entry["timestamp"])
                except (ValueError, KeyError, TypeError):  # not a line of our services
                    continue
                yield path.stem, entry


def _log_line(entry: dict[str, Any], default_service: str) -> LogLine:
    return LogLine(
        at=datetime.fromisoformat(entry["timestamp"]).astimezone(),
        service=str(entry.get("service", default_service)),
        level=str(entry.get("level", "")),
        event=str(entry.get("message", "")),
        fields={name: value for name, value in entry.items() if name not in _NO_FIELDS},
        ids={name: str(entry[name]) for name in _IDS if name in entry},
    )
