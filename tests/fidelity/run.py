"""Runs behaviours on one engine, many at a time, since most of them wait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Literal

from fidelity.aws import Aws, Clients
from fidelity.behaviour import Behaviour
from fidelity.expect import AGAIN, NotBuiltError, translate

Verdict = Literal["right", "wrong", "not built"]
_AT_ONCE: Final = 24


@dataclass(frozen=True)
class Outcome:
    """What came of one behaviour on one engine; `instead` says what a wrong engine did."""

    verdict: Verdict
    instead: str = ""


def run(behaviours: Mapping[str, Behaviour], clients: Clients, at_once: int = _AT_ONCE) -> dict[str, Outcome]:
    """Outcomes by key. One that is wrong is tried once more by itself: a loaded machine is late, not wrong."""

    def numbered(keys: Iterable[str], attempt: str, workers: int) -> dict[str, Outcome]:
        with ThreadPoolExecutor(workers) as pool:
            found = {key: pool.submit(_try, behaviours[key], clients, attempt) for key in keys}
            return {key: one.result() for key, one in found.items()}

    outcomes = numbered(behaviours, "", at_once)
    wrong = [key for key, outcome in outcomes.items() if outcome.verdict == "wrong"]
    return outcomes | numbered(wrong, AGAIN, 4)


def _try(behaviour: Behaviour, clients: Clients, attempt: str) -> Outcome:
    try:
        behaviour.check(Aws(clients, f"{attempt}{behaviour.name}"))
    except Exception as exc:  # noqa: BLE001 (whatever an engine answers is an outcome)
        verdict = translate(exc)
        return Outcome("not built" if isinstance(verdict, NotBuiltError) else "wrong", str(verdict))
    return Outcome("right")
