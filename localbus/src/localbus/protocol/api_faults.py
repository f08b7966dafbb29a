"""Injected API faults: throttling, errors before and after the effect, latency, dropped connections. Off by default.

Use `error_after` and `timeout_after` to test retries: the operation succeeds, but the client receives an error, or
nothing at all.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from localbus.errors import AwsError
from localbus.http.message import DROP_CONNECTION, Response
from localbus.input_values import is_number, quoted

Kind = Literal["throttle", "error_before", "error_after", "latency", "drop", "timeout_after"]
Answer = Response | Awaitable[Response]


class InjectedError(Exception):
    """A failure that the client cannot tell from a real one."""


@dataclass(frozen=True)
class Fault:
    """A fault of an action (`*` is any) with a probability from 0 to 1.

    A connection without an answer (`timeout_after`) is held for `latency_ms`, or (0) until the client closes it.
    """

    action: str
    kind: Kind
    probability: float
    latency_ms: float = 0.0


class ApiFaults:
    """The configured faults. The same seed gives the same faults for the same requests."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []
        self._rng = random.Random()  # noqa: S311 (not for cryptography)

    def configure(self, document: Any) -> None:
        """Set the faults of `{"seed": 7, "rules": [{"action", "kind", "probability", "latency_ms"}]}`; {} ends them.

        Raises ValueError.
        """
        given = (
            document.get("rules", []) if isinstance(document, dict) and document.keys() <= {"seed", "rules"} else None
        )
        if not isinstance(given, list):
            raise ValueError(  # noqa: TRY004 (what came by HTTP has a bad value, not a bad type)
                'Invalid faults: expected {"seed": 7, "rules": [...]}, or {} to end them.'
            )
        seed = document.get("seed", 0)
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise ValueError(f"Invalid seed {quoted(seed)}: expected a whole number.")  # noqa: TRY004 (as above)
        rules = [_rule(rule) for rule in given]
        self._rng = random.Random(str(seed))  # noqa: S311
        self.rules = rules

    def document(self) -> dict[str, object]:
        """Return the configured faults."""
        return {"rules": [asdict(rule) for rule in self.rules]}

    def pick(self, action: str) -> Fault | None:
        """Return the fault of this request; None for most."""
        for rule in self.rules:
            if rule.action in {"*", action} and self._rng.random() < rule.probability:
                return rule
        return None


def _rule(given: Any) -> Fault:
    try:
        rule = Fault(**given)
    except TypeError as exc:
        expected = "an object with action, kind, probability and optionally latency_ms"
        raise ValueError(f"Invalid rule {quoted(given)}: expected {expected}.") from exc
    kinds = get_args(Kind)
    checks = (
        ("action", isinstance(rule.action, str), "the name of an action, or * for all"),
        ("kind", rule.kind in kinds, f"one of {', '.join(kinds)}"),
        ("probability", is_number(rule.probability) and 0 <= rule.probability <= 1, "a number from 0 to 1"),
        ("latency_ms", is_number(rule.latency_ms) and rule.latency_ms >= 0, "a number, 0 or more"),
    )
    for name, is_valid, expected in checks:
        if not is_valid:
            raise ValueError(f"Invalid {name} {quoted(getattr(rule, name))}: expected {expected}.")
    return rule


def answer(fault: Fault, service: str, do: Callable[[], Answer], fail: Callable[[Exception], Response]) -> Answer:
    """Return the answer to a request with this fault: `do` executes it, `fail` makes an error's response."""
    match fault.kind:
        case "throttle":
            code = "RequestThrottled" if service == "sqs" else "ThrottlingException"
            return fail(AwsError(code, "Rate exceeded"))
        case "error_before":
            return fail(InjectedError())
        case "error_after":
            return _answer_later(do, 0, lambda _response: fail(InjectedError()))
        case "latency":
            return _answer_later(do, fault.latency_ms / 1000, lambda response: response)
        case "drop":
            return Response(DROP_CONNECTION, [])
        case "timeout_after":
            return _never_answer(do, fault.latency_ms / 1000)


async def _answer_later(
    do: Callable[[], Answer], wait_s: float, response_of: Callable[[Response], Response]
) -> Response:
    await asyncio.sleep(wait_s)
    done = do()
    return response_of(done if isinstance(done, Response) else await done)


async def _never_answer(do: Callable[[], Answer], hold_s: float) -> Response:
    done = do()
    if not isinstance(done, Response):
        await done
    await asyncio.sleep(hold_s or math.inf)
    return Response(DROP_CONNECTION, [])
