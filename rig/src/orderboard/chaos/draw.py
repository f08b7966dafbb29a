"""Faults drawn at random, as options of a burst. The same seed gives the same faults. Pure."""

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

Kind = Literal[
    "kill-backend",
    "kill-api",
    "kill-worker",
    "freeze-worker",
    "stop-worker",
    "delivery",
    "throttling",
    "error-after",
    "timeout-after",
    "slow-calls",
    "full-disk",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_WEIGHTS: Final[Mapping[Kind, int]] = {
    "kill-backend": 4,
    "kill-api": 2,
    "kill-worker": 4,
    "freeze-worker": 3,
    "stop-worker": 1,
    "delivery": 4,
    "throttling": 3,
    "error-after": 4,
    "timeout-after": 3,
    "slow-calls": 2,
}
_ONCE: Final[Kind] = "full-disk"
_QUIET_S: Final = 1.0  # before the first fault and after the last
_ACTIONS: Final = ("PublishBatch", "PutEvents", "ReceiveMessage", "DeleteMessageBatch", "BatchExecuteStatement")
# Faults that may not overlap, as they are of the same processes or replace each other's settings.
_GROUPS: Final[Mapping[Kind, str]] = {
    **dict.fromkeys(("kill-worker", "freeze-worker", "stop-worker"), "workers"),
    **dict.fromkeys(("throttling", "error-after", "timeout-after", "slow-calls"), "faults"),
    "delivery": "disorder",
    "full-disk": "disk",
}


@dataclass(frozen=True)
class Drawn:
    """One fault: an option of `orderboard burst`, and its values in the order of their times."""

    at_s: float
    kind: Kind
    option: str
    values: tuple[str, ...]


def draw(seed: int, *, faults: int, duration_s: float, kinds: Collection[Kind] = KINDS) -> list[Drawn]:
    """Draw this many faults over a load of this length, in their order. A full disk is among them once."""
    if not faults:
        return []
    rng = random.Random(f"chaos {seed}")  # noqa: S311 - variety, not secrecy
    drawn = _kinds(rng, faults, kinds)
    slot_s = (duration_s - 2 * _QUIET_S) / faults
    times_s = [_QUIET_S + (number + rng.uniform(0.1, 0.9)) * slot_s for number in range(faults)]
    found: list[Drawn] = []
    next_s: dict[str, float] = {}  # when the next fault of a group begins
    for at_s, kind in reversed(list(zip(times_s, drawn, strict=True))):
        group = _GROUPS.get(kind, kind)
        lasts_s = min(rng.uniform(0.3, 2.5), 0.9 * (next_s.get(group, duration_s) - at_s))
        next_s[group] = at_s
        found.append(_DRAW[kind](rng, kind, at_s, lasts_s))
    return found[::-1]


def _kinds(rng: random.Random, faults: int, kinds: Collection[Kind]) -> list[Kind]:
    """Each kind as often as its weight says, rounded at random, in random order."""
    wanted = {kind: weight for kind, weight in _WEIGHTS.items() if kind in kinds}
    drawn: list[Kind] = [_ONCE] if _ONCE in kinds else []
    left, total = faults - len(drawn), sum(wanted.values())
    for kind, weight in wanted.items():
        drawn += [kind] * (left * weight // total)
    drawn += rng.choices([*wanted], [*wanted.values()], k=faults - len(drawn)) if wanted else []
    rng.shuffle(drawn)
    return drawn[:faults]


def _kill(_rng: random.Random, kind: Kind, at_s: float, _lasts_s: float) -> Drawn:
    return Drawn(at_s, kind, kind, (_at("", at_s),))


def _away(_rng: random.Random, kind: Kind, at_s: float, lasts_s: float) -> Drawn:
    return Drawn(at_s, kind, kind, (_at(f"{lasts_s * 1000:.0f}ms", at_s),))


def _settings(option: str, text: str, kind: Kind, at_s: float, lasts_s: float) -> Drawn:
    return Drawn(at_s, kind, option, (_at(text, at_s), _at("none", at_s + lasts_s)))


def _delivery(rng: random.Random, kind: Kind, at_s: float, lasts_s: float) -> Drawn:
    names = rng.sample(("duplicates", "reordering", "missed_polls", "doubled_events"), k=rng.randint(1, 3))
    shares = [f"{name}={rng.uniform(0.1, 0.6):.2f}" for name in names]
    return _settings("disorder", ",".join([f"seed={rng.randint(1, 999)}", *shares]), kind, at_s, lasts_s)


def _calls(rng: random.Random, kind: Kind, at_s: float, lasts_s: float) -> Drawn:
    action = rng.choice(("", *(f":{action}" for action in _ACTIONS)))
    name = {
        "throttling": f"throttle{action}",
        "error-after": f"error_after{action}",
        "timeout-after": f"timeout_after{action}/{rng.randint(200, 2000)}ms",
        "slow-calls": f"latency{action}/{rng.randint(50, 500)}ms",
    }[kind]
    text = f"seed={rng.randint(1, 999)},{name}={rng.uniform(0.05, 0.3):.2f}"
    return _settings("faults", text, kind, at_s, lasts_s)


def _at(text: str, at_s: float) -> str:
    return f"{text}@{at_s * 1000:.0f}ms"


_DRAW: Final[Mapping[Kind, Callable[[random.Random, Kind, float, float], Drawn]]] = {
    **dict.fromkeys(("kill-backend", "kill-api", "kill-worker"), _kill),
    **dict.fromkeys(("freeze-worker", "stop-worker", "full-disk"), _away),
    **dict.fromkeys(("throttling", "error-after", "timeout-after", "slow-calls"), _calls),
    "delivery": _delivery,
}
