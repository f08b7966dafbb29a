"""Values of options, whose errors name the option."""

from collections.abc import Callable
from typing import TypeVar

from orderboard.errors import UsageError

Parsed = TypeVar("Parsed")


def parsed(option: str, parse_text: Callable[[str], Parsed], text: str) -> Parsed:
    """Return the parsed text; raise UsageError with the option and the reason if it is not valid."""
    try:
        return parse_text(text)
    except ValueError as exc:
        raise UsageError(f"{option} {text}: {exc}.") from exc
