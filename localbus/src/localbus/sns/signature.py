"""Signatures of messages, by a key that the engine makes and a certificate that it serves.

Subscribers by HTTP can verify them once they trust that address. A signature costs as much as publishing to a queue, so
messages for queues and functions, which rarely verify, have the digest that AWS would sign in its place, unless
`--sign-everything` is given.
Source: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localbus.storage.storage import Storage

if TYPE_CHECKING:
    from localbus.sns.signing_key import Digest, SigningKey

_SIGNER = "sns.signer"  # the kind of the only record of a signer
_FILE = "/SimpleNotificationService-"
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_DIGESTS: Mapping[str, Digest] = {"1": "sha1", "2": "sha256"}
_VERIFIED = {"http", "https"}  # where AWS asks subscribers to verify signatures


def text_to_sign(document: Mapping[str, str]) -> str:
    """Return the signed names and values, a line for each."""
    names = _NOTIFICATION if document["Type"] == "Notification" else _CONFIRMATION
    return "".join(f"{name}\n{document[name]}\n" for name in names if name in document)


def digest(document: Mapping[str, str], version: str) -> dict[str, str]:
    """Return the members for the signature, with the digest in its place."""
    region = document["TopicArn"].split(":")[3]
    certificate = hashlib.md5(region.encode(), usedforsecurity=False).hexdigest()
    hashed = hashlib.new(_DIGESTS[version], text_to_sign(document).encode(), usedforsecurity=False).digest()
    address = f"https://sns.{region}.amazonaws.com{_FILE}{certificate}.pem"
    return _members(version, hashed, address)


class Signer:
    """One key and its certificate, which is served at `path`. Both are made when they are first needed, in any thread.

    They are stored before a signature leaves the engine: subscribers keep certificates by their address.
    """

    def __init__(self, storage: Storage, *, sign_everything: bool = False) -> None:
        self._storage = storage
        self._sign_everything = sign_everything
        self._document: dict[str, str] = next((record.document for record in storage.records(_SIGNER)), {})
        self._is_stored = bool(self._document)
        self.path = self._document.get("path") or f"{_FILE}{secrets.token_hex(16)}.pem"
        self._making = threading.Lock()
        self.https_port: int | None = None

    def for_protocol(self, protocol: str) -> Signer | None:
        """Return the signer for what is sent by this protocol, or None for a digest in place of the signature."""
        return self if self._sign_everything or protocol in _VERIFIED else None

    @property
    def certificate(self) -> str:
        """The certificate as PEM."""
        if not self._document:
            _ = self._key
        return self._document["certificate"]

    async def stored(self) -> None:
        """Return once the key, which may have been made in another thread, is on disk. Raises NotStoredError."""
        if not self._is_stored:
            self._store()
            await self._storage.stored()
            self._is_stored = True

    def _store(self) -> None:
        self._storage.save(_SIGNER, "", lambda: self._document)

    @property
    def _key(self) -> SigningKey:
        with self._making:
            return self._made

    @cached_property
    def _made(self) -> SigningKey:
        from localbus.sns.signing_key import SigningKey  # noqa: PLC0415

        if self._document:
            return SigningKey(self._document["key"])
        key = SigningKey()
        certificate = key.certificate("sns.amazonaws.com of localbus")
        self._document = {"path": self.path, "key": key.pem(), "certificate": certificate}
        with suppress(RuntimeError):  # in a thread: then `stored` follows
            asyncio.get_running_loop()
            self._store()
        return key

    def sign(self, document: Mapping[str, str], version: str, base_url: str) -> dict[str, str]:
        """Return the members for the signature: of a SHA-1 digest in version 1, of SHA-256 in version 2."""
        signature = self._key.sign(text_to_sign(document).encode(), _DIGESTS[version])
        return _members(version, signature, f"{self._secure(base_url)}{self.path}")

    def _secure(self, base_url: str) -> str:
        """Return the address of the https port, if there is one: validators refuse certificates by http."""
        if self.https_port is None or base_url.startswith("https://"):
            return base_url
        host = urlsplit(base_url).hostname or "localhost"
        return f"https://{f'[{host}]' if ':' in host else host}:{self.https_port}"


def _members(version: str, signature: bytes, certificate_url: str) -> dict[str, str]:
    return {
        "SignatureVersion": version,
        "Signature": base64.b64encode(signature).decode(),
        "SigningCertURL": certificate_url,
    }
