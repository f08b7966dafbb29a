"""Signatures of SNS messages, verified as subscribers do: with the certificate at SigningCertURL.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from localbus.engine import Options, Tls
from localbus.pytest_plugin import Localbus
from localbus.sns.signature import Signer
from localbus.storage.storage import Storage
from support.localbus import WebServer, new_queue
from support.waiting import poll_until

HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303
NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def signed_text(document: dict[str, str]) -> bytes:
    """Return the text that is signed."""
    names = NOTIFICATION if document["Type"] == "Notification" else CONFIRMATION
    return "".join(f"{name}\n{document[name]}\n" for name in names if name in document).encode()


def certificate_of(document: dict[str, str]) -> x509.Certificate:
    """Return the certificate at SigningCertURL."""
    return x509.load_pem_x509_certificate(httpx.get(document["SigningCertURL"]).content)


def verifies(document: dict[str, str]) -> bool:
    """Return whether the certificate verifies the signature of the document (RSASSA-PKCS1-v1_5)."""
    key = certificate_of(document).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    signature = base64.b64decode(document["Signature"])
    try:
        key.verify(signature, signed_text(document), padding.PKCS1v15(), HASHES[document["SignatureVersion"]])
    except InvalidSignature:
        return False
    return True


def test_messages_by_http_can_be_verified(localbus: Localbus, web: WebServer) -> None:
    """A confirmation and notifications verify in both versions, and fail to once a word of them is changed."""
    sns = localbus.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]

    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=web.url)
    httpx.get(json.loads(poll_until(lambda: web.requests)[0].body)["SubscribeURL"])
    sns.publish(TopicArn=topic, Message="grüße\n", Subject="s")
    poll_until(lambda: web.requests[1:])
    sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue="2")
    sns.publish(TopicArn=topic, Message="m")
    poll_until(lambda: web.requests[2:])

    documents = [json.loads(request.body) for request in web.requests]
    assert [document["Type"] for document in documents] == ["SubscriptionConfirmation", "Notification", "Notification"]
    assert [document["SignatureVersion"] for document in documents] == ["1", "1", "2"]
    assert all(verifies(document) for document in documents)
    assert not any(verifies(document | {"Message": "another"}) for document in documents)


def test_the_certificate_is_self_signed(localbus: Localbus, web: WebServer) -> None:
    """The certificate has an RSA key of 2048 bits, is signed by that key, and is valid."""
    sns = localbus.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]

    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=web.url)

    certificate = certificate_of(json.loads(poll_until(lambda: web.requests)[0].body))
    certificate.verify_directly_issued_by(certificate)
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 2048
    assert certificate.not_valid_before_utc < datetime.now(UTC) < certificate.not_valid_after_utc


@pytest.mark.parametrize(
    ("public_url", "tls", "expected"),
    [
        (None, True, "https://127.0.0.1:TLS"),
        ("https://bus.example:8443", True, "https://bus.example:8443"),
        ("http://bus.example", True, "https://bus.example:TLS"),
        ("http://bus.example", False, "http://bus.example"),
    ],
    ids=["from-the-request", "public", "public-http", "without-tls"],
)
def test_the_addresses_of_messages(
    web: WebServer, tmp_path: Path, *, public_url: str | None, tls: bool, expected: str
) -> None:
    """SigningCertURL is https where there is an https port; a public URL also leads SubscribeURL and queue URLs."""
    localbus = Localbus(Options(public_url=public_url, tls=Tls(tmp_path) if tls else None)).start()
    sns = localbus.client("sns")

    sns.subscribe(TopicArn=sns.create_topic(Name="t")["TopicArn"], Protocol="http", Endpoint=web.url)
    document = json.loads(poll_until(lambda: web.requests)[0].body)
    queue_url = localbus.client("sqs").create_queue(QueueName="q")["QueueUrl"]

    expected = expected.replace("TLS", str(localbus.engine.sns.signer.https_port))
    assert document["SigningCertURL"].startswith(f"{expected}/SimpleNotificationService-")
    assert document["SubscribeURL"].startswith(f"{public_url or localbus.url}/?Action=ConfirmSubscription")
    assert queue_url == f"{public_url or localbus.url}/000000000000/q"
    localbus.stop()


def test_a_queue_gets_a_digest_unless_everything_is_signed() -> None:
    """By default messages for queues are not signed; with sign_everything they verify as well."""
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


def test_cryptography_is_imported_for_signatures_only() -> None:
    """An engine that delivers only to queues never imports the library for signatures, which takes 10 MB."""
    program = """
import json, sys
from localbus.pytest_plugin import Localbus

localbus = Localbus().start()
sns, sqs = localbus.client("sns"), localbus.client("sqs")
topic = sns.create_topic(Name="t")["TopicArn"]
queue = sqs.create_queue(QueueName="q")["QueueUrl"]
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:000000000000:q")
sns.publish(TopicArn=topic, Message="m")
localbus.stop()
print(json.dumps("cryptography" in sys.modules))
"""

    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert json.loads(done.stdout) is False


def test_all_threads_share_one_key() -> None:
    """Threads that sign while the key is made wait for it, so that the certificate verifies every signature."""
    signer = Signer(Storage())
    document = {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:000000000000:t", "Message": "m"}

    with ThreadPoolExecutor(8) as threads:
        signed = list(threads.map(lambda _: signer.sign(document, "2", "http://localhost"), range(8)))

    assert len({each["Signature"] for each in signed}) == 1
