"""Settings for the faults that AWS allows in delivery: duplicates, reordering, polls that miss, rules that match twice.

All are off unless set, at the start or while the engine runs. AWS delivers at least once and roughly in the order of
sending, and a short poll asks only some of its servers. An engine that never shows this hides bugs in clients that
expect more. The same seed gives the same faults for the same requests.
Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from localbus.input_values import decimal_number, quoted, whole_number

EXAMPLE = '{"seed": 7, "duplicates": 0.05, "queues": {"work": {"missed_polls": 1}}}'


@dataclass(frozen=True)
class DeliveryFaults:
    """The probability of each fault, from 0 to 1."""

    seed: int = 0
    duplicates: float = 0.0
    reordering: float = 0.0
    missed_polls: float = 0.0
    doubled_events: float = 0.0  # an event that triggers an EventBridge rule twice

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name != "seed" and not 0 <= value <= 1:
                raise ValueError(f"invalid {name} {value}: expected a probability from 0 to 1")


@dataclass(frozen=True)
class QueueFaults:
    """The default faults of all queues and rules, and those of named queues, which replace the default."""

    default: DeliveryFaults = field(default_factory=DeliveryFaults)
    queues: Mapping[str, DeliveryFaults] = field(default_factory=dict)

    def of(self, queue_name: str) -> DeliveryFaults:
        """Return the faults of a queue."""
        return self.queues.get(queue_name, self.default)

    def document(self) -> dict[str, Any]:
        """Return the form that `read_queue_faults` reads; {} when no fault is set."""
        queues = {"queues": {name: asdict(faults) for name, faults in self.queues.items()}} if self.queues else {}
        return (asdict(self.default) if self.default != DeliveryFaults() else {}) | queues


def parse_faults(text: str) -> DeliveryFaults:
    """Read the command line's form: `seed=7,duplicates=0.05,reordering=0.1`. Raises ValueError."""
    return _read(dict(part.partition("=")[::2] for part in text.split(",")))


def read_queue_faults(document: Any) -> QueueFaults:
    """Read `{"seed": 7, "duplicates": 0.05, "queues": {"work": {"missed_polls": 1}}}`. Raises ValueError."""
    queues = document.get("queues", {}) if isinstance(document, dict) else None
    if not isinstance(queues, dict) or not all(isinstance(one, dict) for one in queues.values()):
        raise ValueError(f"expected settings such as {EXAMPLE}")
    default = {name: value for name, value in document.items() if name != "queues"}
    return QueueFaults(_read(default), {name: _read(faults) for name, faults in queues.items()})


def _read(given: Mapping[str, Any]) -> DeliveryFaults:
    names = [each.name for each in fields(DeliveryFaults)]
    for name in given:
        if name not in names:
            raise ValueError(f"unknown setting {name!r}: expected {', '.join(names)}")
    numbers: dict[str, Any] = {}
    for name, value in given.items():
        expected, read = ("a whole number", whole_number) if name == "seed" else ("a number", decimal_number)
        try:
            numbers[name] = read(value if isinstance(value, str) else json.dumps(value))
        except ValueError as exc:
            raise ValueError(f"invalid {name} {quoted(value)}: expected {expected}") from exc
    return DeliveryFaults(**numbers)
