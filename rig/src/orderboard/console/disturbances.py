"""The knobs that only localbus has: disorder and faults that AWS is allowed to show, and a clock that can be moved."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from orderboard.console.asked import Body, choice, number
from orderboard.console.commands import curl
from orderboard.console.knobs import Knob, Turned
from orderboard.errors import RigError, UsageError
from orderboard.system import localbus
from orderboard.system.localbus import Localbus

# Shares of messages, or of short polls. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html
DISORDERS: Final[Mapping[str, Mapping[str, float]]] = {
    "none": {},
    "duplicates": {"duplicates": 0.1},
    "reordering": {"reordering": 0.3},
    "missed polls": {"missed_polls": 0.3},
    "all of it": {"duplicates": 0.1, "reordering": 0.3, "missed_polls": 0.3, "doubled_events": 0.1},
}
KINDS: Final = ("throttle", "error_before", "error_after", "latency", "drop")
ACTIONS: Final = (
    "*",
    "PublishBatch",
    "PutEvents",
    "ReceiveMessage",
    "DeleteMessageBatch",
    "ChangeMessageVisibilityBatch",
)
MAX_ADVANCE_S: Final = 1_209_600  # the longest that SQS keeps a message
_MAX_LATENCY_MS: Final = 20_000
_READ_EVERY_S: Final = 3.0
_SHARES: Final = ("duplicates", "reordering", "missed_polls", "doubled_events")


@dataclass(frozen=True)
class Condition:
    """How localbus is set now. None: it does not say."""

    disorder: dict[str, float] | None
    faults: list[dict[str, Any]] | None
    now: float | None
    manual: bool


@dataclass
class Disturbances:
    """Acts on the localbus of the moment, which `found` gives; None where the backend is another one."""

    found: Callable[[], Localbus | None]
    _read_at: float = float("-inf")
    _condition: Condition | None = field(default=None, init=False)

    def look(self) -> None:
        """Read how it is set, but not at every look at the board."""
        if time.monotonic() - self._read_at < _READ_EVERY_S:
            return
        self._read_at = time.monotonic()
        engine = self.found()
        self._condition = None if engine is None else _read(engine)

    def document(self, backend: str) -> tuple[dict[str, Any] | None, dict[str, Knob]]:
        """How it is set, and which knobs can be turned."""
        elsewhere = f"Only localbus can do this; this backend is {backend}."
        reasons: dict[str, str | None] = dict.fromkeys(("disorder", "faults", "clock"), elsewhere)
        seen, engine = self._condition, self.found()
        if seen is None or engine is None:
            return None, {name: Knob("", reason) for name, reason in reasons.items()}
        reasons = {
            "disorder": None if seen.disorder is not None else "This localbus takes its disorder at its start only.",
            "faults": None if seen.faults is not None else "This localbus tells no faults.",
            "clock": None if seen.manual else "The clock is the real one. To move it: orderboard up --manual-clock.",
        }
        commands = {
            "disorder": curl("PUT", engine.url + localbus.DELIVERY_FAULTS, _disorder("duplicates")),
            "faults": curl("PUT", engine.url + localbus.FAULTS, {"rules": []}),
            "clock": curl("POST", engine.url + localbus.CLOCK, {"advance_s": 900}),
        }
        condition = {"disorder": seen.disorder, "faults": seen.faults, "now": seen.now, "manual": seen.manual}
        return condition, {name: Knob(commands[name], reason) for name, reason in reasons.items()}

    def disorder(self, body: Body) -> Turned:
        """Let standard queues be no better than AWS promises, or in order again."""
        preset = choice(body, "preset", tuple(DISORDERS))
        said = "Queues are in order again." if preset == "none" else f"From now on: {preset}."
        return self._change("PUT", localbus.DELIVERY_FAULTS, _disorder(preset), said)

    def faults(self, body: Body) -> Turned:
        """Let a share of the calls of an action fail or be slow; without a kind none does."""
        if body.get("kind") is None:
            return self._change("PUT", localbus.FAULTS, {"rules": []}, "Every call is answered again.")
        kind, action = choice(body, "kind", KINDS), choice(body, "action", ACTIONS)
        rule: dict[str, object] = {
            "action": action,
            "kind": kind,
            "probability": number(body, "probability", 0, 1),
        }
        if kind == "latency":
            rule["latency_ms"] = number(body, "latency_ms", 1, _MAX_LATENCY_MS)
        which = "any action" if action == "*" else action
        said = f"{kind.replace('_', ' ')} in {rule['probability']:.0%} of the calls of {which}."
        return self._change("PUT", localbus.FAULTS, {"seed": 7, "rules": [rule]}, said)

    def clock(self, body: Body) -> Turned:
        """Let time pass, where the clock is turned by hand."""
        seconds = number(body, "advance_s", 0, MAX_ADVANCE_S)
        return self._change("POST", localbus.CLOCK, {"advance_s": seconds}, f"{seconds:g} seconds have passed.")

    def _change(self, method: str, path: str, document: dict[str, Any], said: str) -> Turned:
        engine = self.found()
        if engine is None:
            raise UsageError("Only localbus can do this.")
        engine.change(method, path, document)
        self._read_at = float("-inf")
        return Turned(said, curl(method, engine.url + path, document))


def _disorder(preset: str) -> dict[str, Any]:
    return {"seed": 7, **dict.fromkeys(_SHARES, 0), **DISORDERS[preset]}


def _read(engine: Localbus) -> Condition | None:
    try:
        disorder, faults = engine.get(localbus.DELIVERY_FAULTS), engine.get(localbus.FAULTS)
        clock = engine.get(localbus.CLOCK) or {}
    except RigError:
        return None
    return Condition(
        disorder=None if disorder is None else {name: float(disorder.get(name) or 0) for name in _SHARES},
        faults=None if faults is None else list(faults.get("rules", [])),
        now=clock.get("now"),
        manual=clock.get("manual") is True,
    )
