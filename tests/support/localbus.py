"""Helpers for tests of localbus: queues that allow SNS or EventBridge to send, errors, the journal and waiting."""

from __future__ import annotations

import json
import logging
from typing import Any, NamedTuple

import httpx
import pytest
from botocore.exceptions import ClientError
from localbus.pytest_plugin import Localbus

from support.policies import policy
from support.web_server import Received, WebServer

__all__ = ["ACCOUNT", "QueueOf", "Received", "WebServer", "error_of", "journal", "losses", "new_queue", "refused"]

ACCOUNT = "000000000000"


def refused(action: Any, **given: Any) -> tuple[str, str]:
    """Return the code and the message of the error that a boto3 call raises."""
    return error_of(action, **given)[:2]


def error_of(action: Any, **given: Any) -> tuple[str, str, int]:
    """Return the code, the message and the HTTP status of the error that a boto3 call raises."""
    with pytest.raises(ClientError) as raised:
        action(**given)
    response = raised.value.response
    code, message = response["Error"]["Code"], response["Error"]["Message"]
    return str(code), str(message), int(response["ResponseMetadata"]["HTTPStatusCode"])


def losses(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines that the log has about messages that went astray."""
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


class QueueOf(NamedTuple):
    """A queue of an engine."""

    sqs: Any
    url: str
    arn: str

    def receive(self) -> list[dict[str, Any]]:
        """Receive and delete up to ten messages, with all attributes."""
        answer = self.sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return messages

    def drain(self) -> list[Any]:
        """Receive and delete all messages, and return their bodies, read as JSON."""
        found: list[Any] = []
        while messages := self.receive():
            found += [json.loads(message["Body"]) for message in messages]
        return found

    def bodies(self) -> list[str]:
        """Receive and delete up to ten messages, and return their bodies."""
        return [message["Body"] for message in self.receive()]


def new_queue(localbus: Localbus, name: str, *, open_to: str | None = "sns") -> QueueOf:
    """Create a queue to which a service, by default SNS, may send."""
    sqs = localbus.client("sqs")
    attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    if open_to:
        source = {"ArnLike": f"arn:aws:{open_to}:us-east-1:{ACCOUNT}:*"}
        attributes["Policy"] = policy("sqs:SendMessage", arn, open_to, source=source)
    return QueueOf(sqs, sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], arn)


def journal(localbus: Localbus, **filters: str) -> list[dict[str, Any]]:
    """Return the journal's entries that match."""
    entries: list[dict[str, Any]] = httpx.get(f"{localbus.url}/_localbus/journal", params=filters).json()["entries"]
    return entries
