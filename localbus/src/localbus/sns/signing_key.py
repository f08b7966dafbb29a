"""The RSA key of an engine's signatures, and its self-signed certificate.

The key protects nothing: it lets subscribers test how they verify signatures. Importing this module costs 30 ms
of CPU and 10 MB for `cryptography`, so it is imported for the first signature.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

BITS = 2048
VALID_FOR = timedelta(days=3650)

Digest = Literal["sha1", "sha256"]
_HASHES: dict[Digest, hashes.HashAlgorithm] = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}  # noqa: S303


class SigningKey:
    """A key pair, new or from its PEM. It may sign in any thread."""

    def __init__(self, pem: str | None = None) -> None:
        if pem is None:
            self._key = rsa.generate_private_key(public_exponent=65_537, key_size=BITS)
        else:
            self._key = cast(rsa.RSAPrivateKey, serialization.load_pem_private_key(pem.encode(), None))

    def pem(self) -> str:
        """Return the private key as PEM, without a password."""
        form, encryption = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self._key.private_bytes(serialization.Encoding.PEM, form, encryption).decode()

    def sign(self, text: bytes, digest: Digest) -> bytes:
        """Return the signature of the text's digest (RSASSA-PKCS1-v1_5)."""
        return self._key.sign(text, padding.PKCS1v15(), _HASHES[digest])

    def certificate(self, name: str) -> str:
        """Return the key's certificate in this name, as PEM, valid from yesterday on by the real clock."""
        now = datetime.now(UTC)
        common_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = (
            x509.CertificateBuilder(issuer_name=common_name, subject_name=common_name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + VALID_FOR)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM).decode()
