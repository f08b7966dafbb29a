"""What the tests of SNS share: queues that let a topic send, a web server that remembers, and waiting."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import httpx
import pytest
from botocore.exceptions import ClientError
from localbus.pytest_plugin import Localbus

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

    def bodies(self) -> list[str]:
        """The bodies of everything that is there."""
        return [message["Body"] for message in self.receive()]


def new_queue(localbus: Localbus, name: str, *, open_to_sns: bool = True) -> QueueOf:
    """A queue, to which SNS may send unless it is told not to."""
    sqs = localbus.client("sqs")
    attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    if open_to_sns:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:*"}},
        }
        attributes["Policy"] = json.dumps({"Statement": [statement]})
    return QueueOf(sqs, sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], arn)


def journal(localbus: Localbus, **wanted: str) -> list[dict[str, Any]]:
    """Entries of the journal."""
    entries: list[dict[str, Any]] = httpx.get(f"{localbus.url}/_localbus/journal", params=wanted).json()["entries"]
    return entries


class Received(NamedTuple):
    """A request that a web server got."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


class WebServer:
    """A server that remembers requests. It answers with the next of `statuses`, or with 200; `answers` has bodies."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.statuses: list[int] = []
        self.answers: dict[tuple[str, str], tuple[int, bytes]] = {}
        remember, server = self._remember, ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Received(self.command, self.path, headers, self.rfile.read(length).decode())
                status, body = remember(request)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_given: object) -> None:
                """Say nothing."""

        server.RequestHandlerClass = Handler
        self._server = server
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def _remember(self, request: Received) -> tuple[int, bytes]:
        self.requests.append(request)
        fixed = self.answers.get((request.method, request.path))
        if fixed is not None:
            return fixed
        return (self.statuses.pop(0) if self.statuses else 200), b""

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def eventually(check: Callable[[], Any], within_s: float = 5.0) -> Any:
    """What the check answers, once that is true."""
    deadline = time.monotonic() + within_s
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return found
