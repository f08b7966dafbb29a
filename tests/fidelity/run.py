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
    """The result of one behaviour on one engine; `instead` describes what a wrong engine did."""

    verdict: Verdict
    instead: str = ""


def run(behaviours: Mapping[str, Behaviour], clients: Clients, *, retry: bool) -> dict[str, Outcome]:
    """Return the outcomes by key. With `retry` a wrong one is tried once more, with less load.

    That is for other engines, which may be late on a loaded machine. A flake of localbus must show.
    """

    def attempt(keys: Iterable[str], prefix: str, workers: int) -> dict[str, Outcome]:
        with ThreadPoolExecutor(workers) as pool:
            found = {key: pool.submit(_try, behaviours[key], clients, prefix) for key in keys}
            return {key: one.result() for key, one in found.items()}

    outcomes = attempt(behaviours, "", _AT_ONCE)
    wrong = [key for key, outcome in outcomes.items() if retry and outcome.verdict == "wrong"]
    return outcomes | attempt(wrong, AGAIN, 4)


def _try(behaviour: Behaviour, clients: Clients, prefix: str) -> Outcome:
    try:
        behaviour.check(Aws(clients, f"{prefix}{behaviour.name}"))
    except Exception as exc:  # noqa: BLE001 (any answer of an engine is an outcome)
        verdict = translate(exc)
        return Outcome("not built" if isinstance(verdict, NotBuiltError) else "wrong", str(verdict))
    return Outcome("right")
