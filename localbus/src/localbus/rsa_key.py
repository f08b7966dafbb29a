"""An RSA key that is made when it is first needed, and the one thing that is done with it: signing (PKCS #1 v1.5).

Python has big integers and no RSA; a library for it would be larger than this engine. The key protects nothing: it lets
subscribers try how they verify signatures. Source: RFC 8017, sections 8.2 and 9.2.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from functools import cached_property
from typing import Literal, NamedTuple

BITS = 2048
EXPONENT = 65_537
_ROUNDS = 8  # of Miller and Rabin's test; a composite of this size passes one by far less than the worst case's 1/4
_SMALL_PRIMES = [n for n in range(3, 2000, 2) if all(n % divisor for divisor in range(3, int(n**0.5) + 1, 2))]

Digest = Literal["sha1", "sha256"]
# The DER of a DigestInfo up to the digest itself.
_DIGEST_INFO = {
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
}


class _Numbers(NamedTuple):
    """The modulus, its primes, and what the Chinese remainder theorem makes of the private exponent."""

    modulus: int
    p: int
    q: int
    exponent_p: int
    exponent_q: int
    inverse_q: int


class RsaKey:
    """A key pair. Making it takes up to a second, signing some milliseconds; both may be done in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @property
    def modulus(self) -> int:
        """The public key, with EXPONENT."""
        return self._numbers.modulus

    def sign(self, text: bytes, digest: Digest) -> bytes:
        """The signature of the text's digest."""
        numbers = self._numbers
        padded = int.from_bytes(_padded(hashlib.new(digest, text, usedforsecurity=False).digest(), digest))
        by_p = pow(padded, numbers.exponent_p, numbers.p)
        by_q = pow(padded, numbers.exponent_q, numbers.q)
        signature = by_q + (by_p - by_q) * numbers.inverse_q % numbers.p * numbers.q
        return signature.to_bytes(BITS // 8)

    @property
    def _numbers(self) -> _Numbers:
        with self._lock:
            return self._made

    @cached_property
    def _made(self) -> _Numbers:
        while True:
            p, q = _prime(BITS // 2), _prime(BITS // 2)
            if p != q and (p - 1) % EXPONENT and (q - 1) % EXPONENT:
                exponent = pow(EXPONENT, -1, (p - 1) * (q - 1))
                return _Numbers(p * q, p, q, exponent % (p - 1), exponent % (q - 1), pow(q, -1, p))


def _padded(digest: bytes, name: Digest) -> bytes:
    info = _DIGEST_INFO[name] + digest
    return b"\x00\x01" + b"\xff" * (BITS // 8 - len(info) - 3) + b"\x00" + info


def _prime(bits: int) -> int:
    """A random prime whose two highest bits are set, so that the product of two has exactly twice the bits."""
    while True:
        candidate = secrets.randbits(bits) | 3 << (bits - 2) | 1
        if all(candidate % prime for prime in _SMALL_PRIMES) and _is_probably_prime(candidate):
            return candidate


def _is_probably_prime(number: int) -> bool:
    """The test of Miller and Rabin."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(number, odd, twos, 2 + secrets.randbelow(number - 3)) for _ in range(_ROUNDS))


def _passes(number: int, odd: int, twos: int, base: int) -> bool:
    power = pow(base, odd, number)
    if power in {1, number - 1}:
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False
