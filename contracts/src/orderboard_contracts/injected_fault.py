"""A fault that an order may carry for experiments, as text and parsed. The worker applies it."""

import re
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator, Field

FAULT_PATTERN: Final = r"^(poison|crash|flaky:[1-9][0-9]{0,2}|slow:[1-9][0-9]{0,5})$"


@dataclass(frozen=True)
class PoisonFault:
    """Every attempt to process the message fails."""


@dataclass(frozen=True)
class CrashFault:
    """The worker process crashes when it first processes the message."""


@dataclass(frozen=True)
class FlakyFault:
    """The first `failures` attempts fail with a transient error."""

    failures: int


@dataclass(frozen=True)
class SlowFault:
    """Processing takes `delay_ms` longer."""

    delay_ms: int


InjectedFault = PoisonFault | CrashFault | FlakyFault | SlowFault


def parse_fault(text: str) -> InjectedFault:
    """Parse `poison`, `crash`, `flaky:N` or `slow:MS`. Raises ValueError for anything else."""
    if re.fullmatch(FAULT_PATTERN, text) is None:
        raise ValueError("a fault is one of poison, crash, flaky:N (1 to 999), slow:MS (1 to 999999)")
    name, _, number = text.partition(":")
    match name:
        case "poison":
            return PoisonFault()
        case "crash":
            return CrashFault()
        case "flaky":
            return FlakyFault(failures=int(number))
        case _:
            return SlowFault(delay_ms=int(number))


def _checked(text: str) -> str:
    parse_fault(text)
    return text


# The pattern is for the schema; parse_fault validates, since its message lists what is allowed.
FaultText = Annotated[str, AfterValidator(_checked), Field(json_schema_extra={"pattern": FAULT_PATTERN})]
