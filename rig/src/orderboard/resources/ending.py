"""Endings: the places where the copies of a message ended, each with the reason, the fix and its evidence."""

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from orderboard.system.localbus import JournalEntry

_DENIED: Final = re.compile(r"^(?:\w+: )?Access to the resource \S+ is denied: ")

# arrived: a consumer or an endpoint got it; waiting: it will be received or retried; dead: it rests in a dead-letter
# queue; stopped: it ended before, and nothing is left of it.
Verdict = Literal["arrived", "waiting", "dead", "stopped"]


@dataclass(frozen=True)
class Ending:
    """The end of one copy at a resource (its ARN).

    evidence: the numbers of the journal entries that show it. command: an aws command line that fixes the cause.
    """

    verdict: Verdict
    at: str
    why: str
    fix: str
    evidence: tuple[int, ...]
    command: str = ""


def fields_of(entry: JournalEntry) -> dict[str, Any]:
    """Return the members of an entry's detail; none if it is a text."""
    return dict(entry.detail) if isinstance(entry.detail, dict) else {}


def text_of(entry: JournalEntry) -> str:
    """Return the reason in an entry's detail, without its full stop."""
    reason = fields_of(entry).get("reason", "") if isinstance(entry.detail, dict) else entry.detail
    return plain_reason(str(reason or "")) or entry.event.replace("_", " ")


def plain_reason(reason: str) -> str:
    """Return a reason without its full stop, and without the code and the ARN before what a policy does not allow."""
    return _DENIED.sub("", reason).rstrip(".")


def numbers_of(*entries: JournalEntry) -> tuple[int, ...]:
    """Return the numbers of entries, as evidence."""
    return tuple(each.number for each in entries)
