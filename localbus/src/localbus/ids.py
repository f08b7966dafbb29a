"""Ids in the form of AWS's: random UUIDs as text, without the objects in between, which cost most."""

from __future__ import annotations

import secrets


def new_id() -> str:
    """A random UUID (version 4)."""
    digits = secrets.token_hex(16)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
