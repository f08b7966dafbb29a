"""Delivery faults of a standard queue: as AWS permits them, on demand and by a seed (standard-queues)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from localbus.clock import ManualClock
from localbus.delivery_faults import DeliveryFaults, parse_faults
from localbus.journal import Journal
from localbus.pytest_plugin import Localbus
from localbus.sqs.message import Message
from localbus.sqs.unreliable_queue import UnreliableQueue

ARN = "arn:aws:sqs:us-east-1:000000000000:q"


def fill(queue: UnreliableQueue, numbers: range) -> UnreliableQueue:
    """Send messages with these numbers as bodies."""
    for number in numbers:
        queue.send(Message(str(number), str(number)))
    return queue


def filled(faults: DeliveryFaults) -> UnreliableQueue:
    """Return a queue with these faults and a hundred messages."""
    return fill(UnreliableQueue("q", ARN, ManualClock(), Journal(), faults), range(100))


def drained(queue: UnreliableQueue) -> list[int]:
    """Receive 400 times, delete each message at once, and return their numbers."""
    numbers = []
    for _ in range(400):
        for message, handle in queue.receive(1):
            numbers.append(int(message.body))
            queue.delete(handle)
    return numbers


def test_messages_are_reordered_and_none_is_lost() -> None:
    """Some messages overtake up to twenty others; all arrive."""
    numbers = drained(filled(DeliveryFaults(seed=1, reordering=0.3)))

    assert sorted(numbers) == list(range(100))
    assert numbers != list(range(100))
    assert max(abs(number - place) for place, number in enumerate(numbers)) <= 40


def test_some_messages_are_received_twice_at_a_time() -> None:
    """A duplicate is received while the first receive is still in flight."""
    queue = filled(DeliveryFaults(seed=1, duplicates=0.2))

    numbers = [int(message.body) for _ in range(200) for message, _ in queue.receive(1)]

    assert set(numbers) == set(range(100))
    assert 105 < len(numbers) < 160


def test_some_short_polls_miss() -> None:
    """A poll may return nothing although messages are there."""
    queue = filled(DeliveryFaults(seed=1, missed_polls=0.5))

    assert 10 < sum(bool(queue.receive(1)) for _ in range(60)) < 50


def test_the_same_seed_gives_the_same_faults() -> None:
    """A failure can be reproduced."""
    faults = DeliveryFaults(seed=7, duplicates=0.1, reordering=0.2, missed_polls=0.1)

    assert drained(filled(faults)) == drained(filled(faults))
    assert drained(filled(faults)) != drained(filled(DeliveryFaults(8, 0.1, 0.2, 0.1)))


def test_messages_stay_when_faults_are_set() -> None:
    """The order of messages in the queue stays, and later ones overtake some of them; none is lost."""
    queue = filled(DeliveryFaults())
    queue.set_faults(DeliveryFaults(seed=1, reordering=1))

    numbers = drained(fill(queue, range(100, 120)))

    assert sorted(numbers) == list(range(120))
    assert numbers[:80] == list(range(80))
    assert numbers != list(range(120))


def test_faults_on_the_command_line() -> None:
    """The command line's form is read, and a value that is not a probability is rejected."""
    assert parse_faults("seed=7,duplicates=0.05") == DeliveryFaults(7, 0.05)
    with pytest.raises(ValueError, match="probability"):
        parse_faults("duplicates=5")


@pytest.fixture
def page(localbus: Localbus) -> str:
    """The address of the delivery faults."""
    return f"{localbus.url}/_localbus/disorder"


def received(sqs: Any, url: str) -> list[str]:
    """Receive once and return the bodies."""
    return [message["Body"] for message in sqs.receive_message(QueueUrl=url).get("Messages", [])]


def test_faults_of_a_running_engine(localbus: Localbus, page: str, sqs: Any) -> None:
    """Faults apply at once, to existing and new queues, until {} ends them."""
    assert httpx.get(page).json() == {}
    old = sqs.create_queue(QueueName="old")["QueueUrl"]

    faults = httpx.put(page, json={"seed": 1, "duplicates": 1}).json()
    new = sqs.create_queue(QueueName="new")["QueueUrl"]

    assert (faults["seed"], faults["duplicates"], faults["reordering"]) == (1, 1, 0)
    for url in (old, new):
        sqs.send_message(QueueUrl=url, MessageBody="b")
        assert [received(sqs, url) for _ in range(3)] == [["b"]] * 3
    assert httpx.put(page, json={}).json() == {}
    assert [received(sqs, old) for _ in range(2)] == [["b"], []]


def test_a_duplicate_brings_no_message_nearer_to_the_dead_letter_queue(page: str, sqs: Any) -> None:
    """The server that holds the copy missed the receive, so only the others count towards maxReceiveCount.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html
    """
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": ARN.removesuffix("q") + "dead", "maxReceiveCount": 2})
    url = sqs.create_queue(QueueName="q", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="an order")
    httpx.put(page, json={"duplicates": 1})
    assert [received(sqs, url) for _ in range(5)] == [["an order"]] * 5
    httpx.put(page, json={})

    assert [received(sqs, url) for _ in range(3)] == [["an order"], ["an order"], []]
    assert received(sqs, dead) == ["an order"]


def test_faults_of_one_queue(page: str, sqs: Any) -> None:
    """A named queue has its own faults instead of the default."""
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("poor", "calm")]
    for url in urls:
        sqs.send_message(QueueUrl=url, MessageBody="b")

    httpx.put(page, json={"queues": {"poor": {"missed_polls": 1}}})

    assert [received(sqs, url) for url in urls] == [[], ["b"]]


@pytest.mark.parametrize(
    "given",
    [
        [], None, 5, {"duplicates": 2}, {"duplicates": "x"}, {"duplicates": None}, {"seed": {}}, {"duplicated": 1},
        {"queues": []}, {"queues": {"q": 1}}, {"queues": {"q": {"duplicates": -1}}}, {"seed": "1e999"},
    ],
)  # fmt: skip
def test_invalid_faults(page: str, given: Any) -> None:
    """They are rejected with a reason, and nothing changes."""
    httpx.put(page, json={"duplicates": 0.5})

    answer = httpx.put(page, json=given)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert httpx.get(page).json()["duplicates"] == 0.5
