"""Reads what an action's body asks for; what it does not say rightly is answered with what would be right."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from starlette.requests import Request

from orderboard.errors import UsageError

Choice = TypeVar("Choice", bound=str)
Body = dict[str, Any]


async def body(request: Request) -> Body:
    """The body of a request; raise UsageError when it is no JSON object."""
    try:
        document = await request.json()
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"The action's body is no JSON: {exc}") from exc
    if not isinstance(document, dict):
        raise UsageError("The action's body must be an object.")
    return document


def number(document: Mapping[str, Any], name: str, low: float, high: float) -> float:
    """A number; raise UsageError when it is none, or out of bounds."""
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(f"{name} must be a number from {low:g} to {high:g}.")
    return value


def text(document: Mapping[str, Any], name: str) -> str:
    """A text; raise UsageError when it is none."""
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{name} must be a text.")
    return value


def choice(document: Mapping[str, Any], name: str, choices: Sequence[Choice]) -> Choice:
    """One of these texts; raise UsageError when it is none of them."""
    for each in choices:
        if each == document.get(name):
            return each
    raise UsageError(f"{name} must be one of {', '.join(choices)}.")
