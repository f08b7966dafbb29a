"""Controls that only localbus has: delivery faults, API faults and a manual clock."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from orderboard.console import commands, requests
from orderboard.console.controls import ActionResult, Control
from orderboard.errors import RigError, UsageError
from orderboard.system import localbus
from orderboard.system.fault_settings import NONE, api_faults_text, delivery_faults_text
from orderboard.system.localbus import Localbus

# Shares of messages, or of short polls. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html
PRESETS: Final[Mapping[requests.DeliveryPreset, Mapping[str, float]]] = {
    "none": {},
    "duplicates": {"duplicates": 0.1},
    "reordering": {"reordering": 0.3},
    "missed polls": {"missed_polls": 0.3},
    "all of it": {"duplicates": 0.1, "reordering": 0.3, "missed_polls": 0.3, "doubled_events": 0.1},
}
_SHARES: Final = ("duplicates", "reordering", "missed_polls", "doubled_events")
_READ_EVERY_S: Final = 3.0
_SEED: Final = 7


@dataclass(frozen=True)
class FaultSettings:
    """The current settings of localbus. None: this localbus does not have them. now: seconds since 1970."""

    delivery: dict[str, float] | None
    faults: list[dict[str, Any]] | None
    now: float | None
    manual: bool


@dataclass
class FaultControls:
    """Acts on the localbus that `engine` returns; None if the backend is another one."""

    engine: Callable[[], Localbus | None]
    where: tuple[str, ...] = ()  # the options of a command that name this backend
    _read_at: float = float("-inf")
    _settings: FaultSettings | None = field(default=None, init=False)

    def refresh(self) -> None:
        """Read the settings again, unless they were read just before."""
        if time.monotonic() - self._read_at < _READ_EVERY_S:
            return
        self._read_at = time.monotonic()
        engine = self.engine()
        self._settings = None if engine is None else _read(engine)

    def document(self, backend: str) -> tuple[dict[str, Any] | None, dict[str, Control]]:
        """Return the settings and the controls by name."""
        settings, engine = self._settings, self.engine()
        if settings is None or engine is None:
            elsewhere = Control("", f"Only localbus has this control; the backend is {backend}.")
            return None, dict.fromkeys(("delivery-faults", "faults", "clock"), elsewhere)
        at_start = "This localbus accepts delivery faults only when it starts."
        no_faults = "This localbus has no API faults."
        real_clock = "The clock is real. To set it by hand: orderboard up --manual-clock."
        return asdict(settings), {
            "delivery-faults": Control(
                self._command("disorder", delivery_faults_text(_shares("duplicates"))),
                None if settings.delivery is not None else at_start,
            ),
            "faults": Control(self._command("faults", NONE), None if settings.faults is not None else no_faults),
            "clock": Control(self._command("clock", "+900s"), None if settings.manual else real_clock),
        }

    def set_delivery(self, body: requests.DeliveryFaults) -> ActionResult:
        """Let standard queues duplicate, reorder or miss messages as AWS allows, or reset that."""
        message = "No delivery faults." if body.preset == "none" else f"Delivery faults: {body.preset}."
        document = _shares(body.preset)
        command = self._command("disorder", delivery_faults_text(document))
        return self._change("PUT", localbus.DELIVERY_FAULTS, document, message, command)

    def set_faults(self, body: requests.Faults) -> ActionResult:
        """Inject a fault into a share of an action's calls, or remove all faults."""
        rule = body.rule
        if rule is None:
            return self._change("PUT", localbus.FAULTS, {"rules": []}, "No API faults.", self._command("faults", NONE))
        which = "all calls" if rule.action == "*" else f"{rule.action} calls"
        message = f"{rule.kind.replace('_', ' ')} in {rule.probability:.0%} of {which}."
        rules = [rule.model_dump(exclude_none=True)]
        command = self._command("faults", f"seed={_SEED},{api_faults_text(rules)}")
        return self._change("PUT", localbus.FAULTS, {"seed": _SEED, "rules": rules}, message, command)

    def advance_clock(self, body: requests.Advance) -> ActionResult:
        """Advance a manual clock."""
        document = {"advance_s": body.advance_s}
        command = self._command("clock", f"+{body.advance_s:g}s")
        return self._change("POST", localbus.CLOCK, document, f"The clock is {body.advance_s:g} s ahead.", command)

    def _command(self, *words: str) -> str:
        return commands.orderboard(*words, *self.where)

    def _change(self, method: str, path: str, document: dict[str, Any], message: str, command: str) -> ActionResult:
        engine = self.engine()
        if engine is None:
            raise UsageError("Only localbus has this control.")
        engine.change(method, path, document)
        self._read_at = float("-inf")
        return ActionResult(message, command)


def _shares(preset: requests.DeliveryPreset) -> dict[str, Any]:
    return {"seed": _SEED, **dict.fromkeys(_SHARES, 0), **PRESETS[preset]}


def _read(engine: Localbus) -> FaultSettings | None:
    try:
        delivery, faults = engine.get(localbus.DELIVERY_FAULTS), engine.get(localbus.FAULTS)
        clock = engine.get(localbus.CLOCK) or {}
    except RigError:
        return None
    return FaultSettings(
        delivery=None if delivery is None else {name: float(delivery.get(name) or 0) for name in _SHARES},
        faults=None if faults is None else list(faults.get("rules", [])),
        now=clock.get("now"),
        manual=clock.get("manual") is True,
    )
