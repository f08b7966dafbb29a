"""Disorder: what AWS may do with a standard queue, on demand and by a seed (standard-queues)."""

from __future__ import annotations

import pytest
from localbus.clock import ManualClock
from localbus.disorder import Disorder, DisorderlyQueue, parse
from localbus.journal import Journal
from localbus.message import Message

ARN = "arn:aws:sqs:us-east-1:000000000000:q"


def filled(disorder: Disorder, messages: int = 100) -> DisorderlyQueue:
    """A queue of that disorder with so many messages."""
    queue = DisorderlyQueue("q", ARN, ManualClock(), Journal(), disorder)
    for number in range(messages):
        queue.send(Message(str(number), str(number)))
    return queue


def drained(queue: DisorderlyQueue, receives: int = 400) -> list[str]:
    """Everything that so many receives bring, deleted at once."""
    bodies = []
    for _ in range(receives):
        for message, handle in queue.receive(1):
            bodies.append(message.body)
            queue.delete(handle)
    return bodies


def test_messages_come_in_another_order_and_none_is_lost() -> None:
    """Some overtake others; all come."""
    queue = filled(Disorder(seed=1, reordering=0.3))

    bodies = drained(queue)

    assert sorted(bodies, key=int) == [str(number) for number in range(100)]
    assert bodies != sorted(bodies, key=int)
    assert max(abs(int(body) - place) for place, body in enumerate(bodies)) <= 40


def test_some_messages_are_given_twice_at_a_time() -> None:
    """A duplicate is received by another while the first still works on it."""
    queue = filled(Disorder(seed=1, duplicates=0.2))

    bodies = [message.body for _ in range(200) for message, _ in queue.receive(1)]

    assert set(bodies) == {str(number) for number in range(100)}
    assert 105 < len(bodies) < 160


def test_some_short_polls_miss() -> None:
    """A poll may come back empty although messages are there."""
    queue = filled(Disorder(seed=1, missed_polls=0.5))

    found = [bool(queue.receive(1)) for _ in range(60)]

    assert 10 < sum(found) < 50


def test_the_same_seed_gives_the_same_disorder() -> None:
    """A failure can be had again."""
    disorder = Disorder(seed=7, duplicates=0.1, reordering=0.2, missed_polls=0.1)

    assert drained(filled(disorder)) == drained(filled(disorder))
    assert drained(filled(disorder)) != drained(filled(Disorder(8, 0.1, 0.2, 0.1)))


def test_a_disorder_is_told_in_words() -> None:
    """The command line's form is read, and a probability is one."""
    assert parse("seed=7,duplicates=0.05") == Disorder(7, 0.05)
    with pytest.raises(ValueError, match="probability"):
        parse("duplicates=5")
