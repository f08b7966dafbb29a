"""A fault that an order may carry for experiments: what it asks the worker to do.

Parsing only; acting is the worker's.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator, Field

FAULT_PATTERN: Final = r"^(poison|crash|flaky:[1-9][0-9]{0,2}|slow:[1-9][0-9]{0,5})$"


@dataclass(frozen=True)
class Poison:
    """The message can never be handled."""


@dataclass(frozen=True)
class Crash:
    """The worker's process dies at once when it first handles the message."""


@dataclass(frozen=True)
class Flaky:
    """The first `failures` receives fail as a passing error would."""

    failures: int


@dataclass(frozen=True)
class Slow:
    """Preparation takes `delay_ms` longer."""

    delay_ms: int


Fault = Poison | Crash | Flaky | Slow


def parse_fault(text: str) -> Fault:
    """Read `poison`, `crash`, `flaky:N` or `slow:MS`; raise ValueError for anything else."""
    if re.fullmatch(FAULT_PATTERN, text) is None:
        raise ValueError("a fault is one of poison, crash, flaky:N (1 to 999), slow:MS (1 to 999999)")
    name, _, number = text.partition(":")
    match name:
        case "poison":
            return Poison()
        case "crash":
            return Crash()
        case "flaky":
            return Flaky(failures=int(number))
        case _:
            return Slow(delay_ms=int(number))


def _checked(text: str) -> str:
    parse_fault(text)
    return text


# The pattern is for readers of the schema; the check is parse_fault's, whose message says what to write.
FaultText = Annotated[str, AfterValidator(_checked), Field(json_schema_extra={"pattern": FAULT_PATTERN})]
