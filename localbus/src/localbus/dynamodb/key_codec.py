"""Key attributes as bytes whose order is DynamoDB's: strings by UTF-8, blobs by unsigned bytes, numbers by value.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.CoreComponents.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from decimal import Decimal
from hashlib import blake2b
from typing import Any

_ZERO = b"\x01"
_OFFSET = 200  # makes every exponent (-130 to 125) positive
_COMPLEMENT = bytes(255 - byte for byte in range(256))


def encode_number(text: str) -> bytes:
    """Return a number's bytes. Negative ones are complemented and end in 255, so that -1.2 comes before -1."""
    number = Decimal(text)
    if not number:
        return _ZERO
    sign, digits, _ = number.as_tuple()
    significant = "".join(map(str, digits)).rstrip("0").encode()
    magnitude = (number.adjusted() + _OFFSET).to_bytes(2, "big") + significant
    return b"\x00" + magnitude.translate(_COMPLEMENT) + b"\xff" if sign else b"\x02" + magnitude


ENCODERS: dict[str, Callable[[str], bytes]] = {"S": str.encode, "N": encode_number, "B": base64.b64decode}


def encode(value: dict[str, Any]) -> bytes:
    """Return the bytes of a checked S, N or B. Those of different types do not compare."""
    ((kind, content),) = value.items()
    return ENCODERS[kind](content)


def partition(encoded: bytes) -> bytes:
    """Return the place of a partition key, 16 bytes: items of one key lie together, keys in no visible order."""
    return blake2b(encoded, digest_size=16).digest()
