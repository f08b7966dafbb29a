"""Assertions of checks. Their texts go into the table, so they are short."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import ClientError

AGAIN: Final = "again-"
"""The prefix of a second attempt's names."""

_NOT_BUILT: Final = {"InvalidAction", "NotImplemented", "UnknownOperation", "UnknownOperationException"}
_LONGEST: Final = 90
_CHANGING: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # identifiers
    r"|\d+\.\d+\.\d+\.\d+:\d+"  # where an engine listens
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z"  # times
)


class WrongError(Exception):
    """The engine behaved differently; the message says how, as in «accepts it»."""


class NotBuiltError(Exception):
    """The engine answers that it does not have the action."""


def same(what: str, found: object, expected: object) -> None:
    """Expect a value. `what` goes before the value found, as in «receives» or «the code is»."""
    if found != expected:
        raise WrongError(f"{what} {short(found)}")


def holds(condition: object, otherwise: str) -> None:
    """Expect a condition; `otherwise` describes its failure."""
    if not condition:
        raise WrongError(short(otherwise, quoted=False))


def refused(code: str, action: Callable[..., Any], *, says: Any = "", status: Any = 0, **given: Any) -> str:
    """Expect an error with that code; `says` is part of its message, `status` the HTTP status. Return the message."""
    try:
        action(**given)
    except ClientError as exc:
        error = exc.response.get("Error", {})
        found, message = str(error.get("Code")), str(error.get("Message"))
        if found != code and found in _NOT_BUILT:
            raise NotBuiltError(found) from exc
        holds(found == code, f"refuses with {found}")
        holds(says in message, f"says {short(message)}")
        answered = exc.response["ResponseMetadata"]["HTTPStatusCode"]
        holds(status in (0, answered), f"answers {answered}")
        return message
    raise WrongError("accepts it")


def eventually(check: Callable[[], Any], otherwise: str, within_s: float = 8) -> Any:
    """Return the check's result once it is true; raise WrongError if it never is."""
    end = time.monotonic() + within_s
    while not (found := check()):
        if time.monotonic() > end:
            raise WrongError(otherwise)
        time.sleep(0.1)
    return found


@contextmanager
def timed(what: str, *, least_s: float = 0, most_s: float = 600) -> Iterator[None]:
    """Expect that the block takes a time between these; `what` goes before the time, as in «answers»."""
    started = time.monotonic()
    yield
    passed = time.monotonic() - started
    holds(least_s < passed < most_s, f"{what} after {passed:.1f} s")


def translate(exc: Exception) -> Exception:
    """Return the verdict of an error that the check did not expect."""
    if isinstance(exc, WrongError | NotBuiltError):
        return exc
    if isinstance(exc, ClientError):
        error = exc.response.get("Error", {})
        status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if error.get("Code") in _NOT_BUILT or status == 501:
            return NotBuiltError(str(error.get("Code")))
        return WrongError(f"{exc.operation_name} fails: {error.get('Code')}")
    if isinstance(exc, KeyError):
        return WrongError(f"the answer has no {exc.args[0]}")
    return WrongError(f"ends in {type(exc).__name__}: {short(str(exc), quoted=False)}")


def short(value: object, *, quoted: bool = True) -> str:
    """Return a value in one line, without the parts that differ between runs."""
    text = value if isinstance(value, str) and not quoted else repr(value)
    text = _CHANGING.sub("…", " ".join(text.split())).replace(AGAIN, "")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
