"""The reader of the rig's queues: few receives, and times that do not depend on them."""

import time
from dataclasses import fields
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from orderboard.ledger.queue_reader import QueueReader, came_at
from orderboard.system.target import Target
from orderboard_stack.backend import Endpoint
from orderboard_stack.outputs import StackOutputs


@pytest.fixture
def target(localbus: Localbus) -> Target:
    """A target without a stack."""
    return Target(Endpoint("embedded", localbus.url), StackOutputs(**{each.name: "" for each in fields(StackOutputs)}))


@pytest.fixture
def queue_url(target: Target) -> str:
    """An empty queue."""
    return target.sqs.create_queue(QueueName="outcomes")["QueueUrl"]


def _send(target: Target, queue_url: str, count: int) -> None:
    for number in range(count):
        target.sqs.send_message(QueueUrl=queue_url, MessageBody=str(number))


def _eventually(count: int, found: list[Any], within_s: float = 5) -> None:
    until = time.monotonic() + within_s
    while len(found) < count and time.monotonic() < until:
        time.sleep(0.01)


@pytest.mark.parametrize("threads", [1, 3])
def test_every_message_is_read_once_and_deleted(target: Target, queue_url: str, threads: int) -> None:
    """A backlog of more than ten full receives, so that the other threads help."""
    _send(target, queue_url, 150)
    found: list[str] = []

    with QueueReader(target, queue_url, lambda body, _: found.append(body), name="all", threads=threads):
        _eventually(150, found)

    assert sorted(map(int, found)) == list(range(150))
    attributes = target.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == attributes["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_messages_gather_between_receives(target: Target, queue_url: str) -> None:
    """Thirty messages, one after the other, take a handful of receives and keep their own times."""
    receives: list[str] = []
    target.sqs.meta.events.register("before-send.sqs.ReceiveMessage", lambda **_: receives.append("receive"))
    sent: list[tuple[float, float]] = []
    found: list[float] = []

    with QueueReader(target, queue_url, lambda _, at: found.append(at), name="few", gather_s=0.3):
        for _ in range(30):
            before = time.monotonic()
            _send(target, queue_url, 1)
            sent.append((before, time.monotonic()))
        _eventually(30, found)

    assert len(receives) <= 3 + 2 * (time.monotonic() - sent[0][0]) / 0.3
    for at, (before, after) in zip(sorted(found), sent, strict=True):
        assert before - 0.2 <= at <= after + 0.2  # two clocks are read one after the other, on a busy machine


@pytest.mark.parametrize(("sent_s_ago", "at_s_ago"), [(0.5, 0.5), (-60, 0), (60, 2)])
def test_a_wrong_clock_does_not_move_a_message_far(sent_s_ago: float, at_s_ago: float) -> None:
    """A message came after the queue was last empty, here two seconds ago, and before it was received."""
    now = time.monotonic()

    at = came_at(str(int((time.time() - sent_s_ago) * 1000)), emptied_at=now - 2)

    assert at == pytest.approx(now - at_s_ago, abs=0.05)
