"""Faults on demand, and what a client sees of them."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from localbus.pytest_plugin import Localbus


class Scene:
    """A queue, a client that does not retry, and the page of faults."""

    def __init__(self, localbus: Localbus) -> None:
        self.page = f"{localbus.url}/_localbus/faults"
        self.sqs = localbus.client("sqs", config=Config(retries={"total_max_attempts": 1}))
        self.url = self.sqs.create_queue(QueueName="q")["QueueUrl"]

    def ask(self, **rule: Any) -> None:
        """Ask for one fault of SendMessage."""
        given = {"action": "SendMessage", "probability": 1.0, **rule}
        assert httpx.put(self.page, json={"seed": 7, "rules": [given]}).json()["rules"][0]["kind"] == rule["kind"]

    def send(self) -> None:
        """Send a message."""
        self.sqs.send_message(QueueUrl=self.url, MessageBody="b")

    def count(self) -> int:
        """How many messages have arrived."""
        name = "ApproximateNumberOfMessages"
        return int(self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])["Attributes"][name])


@pytest.fixture
def scene(localbus: Localbus) -> Scene:
    """No faults yet."""
    return Scene(localbus)


@pytest.mark.parametrize(
    ("kind", "code", "arrived"),
    [
        ("throttle", "RequestThrottled", 0),
        ("error_before", "InternalFailure", 0),
        ("error_after", "InternalFailure", 1),
    ],
)
def test_errors(scene: Scene, kind: str, code: str, arrived: int) -> None:
    """A throttled request and one that fails before are not done; one that fails after is."""
    scene.ask(kind=kind)

    with pytest.raises(ClientError, match=code):
        scene.send()

    assert scene.count() == arrived


def test_a_dropped_connection(scene: Scene) -> None:
    """The client gets no answer, and nothing is done."""
    scene.ask(kind="drop")

    with pytest.raises(ConnectionClosedError):
        scene.send()

    assert scene.count() == 0


def test_latency(scene: Scene) -> None:
    """The answer is late, and right."""
    scene.ask(kind="latency", latency_ms=200)
    started = time.monotonic()

    scene.send()

    assert time.monotonic() - started >= 0.2
    assert scene.count() == 1


def test_some_of_many(scene: Scene) -> None:
    """A probability is kept roughly, and no rules are no faults."""
    scene.ask(kind="error_before", probability=0.5)
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
def test_what_is_no_rule(scene: Scene, document: str) -> None:
    """It is refused, and says what a rule is."""
    assert httpx.put(scene.page, content=document).status_code == 400
