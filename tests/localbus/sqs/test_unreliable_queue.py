"""DeliveryFaults: what AWS may do with a standard queue, on demand and by a seed (standard-queues)."""

from __future__ import annotations

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


def filled(disorder: DeliveryFaults, messages: int = 100) -> UnreliableQueue:
    """A queue of that disorder with so many messages."""
    queue = UnreliableQueue("q", ARN, ManualClock(), Journal(), disorder)
    for number in range(messages):
        queue.send(Message(str(number), str(number)))
    return queue


def drained(queue: UnreliableQueue, receives: int = 400) -> list[str]:
    """Everything that so many receives bring, deleted at once."""
    bodies = []
    for _ in range(receives):
        for message, handle in queue.receive(1):
            bodies.append(message.body)
            queue.delete(handle)
    return bodies


def test_messages_come_in_another_order_and_none_is_lost() -> None:
    """Some overtake others; all come."""
    queue = filled(DeliveryFaults(seed=1, reordering=0.3))

    bodies = drained(queue)

    assert sorted(bodies, key=int) == [str(number) for number in range(100)]
    assert bodies != sorted(bodies, key=int)
    assert max(abs(int(body) - place) for place, body in enumerate(bodies)) <= 40


def test_some_messages_are_given_twice_at_a_time() -> None:
    """A duplicate is received by another while the first still works on it."""
    queue = filled(DeliveryFaults(seed=1, duplicates=0.2))

    bodies = [message.body for _ in range(200) for message, _ in queue.receive(1)]

    assert set(bodies) == {str(number) for number in range(100)}
    assert 105 < len(bodies) < 160


def test_some_short_polls_miss() -> None:
    """A poll may come back empty although messages are there."""
    queue = filled(DeliveryFaults(seed=1, missed_polls=0.5))

    found = [bool(queue.receive(1)) for _ in range(60)]

    assert 10 < sum(found) < 50


def test_the_same_seed_gives_the_same_disorder() -> None:
    """A failure can be had again."""
    disorder = DeliveryFaults(seed=7, duplicates=0.1, reordering=0.2, missed_polls=0.1)

    assert drained(filled(disorder)) == drained(filled(disorder))
    assert drained(filled(disorder)) != drained(filled(DeliveryFaults(8, 0.1, 0.2, 0.1)))


def test_a_disorder_is_told_in_words() -> None:
    """The command line's form is read, and a probability is one."""
    assert parse_faults("seed=7,duplicates=0.05") == DeliveryFaults(7, 0.05)
    with pytest.raises(ValueError, match="probability"):
        parse_faults("duplicates=5")


def ask(localbus: Localbus, disorder: Any) -> httpx.Response:
    """Ask a running engine for a disorder."""
    return httpx.put(f"{localbus.url}/_localbus/disorder", json=disorder)


def received(sqs: Any, url: str) -> list[str]:
    """The body of what one receive brings, if anything."""
    return [message["Body"] for message in sqs.receive_message(QueueUrl=url).get("Messages", [])]


def test_a_running_engine_is_disturbed_and_calmed(localbus: Localbus) -> None:
    """What is asked for holds at once, for queues that are there and those to come, until {} ends it."""
    sqs = localbus.client("sqs")
    assert httpx.get(f"{localbus.url}/_localbus/disorder").json() == {}
    old = sqs.create_queue(QueueName="old")["QueueUrl"]

    asked = ask(localbus, {"seed": 1, "duplicates": 1}).json()
    new = sqs.create_queue(QueueName="new")["QueueUrl"]

    assert (asked["seed"], asked["duplicates"], asked["reordering"]) == (1, 1, 0)
    for url in (old, new):
        sqs.send_message(QueueUrl=url, MessageBody="b")
        assert [received(sqs, url) for _ in range(3)] == [["b"]] * 3
    assert ask(localbus, {}).json() == {}
    assert [received(sqs, old) for _ in range(2)] == [["b"], []]


def test_a_queue_is_disturbed_alone(localbus: Localbus) -> None:
    """A queue that is named has its own disorder, instead of that of the others."""
    sqs = localbus.client("sqs")
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("poor", "calm")]
    for url in urls:
        sqs.send_message(QueueUrl=url, MessageBody="b")

    ask(localbus, {"queues": {"poor": {"missed_polls": 1}}})

    assert [received(sqs, url) for url in urls] == [[], ["b"]]


def test_messages_in_a_queue_stay_when_it_is_disturbed() -> None:
    """The order of what lies there is kept, and what comes later overtakes some of it; none is lost."""
    queue = filled(DeliveryFaults())
    queue.set_faults(DeliveryFaults(seed=1, reordering=1))
    for number in range(100, 120):
        queue.send(Message(str(number), str(number)))

    bodies = drained(queue)

    assert sorted(bodies, key=int) == [str(number) for number in range(120)]
    assert bodies[:80] == [str(number) for number in range(80)]
    assert bodies != sorted(bodies, key=int)


@pytest.mark.parametrize(
    "given",
    [
        [], None, 5, {"duplicates": 2}, {"duplicates": "x"}, {"duplicates": None}, {"seed": {}}, {"duplicated": 1},
        {"queues": []}, {"queues": {"q": 1}}, {"queues": {"q": {"duplicates": -1}}}, {"seed": "1e999"},
    ],
)  # fmt: skip
def test_what_is_no_disorder(localbus: Localbus, given: Any) -> None:
    """It is refused with a reason, and nothing changes."""
    ask(localbus, {"duplicates": 0.5})

    answer = ask(localbus, given)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert httpx.get(f"{localbus.url}/_localbus/disorder").json()["duplicates"] == 0.5
