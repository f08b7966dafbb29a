"""What the tests of SNS share: queues that let a topic send, a web server that remembers, and waiting."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest
from botocore.exceptions import ClientError
from localbus.pytest_plugin import Localbus
from web_server import Received, WebServer

__all__ = ["ACCOUNT", "QueueOf", "Received", "WebServer", "eventually", "journal", "new_queue", "refused"]

ACCOUNT = "000000000000"


def refused(action: Any, **given: Any) -> tuple[str, str]:
    """The code and the message of the error that AWS answers."""
    with pytest.raises(ClientError) as raised:
        action(**given)
    error = raised.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


class QueueOf(NamedTuple):
    """A queue of an engine."""

    sqs: Any
    url: str
    arn: str

    def receive(self) -> list[dict[str, Any]]:
        """Take everything that is there, with all its attributes."""
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
        """Take all messages and return their bodies, which are JSON."""
        found: list[Any] = []
        while messages := self.receive():
            found += [json.loads(message["Body"]) for message in messages]
        return found

    def bodies(self) -> list[str]:
        """The bodies of everything that is there."""
        return [message["Body"] for message in self.receive()]


def new_queue(localbus: Localbus, name: str, *, open_to: str | None = "sns") -> QueueOf:
    """Create a queue to which a service, by default SNS, may send."""
    sqs = localbus.client("sqs")
    attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    if open_to:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": f"{open_to}.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:{open_to}:us-east-1:{ACCOUNT}:*"}},
        }
        attributes["Policy"] = json.dumps({"Statement": [statement]})
    return QueueOf(sqs, sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], arn)


def journal(localbus: Localbus, **wanted: str) -> list[dict[str, Any]]:
    """Entries of the journal."""
    entries: list[dict[str, Any]] = httpx.get(f"{localbus.url}/_localbus/journal", params=wanted).json()["entries"]
    return entries


def eventually(check: Callable[[], Any], within_s: float = 5.0) -> Any:
    """What the check answers, once that is true."""
    deadline = time.monotonic() + within_s
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return found
