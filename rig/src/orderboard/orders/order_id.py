"""Order ids as a user types them: in full, or the first characters, as the demo and the console print them."""

import re
from collections.abc import Callable, Collection
from typing import Final

from orderboard.errors import RigError, UsageError

_FULL: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ANY: Final = "00000000-0000-0000-0000-000000000000"
_SHORTEST: Final = 8
_SHOWN: Final = 3


def checked(typed: str) -> str:
    """Return it in lower case; raise UsageError unless it is an order id or the start of one."""
    text = typed.strip().lower()
    if len(text) < _SHORTEST or not _FULL.fullmatch(text + _ANY[len(text) :]):
        raise UsageError(
            f"{typed!r} is not an order id: expected the {len(_ANY)} characters that `orderboard place` prints, "
            f"or at least the first {_SHORTEST}"
        )
    return text


def resolve_order_id(typed: str, starting_with: Callable[[str], Collection[str]]) -> str:
    """Return the full id. starting_with: find the ids of known orders by their first characters.

    Raise UsageError for anything but an id or a unique start of one; RigError if no order is known that starts so.
    """
    text = checked(typed)
    if len(text) == len(_ANY):
        return text
    found = sorted(starting_with(text))
    if not found:
        raise RigError(not_found(typed))
    if len(found) > 1:
        more = ", ..." if len(found) > _SHOWN else ""
        raise UsageError(f"{typed!r} is the start of {len(found)} order ids: {', '.join(found[:_SHOWN])}{more}")
    return found[0]


def not_found(typed: str) -> str:
    """Return the error for an order that this system does not know."""
    return f"No order {typed} was found. `orderboard place` prints the id of each order."
