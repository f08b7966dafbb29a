"""A certificate that an RSA key gives itself, as PEM. Source: RFC 5280, section 4.1, in the encoding of X.690 (DER)."""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime, timedelta

from localbus.rsa_key import EXPONENT, RsaKey

VALID_FOR = timedelta(days=3650)
_INTEGER, _BIT_STRING, _NULL, _OBJECT_ID, _UTF8, _UTC_TIME = 0x02, 0x03, 0x05, 0x06, 0x0C, 0x17
_SEQUENCE, _SET, _VERSION = 0x30, 0x31, 0xA0
_RSA = bytes.fromhex("2a864886f70d010101")
_SHA256_WITH_RSA = bytes.fromhex("2a864886f70d01010b")
_COMMON_NAME = bytes.fromhex("550403")


def self_signed(key: RsaKey, name: str) -> str:
    """A certificate of the key in this name, valid from yesterday on by the real clock, whatever the engine's says."""
    now = datetime.now(UTC)
    algorithm = _sequence(_value(_OBJECT_ID, _SHA256_WITH_RSA), _value(_NULL, b""))
    named = _sequence(_value(_SET, _sequence(_value(_OBJECT_ID, _COMMON_NAME), _value(_UTF8, name.encode()))))
    body = _sequence(
        _value(_VERSION, _integer(2)),  # counted from 0: the third
        _integer(secrets.randbits(64) | 1),
        algorithm,
        named,
        _sequence(_time(now - timedelta(days=1)), _time(now + VALID_FOR)),
        named,
        _sequence(_sequence(_value(_OBJECT_ID, _RSA), _value(_NULL, b"")), _bits(_public_key(key))),
    )
    return _pem(_sequence(body, algorithm, _bits(key.sign(body, "sha256"))))


def _public_key(key: RsaKey) -> bytes:
    return _sequence(_integer(key.modulus), _integer(EXPONENT))


def _value(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def _sequence(*values: bytes) -> bytes:
    return _value(_SEQUENCE, b"".join(values))


def _integer(number: int) -> bytes:
    """A number that is not negative: its first bit is a zero."""
    return _value(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1))


def _bits(content: bytes) -> bytes:
    return _value(_BIT_STRING, b"\x00" + content)


def _time(when: datetime) -> bytes:
    return _value(_UTC_TIME, when.strftime("%y%m%d%H%M%SZ").encode())


def _pem(der: bytes) -> str:
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
