"""Failures on demand: throttling, errors before and after the effect, latency, dropped connections. Off by default.

Whoever retries finds out here whether that is safe: after `error_after` the thing has been done, and nobody was told.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from localbus.errors import AwsError
from localbus.http.message import DROP_CONNECTION, Response

Kind = Literal["throttle", "error_before", "error_after", "latency", "drop"]
Answer = Response | Awaitable[Response]


class InjectedError(Exception):
    """The failure of a service, as far as its client can see."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong, with which action (`*` is any), and how likely that is, from 0 to 1."""

    action: str
    kind: Kind
    probability: float
    latency_ms: float = 0.0


class Faults:
    """The faults that are asked for. The same seed gives the same faults for the same requests."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []
        self._chance = random.Random()  # noqa: S311 (chance is the purpose)

    def ask(self, document: Any) -> None:
        """Take `{"seed": 7, "rules": [{"action", "kind", "probability", "latency_ms"}]}`; raises ValueError."""
        given = document.get("rules") if isinstance(document, dict) else None
        if not isinstance(given, list):
            raise ValueError(  # noqa: TRY004 (what came by HTTP has a bad value, not a bad type)
                'Say which: {"seed": 7, "rules": [...]}.'
            )
        rules = [_rule(rule) for rule in given]
        self._chance = random.Random(str(document.get("seed", 0)))  # noqa: S311
        self.rules = rules

    def document(self) -> dict[str, object]:
        """The faults as they were asked for."""
        return {"rules": [asdict(rule) for rule in self.rules]}

    def strike(self, action: str) -> Fault | None:
        """The fault of this request, if it is to have one."""
        for rule in self.rules:
            if rule.action in {"*", action} and self._chance.random() < rule.probability:
                return rule
        return None


def _rule(given: Any) -> Fault:
    try:
        rule = Fault(**given)
    except TypeError as exc:
        raise ValueError(f"{given} is no rule: it has action, kind, probability and perhaps latency_ms.") from exc
    numbers = isinstance(rule.probability, int | float) and isinstance(rule.latency_ms, int | float)
    if rule.kind not in get_args(Kind) or not numbers or not 0 <= rule.probability <= 1 or rule.latency_ms < 0:
        raise ValueError(f"{given} is no rule: the kinds are {', '.join(get_args(Kind))}.")
    return rule


def answer(fault: Fault, service: str, do: Callable[[], Answer], refuse: Callable[[Exception], Response]) -> Answer:
    """The answer to a request that has this fault."""
    match fault.kind:
        case "throttle":
            code = "RequestThrottled" if service == "sqs" else "ThrottlingException"
            return refuse(AwsError(code, "Rate exceeded"))
        case "error_before":
            return refuse(InjectedError())
        case "error_after":
            return _then(do, refuse)
        case "latency":
            return _late(do, fault.latency_ms / 1000)
        case "drop":
            return Response(DROP_CONNECTION, [])


async def _then(do: Callable[[], Answer], refuse: Callable[[Exception], Response]) -> Response:
    done = do()
    if not isinstance(done, Response):
        await done
    return refuse(InjectedError())


async def _late(do: Callable[[], Answer], wait_s: float) -> Response:
    await asyncio.sleep(wait_s)
    done = do()
    return done if isinstance(done, Response) else await done
