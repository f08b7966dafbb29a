"""The certificate of the https port: self-signed, and kept in a folder, so that clients trust it once.

It is valid for the engine's own host names and may not sign other certificates.
Importing `cryptography` costs 30 ms and 10 MB, so it is imported when a certificate is needed.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Set
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, GeneralName

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_VALID_FOR = timedelta(days=820)  # Apple's systems refuse more than 825: https://support.apple.com/en-us/103769


def certificate_file(folder: Path) -> Path:
    """Return the file of the certificate alone: what a client has to trust."""
    return folder / "ca.pem"


def server_context(folder: Path, names: Set[str]) -> ssl.SSLContext:
    """Return the context of a server with these names, by the folder's certificate.

    A new one is made if there is none, if it has expired, or if it lacks a name; it keeps the names of the one before.
    """
    server = folder / "server.pem"
    known = _usable(server)
    if not known or not names <= known:
        folder.mkdir(parents=True, exist_ok=True)
        _write(server, "".join(_make(sorted(LOCAL_NAMES | names | known))), 0o600)
    text = server.read_text()
    certificate = text[text.index("-----BEGIN CERTIFICATE-----") :]
    if not certificate_file(folder).is_file() or certificate_file(folder).read_text() != certificate:
        _write(certificate_file(folder), certificate, 0o644)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(server)
    return context


def _usable(server: Path) -> Set[str]:
    """Return the names of a certificate; none if it is missing or expires within a day."""
    from cryptography import x509  # noqa: PLC0415

    if not server.is_file():
        return frozenset()
    certificate = x509.load_pem_x509_certificate(server.read_bytes())
    if certificate.not_valid_after_utc < datetime.now(UTC) + timedelta(days=1):
        return frozenset()
    named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return frozenset(str(one.value) for one in named)


def _make(names: list[str]) -> tuple[str, str]:
    """Return a new key and its certificate, as PEM."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    text = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    return text, _self_signed(key, names).public_bytes(serialization.Encoding.PEM).decode()


def _self_signed(key: EllipticCurvePrivateKey, names: list[str]) -> Certificate:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415

    now = datetime.now(UTC)
    common_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localbus")])
    return (
        x509.CertificateBuilder(issuer_name=common_name, subject_name=common_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID_FOR)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _general_name(name: str) -> GeneralName:
    from cryptography import x509  # noqa: PLC0415

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(file: Path, text: str, mode: int) -> None:
    """Write a file as a whole, so that another process that starts reads the old one or the new one."""
    with NamedTemporaryFile("w", dir=file.parent, delete=False) as new:
        new.write(text)
    Path(new.name).chmod(mode)
    Path(new.name).replace(file)
