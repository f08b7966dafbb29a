"""Signatures of SNS messages, verified as a subscriber does it: with the certificate at SigningCertURL.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from localbus.engine import Options
from localbus.pytest_plugin import Localbus
from localbus.rsa_key import RsaKey
from localbus_support import WebServer, eventually, new_queue

DIGESTS = {"1": "sha1", "2": "sha256"}
# What stands before the digest in a signature: its algorithm's name, in DER (RFC 8017, section 9.2, note 1).
INFO = {"1": "3021300906052b0e03021a05000414", "2": "3031300d060960864801650304020105000420"}
NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not on the path")


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server that remembers what it gets."""
    server = WebServer()
    yield server
    server.stop()


def signed_text(document: dict[str, str]) -> bytes:
    """What the signature is of."""
    names = NOTIFICATION if document["Type"] == "Notification" else CONFIRMATION
    return "".join(f"{name}\n{document[name]}\n" for name in names if name in document).encode()


def values(der: bytes) -> list[bytes]:
    """The contents of the DER values that lie one after the other in these bytes."""
    found: list[bytes] = []
    while der:
        size, start = der[1], 2
        if size >= 0x80:
            start += size - 0x80
            size = int.from_bytes(der[2:start])
        found.append(der[start : start + size])
        der = der[start + size :]
    return found


def public_key(pem: str) -> tuple[int, int]:
    """Modulus and exponent of a certificate: of the last but nothing in its body, past a byte of unused bits."""
    [certificate] = values(ssl.PEM_cert_to_DER_cert(pem))
    key = values(values(values(certificate)[0])[-1])[1]
    modulus, exponent = values(values(key[1:])[0])
    return int.from_bytes(modulus), int.from_bytes(exponent)


def verifies(document: dict[str, str]) -> bool:
    """Whether the signature is of this document, by the certificate that it names (RSASSA-PKCS1-v1_5)."""
    modulus, exponent = public_key(httpx.get(document["SigningCertURL"]).text)
    version = document["SignatureVersion"]
    size = (modulus.bit_length() + 7) // 8
    opened = pow(int.from_bytes(base64.b64decode(document["Signature"])), exponent, modulus).to_bytes(size)
    info = bytes.fromhex(INFO[version]) + hashlib.new(DIGESTS[version], signed_text(document)).digest()
    return opened == b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info


def test_what_goes_out_by_http_can_be_verified(localbus: Localbus, web: WebServer) -> None:
    """A confirmation and notifications verify in both versions, and no longer when a word of them is changed."""
    sns = localbus.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]

    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=web.url)
    httpx.get(json.loads(eventually(lambda: web.requests)[0].body)["SubscribeURL"])
    sns.publish(TopicArn=topic, Message="grüße\n", Subject="s")
    eventually(lambda: web.requests[1:])
    sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue="2")
    sns.publish(TopicArn=topic, Message="m")
    eventually(lambda: web.requests[2:])

    documents = [json.loads(request.body) for request in web.requests]
    assert [document["Type"] for document in documents] == ["SubscriptionConfirmation", "Notification", "Notification"]
    assert [document["SignatureVersion"] for document in documents] == ["1", "1", "2"]
    assert all(verifies(document) for document in documents)
    assert not any(verifies(document | {"Message": "another"}) for document in documents)


@needs_openssl
@pytest.mark.parametrize("version", ["1", "2"])
def test_openssl_takes_certificate_and_signature(
    localbus: Localbus, web: WebServer, tmp_path: Path, version: str
) -> None:
    """A verifier of other makers reads the certificate, finds it signed by its own key, and the signature good."""
    sns = localbus.client("sns")
    topic = sns.create_topic(Name="t", Attributes={"SignatureVersion": version})["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=web.url)
    document = json.loads(eventually(lambda: web.requests)[0].body)
    (tmp_path / "certificate.pem").write_text(httpx.get(document["SigningCertURL"]).text)
    (tmp_path / "signature").write_bytes(base64.b64decode(document["Signature"]))
    (tmp_path / "text").write_bytes(signed_text(document))

    def openssl(*arguments: str) -> str:
        done = subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout

    (tmp_path / "key.pem").write_text(openssl("x509", "-in", "certificate.pem", "-pubkey", "-noout"))
    verified = openssl("dgst", f"-{DIGESTS[version]}", "-verify", "key.pem", "-signature", "signature", "text")
    own = openssl("verify", "-CAfile", "certificate.pem", "certificate.pem")

    assert verified.strip() == "Verified OK"
    assert own.strip() == "certificate.pem: OK"


def test_a_queue_gets_a_digest_unless_everything_is_signed() -> None:
    """What nobody verifies costs no signature; with sign_everything a queue's messages verify as well."""
    for everything in (False, True):
        localbus = Localbus(Options(sign_everything=everything)).start()
        sns = localbus.client("sns")
        topic = sns.create_topic(Name="t")["TopicArn"]
        queue = new_queue(localbus, "q")
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)

        sns.publish(TopicArn=topic, Message="m")

        document: dict[str, Any] = json.loads(queue.bodies()[0])
        if everything:
            assert verifies(document)
        else:
            assert base64.b64decode(document["Signature"]) == hashlib.sha1(signed_text(document)).digest()  # noqa: S324
            assert document["SigningCertURL"].startswith("https://sns.us-east-1.amazonaws.com/")
        localbus.stop()


def test_no_key_is_made_before_it_is_needed() -> None:
    """A key takes long to make, so an engine starts without one; its second signature takes no second key."""
    key = RsaKey()
    assert "_made" not in vars(key)

    first = key.sign(b"text", "sha256")
    began = time.process_time()
    second = key.sign(b"text", "sha256")

    assert first == second
    assert time.process_time() - began < 0.1
    assert key.modulus.bit_length() == 2048
