"""`show`: the whole story of one order, put together from what each part of the system knows of it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer
from orderboard_contracts.alert import Alert
from orderboard_contracts.record import OrderRecord, parse_record

from orderboard.orders.dead_letters import DeadLetter, dead_letters
from orderboard.orders.queues import alerts
from orderboard.system.target import Target

_IDS: Final = ("correlation_id", "event_id", "bus_event_id", "message_id")
# What every line says, and ids that lead nowhere from here.
_LEFT_OUT: Final = frozenset(
    (
        *("timestamp", "level", "message", "service", "logger", "taskName"),
        *("order_id", *_IDS),
    )
)


@dataclass(frozen=True)
class LogLine:
    """What a service wrote about the order."""

    at: datetime
    service: str
    level: str
    event: str
    fields: dict[str, Any]
    ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Story:
    """All that is known. record is None when no worker has recorded it; there are logs only for a system of `up`."""

    order_id: str
    record: OrderRecord | None
    dead_letters: tuple[DeadLetter, ...]
    alerts: tuple[Alert, ...]
    log: tuple[LogLine, ...]

    @property
    def known(self) -> bool:
        """Whether anything is known at all."""
        return bool(self.record or self.dead_letters or self.alerts or self.log)

    @property
    def waited_s(self) -> float | None:
        """From accepted to recorded."""
        if self.record is None or self.record.placed_at is None:
            return None
        return (self.record.recorded_at - self.record.placed_at).total_seconds()


def tell(target: Target, order_id: str, logs_dir: Path | None) -> Story:
    """Ask everybody. Looking at the inbox and the dead-letter queues takes nothing from them."""
    inbox = {each.id: each for each in alerts(target)}
    letters = tuple(letter for letter in dead_letters(target) if letter.order_id == order_id)
    # Of a message that it cannot handle the worker logs the message's id only.
    names = (order_id, *(letter.message_id for letter in letters))
    return Story(
        order_id=order_id,
        record=recorded(target, order_id),
        dead_letters=letters,
        alerts=tuple(each for each in inbox.values() if each.order_id == order_id),
        log=tuple(log_lines(logs_dir, names)) if logs_dir is not None else (),
    )


def log_lines(logs_dir: Path, names: Sequence[str]) -> list[LogLine]:
    """The lines of the services' logs here that have one of these ids, in the order of time."""
    found: list[LogLine] = []
    for path in sorted(logs_dir.glob("*.log")):
        with path.open(errors="replace") as lines:
            found.extend(_about(lines, names, path.stem))
    return sorted(found, key=lambda line: line.at)


def _about(lines: Iterable[str], names: Sequence[str], default_service: str) -> Iterator[LogLine]:
    for line in lines:
        if not any(name in line for name in names):
            continue
        try:
            entry = json.loads(line)
            at = datetime.fromisoformat(entry["timestamp"])
        except (ValueError, KeyError, TypeError):  # not one of our services' lines
            continue
        yield LogLine(
            at=at.astimezone(),
            service=str(entry.get("service", default_service)),
            level=str(entry.get("level", "")),
            event=str(entry.get("message", "")),
            fields={name: value for name, value in entry.items() if name not in _LEFT_OUT},
            ids={name: str(entry[name]) for name in _IDS if name in entry},
        )


def recorded(target: Target, order_id: str) -> OrderRecord | None:
    """The order's row, None while no worker has written it."""
    item = target.dynamodb.get_item(
        TableName=target.outputs.orders_table, Key={"order_id": {"S": order_id}}, ConsistentRead=True
    ).get("Item")
    if item is None:
        return None
    deserialize = TypeDeserializer().deserialize
    return parse_record({name: deserialize(value) for name, value in item.items()})
