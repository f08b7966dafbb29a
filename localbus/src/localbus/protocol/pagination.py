"""Pages of at most a hundred: SNS lets nobody choose their length."""

from __future__ import annotations

import base64
import binascii

from localbus.sns.errors import invalid

PAGE_LENGTH = 100


def page(keys: list[str], token: str | None) -> tuple[list[str], str | None]:
    """One page of keys in their order, and the token of the next; the token says after which key that begins."""
    after = _read(token) if token else ""
    following = sorted(key for key in keys if key > after)
    found = following[:PAGE_LENGTH]
    return found, base64.b64encode(found[-1].encode()).decode() if len(following) > PAGE_LENGTH else None


def _read(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except (binascii.Error, ValueError) as exc:
        raise invalid("NextToken Reason: the token is not one that was given out") from exc
