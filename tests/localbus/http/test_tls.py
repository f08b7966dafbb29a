"""The https port and its certificate. sns/test_signature.py has the addresses that SNS messages show."""

from __future__ import annotations

import ssl
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from localbus.engine import Options, Tls
from localbus.http.tls import certificate_file, server_context
from localbus.pytest_plugin import Localbus

Start = Callable[[Options], Localbus]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start engines that stop after the test."""
    engines: list[Localbus] = []

    def started(options: Options) -> Localbus:
        engines.append(Localbus(options).start())
        return engines[-1]

    yield started
    for engine in engines:
        engine.stop()


def strict(folder: Path) -> ssl.SSLContext:
    """The context of a client that trusts the folder's certificate, as strict as Python 3.13 makes one."""
    context = ssl.create_default_context(cafile=certificate_file(folder))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def test_both_schemes_reach_one_engine(start: Start, tmp_path: Path) -> None:
    """A queue made by http is found by https, where its URL is https; a client without the certificate is refused."""
    engine = start(Options(tls=Tls(tmp_path)))
    made = engine.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    secure = str(engine.engine.https_url)

    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{secure}/_localbus/health", trust_env=False)
    with httpx.Client(verify=strict(tmp_path), trust_env=False) as client:
        queues = client.get(f"{secure}/?Action=ListQueues&Version=2012-11-05").text
        named = client.get(secure.replace("127.0.0.1", "localhost") + "/_localbus/health")

    assert f"<QueueUrl>{made.replace(engine.url, secure)}</QueueUrl>" in queues
    assert named.status_code == 200


def test_the_certificate_is_kept(tmp_path: Path) -> None:
    """A second start with known names leaves it; a new name makes another one that has all names."""
    server_context(tmp_path, {"127.0.0.1"})
    first = certificate_file(tmp_path).read_text()
    certificate_file(tmp_path).unlink()
    server_context(tmp_path, {"localhost", "::1"})
    second = certificate_file(tmp_path).read_text()
    server_context(tmp_path, {"bus.example"})
    server_context(tmp_path, {"other.example"})

    assert second == first
    certificate = x509.load_pem_x509_certificate(certificate_file(tmp_path).read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(one.value) for one in names} == {"localhost", "127.0.0.1", "::1", "bus.example", "other.example"}
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert stat.S_IMODE((tmp_path / "server.pem").stat().st_mode) == 0o600
    assert "PRIVATE KEY" not in certificate_file(tmp_path).read_text()


def test_an_expired_certificate_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate in its last day makes room for a new one at the next start."""
    with monkeypatch.context() as patched:
        patched.setattr("localbus.http.tls._VALID_FOR", timedelta(hours=23))
        server_context(tmp_path, {"127.0.0.1"})

    server_context(tmp_path, {"127.0.0.1"})

    certificate = x509.load_pem_x509_certificate(certificate_file(tmp_path).read_bytes())
    assert certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=800)
