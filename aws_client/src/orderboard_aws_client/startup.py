"""Start of a service process: settings errors, traces if they are on, and the heap after start."""

import gc
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from orderboard_contracts import tracing
from orderboard_contracts.otlp_settings import OtlpError
from orderboard_contracts.tracing import Tracing
from pydantic import BaseModel, ValidationError

EXIT_MISCONFIGURED: Final = 2
_YOUNG_OBJECTS: Final = 10_000  # the default is 700, the containers of a dozen orders
Settings = TypeVar("Settings", bound=BaseModel)


def load_settings(program: str, load: Callable[[], Settings]) -> Settings:
    """Load the settings; print one line for each invalid environment variable and exit with 2 if there are any."""
    try:
        return load()
    except ValidationError as exc:
        for line in invalid_settings(exc):
            print(f"{program} cannot start: {line}", file=sys.stderr)
        raise SystemExit(EXIT_MISCONFIGURED) from None


def invalid_settings(exc: ValidationError) -> list[str]:
    """Return a line for each invalid environment variable."""
    lines = []
    for error in exc.errors(include_url=False, include_input=False):
        variable = "".join(f"ORDERBOARD_{str(part).upper()}: " for part in error["loc"][:1])
        lines.append(variable + error["msg"].removeprefix("Value error, "))
    return lines


def start_tracing(service: str, resource: Mapping[str, str] = MappingProxyType({})) -> Tracing | None:
    """Start OpenTelemetry if its variables ask for traces; print what is wrong with them and exit with 2 otherwise."""
    try:
        return tracing.start(service, resource)
    except OtlpError as exc:
        print(f"{service} cannot start: {exc}", file=sys.stderr)
        raise SystemExit(EXIT_MISCONFIGURED) from None


def freeze_heap() -> None:
    """Exempt all objects created so far from garbage collection: full collections pause every request.

    Young objects are examined later than by default: nearly all of a batch of orders are gone by then.
    https://docs.python.org/3/library/gc.html#gc.set_threshold
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 10, 10)
