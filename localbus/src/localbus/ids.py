"""Ids as AWS has them: random UUIDs, made as text because UUID objects would cost most of the time."""

from __future__ import annotations

import os

_DRAWN_IDS = 256

_spare: list[str] = []


def new_id() -> str:
    """Return a random UUID (version 4)."""
    try:
        digits = _spare.pop()
    except IndexError:
        digits = _draw()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _draw() -> str:
    """Return the digits of one id, and keep those of more: the system call costs most."""
    drawn = os.urandom(16 * _DRAWN_IDS).hex()
    digits, *more = (drawn[at : at + 32] for at in range(0, len(drawn), 32))
    _spare.extend(more)
    return digits
