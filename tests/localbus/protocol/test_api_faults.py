"""Injected API faults, as a client sees them."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from localbus.pytest_plugin import Localbus

READ_TIMEOUT_S = 0.5


class Scene:
    """A queue, a client that does not retry, and the faults of its engine."""

    def __init__(self, localbus: Localbus) -> None:
        self.page = f"{localbus.url}/_localbus/faults"
        once = Config(retries={"total_max_attempts": 1}, read_timeout=READ_TIMEOUT_S)
        self.sqs = localbus.client("sqs", config=once)
        self.url = self.sqs.create_queue(QueueName="q")["QueueUrl"]

    def set_fault(self, **rule: Any) -> None:
        """Set one fault of SendMessage."""
        given = {"action": "SendMessage", "probability": 1.0, **rule}
        assert httpx.put(self.page, json={"seed": 7, "rules": [given]}).json()["rules"][0]["kind"] == rule["kind"]

    def send(self) -> None:
        """Send a message."""
        self.sqs.send_message(QueueUrl=self.url, MessageBody="b")

    def count(self) -> int:
        """Return the number of messages that have arrived."""
        name = "ApproximateNumberOfMessages"
        return int(self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])["Attributes"][name])


@pytest.fixture
def scene(localbus: Localbus) -> Scene:
    """A queue without faults."""
    return Scene(localbus)


@pytest.mark.parametrize(
    ("kind", "error", "code", "arrived"),
    [
        ("throttle", ClientError, "RequestThrottled", 0),
        ("error_before", ClientError, "InternalFailure", 0),
        ("error_after", ClientError, "InternalFailure", 1),
        ("drop", ConnectionClosedError, "Connection was closed", 0),
        ("timeout_after", ReadTimeoutError, "Read timeout", 1),
        ("timeout_after/10", ConnectionClosedError, "Connection was closed", 1),
    ],
)
def test_errors(scene: Scene, kind: str, error: type[Exception], code: str, arrived: int) -> None:
    """Only `error_after` and `timeout_after` send the message; the latter has no answer, as a dropped connection."""
    name, _, latency_ms = kind.partition("/")
    scene.set_fault(kind=name, latency_ms=int(latency_ms or 0))

    with pytest.raises(error, match=code):
        scene.send()

    assert scene.count() == arrived


def test_latency(scene: Scene) -> None:
    """The answer is late, and right."""
    scene.set_fault(kind="latency", latency_ms=200)
    started = time.monotonic()

    scene.send()

    assert time.monotonic() - started >= 0.2
    assert scene.count() == 1


def test_some_of_many(scene: Scene) -> None:
    """About half of the requests fail at a probability of 0.5, and none without rules."""
    scene.set_fault(kind="error_before", probability=0.5)
    failures = 0
    for _ in range(60):
        try:
            scene.send()
        except ClientError:
            failures += 1
    assert 15 < failures < 45

    httpx.put(scene.page, json={})
    scene.send()

    assert scene.count() == 61 - failures


@pytest.mark.parametrize(
    "document",
    ["[]", '{"rulez": []}', '{"rules": [{}]}', '{"rules": [{"action": "*", "kind": "x", "probability": 1}]}', "{"],
)
def test_invalid_rules(scene: Scene, document: str) -> None:
    """They are rejected."""
    assert httpx.put(scene.page, content=document).status_code == 400
