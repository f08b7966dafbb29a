"""A FIFO queue under a manual clock: statements of AWS's developer guide and API reference."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from localbus.clock import ManualClock
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.sqs.fifo_queue import FifoQueue
from localbus.sqs.message import Message

Make = Callable[..., Message]


def fill(fifo: FifoQueue, message: Make, *names: str) -> None:
    """Send messages whose group is their first letter."""
    for name in names:
        fifo.send(message(name, group_id=name[0], deduplication_id=name))


def bodies(fifo: FifoQueue, limit: int = 10, timeout_s: int | None = None) -> list[str]:
    """Receive messages and return their bodies."""
    return [message.body for message, _ in fifo.receive(limit, timeout_s)]


def test_a_receive_takes_as_many_of_a_group_as_it_can(fifo: FifoQueue, message: Make) -> None:
    """The batch is filled from the group whose turn it is before another begins (FIFO-queues-understanding-logic)."""
    fill(fifo, message, "a1", "b1", "a2", "b2", "a3")

    assert bodies(fifo, 4) == ["a1", "a2", "a3", "b1"]


def test_a_group_waits_for_its_messages_in_flight(fifo: FifoQueue, clock: ManualClock, message: Make) -> None:
    """While a message is in flight, later ones of its group are not received (FIFO-queues-understanding-logic)."""
    fill(fifo, message, "a1", "a2", "b1")
    [first] = fifo.receive(1, 30)

    assert bodies(fifo, timeout_s=60) == ["b1"]
    fifo.delete(first.handle)
    assert bodies(fifo) == ["a2"]


def test_a_returned_message_is_before_those_in_flight(fifo: FifoQueue, message: Make) -> None:
    """A message that is visible again is received while a later one is in flight (recorded from AWS)."""
    fill(fifo, message, "a1", "a2", "a3", "b1")
    first, _ = fifo.receive(2, 30)

    fifo.change_visibility(first.handle, 0)

    assert bodies(fifo) == ["b1", "a1"]


def test_a_group_waits_for_its_first_message_in_flight(fifo: FifoQueue, message: Make) -> None:
    """Deleting one of two messages in flight does not let later ones pass the other (recorded from AWS)."""
    fill(fifo, message, "a1", "b1", "a2", "b2", "a3", "c1")
    first, _ = fifo.receive(2, 30)

    fifo.delete(first.handle)

    assert bodies(fifo) == ["b1", "b2", "c1"]


def test_groups_take_turns(fifo: FifoQueue, clock: ManualClock, message: Make) -> None:
    """A group whose messages are returned is served after those that wait (recorded from AWS)."""
    fill(fifo, message, "a1", "b1", "b2", "c1", "a2")

    assert bodies(fifo, 3, 0) == ["a1", "a2", "b1"]
    assert bodies(fifo, 10, 0) == ["c1", "a1", "a2", "b1", "b2"]


def test_a_purge_ends_deduplication(fifo: FifoQueue, message: Make) -> None:
    """After a purge the same deduplication id is accepted again (recorded from AWS)."""
    fill(fifo, message, "a1")
    fifo.purge()

    fill(fifo, message, "a1")

    assert bodies(fifo) == ["a1"]


def test_a_returned_message_is_the_first_of_its_group(fifo: FifoQueue, clock: ManualClock, message: Make) -> None:
    """The order survives any number of visibility timeouts (FIFO-queues-understanding-logic)."""
    fill(fifo, message, "a1", "a2", "a3")
    for _ in range(4):
        assert bodies(fifo, 2, 10) == ["a1", "a2"]
        clock.advance(10)

    assert bodies(fifo) == ["a1", "a2", "a3"]


@pytest.mark.parametrize(("scope", "accepted"), [("queue", 1), ("messageGroup", 2)])
def test_deduplication_scope(fifo: FifoQueue, message: Make, scope: str, accepted: int) -> None:
    """A deduplication id applies to the queue, or to each group (API_SetQueueAttributes, DeduplicationScope)."""
    fifo.settings.deduplication_scope = scope

    fifo.send(message("1", group_id="a", deduplication_id="token"))
    fifo.send(message("2", group_id="b", deduplication_id="token"))

    assert fifo.counts().visible == accepted


def test_deduplication_lasts_five_minutes(fifo: FifoQueue, clock: ManualClock, message: Make) -> None:
    """Within five minutes a message is accepted once, even if deleted (using-messagededuplicationid-property)."""
    fifo.send(message("1", group_id="a", deduplication_id="token"))
    [received] = fifo.receive(1)
    fifo.delete(received.handle)
    clock.advance(299)
    again = message("2", group_id="a", deduplication_id="token")
    fifo.send(again)
    assert (fifo.counts().visible, again.message_id) == (0, "1")
    assert again.sequence_number == received.message.sequence_number

    clock.advance(1)
    fifo.send(message("3", group_id="a", deduplication_id="token"))

    assert bodies(fifo) == ["3"]


def test_content_based_deduplication(fifo: FifoQueue, message: Make) -> None:
    """It uses the body, not the attributes (FIFO-queues-exactly-once-processing)."""
    fifo.send(message("same", group_id="a", attributes={"n": {"DataType": "Number", "StringValue": "1"}}))
    fifo.send(message("same", group_id="a", attributes={"n": {"DataType": "Number", "StringValue": "2"}}))

    assert fifo.counts().visible == 1


def test_sequence_numbers_grow(fifo: FifoQueue, message: Make) -> None:
    """Each message's number is larger than the last (API_SendMessage, SequenceNumber)."""
    fill(fifo, message, "a1", "b1", "a2")

    numbers = [int(m.sequence_number or "") for m in fifo.peek()]

    assert numbers == sorted(numbers)
    assert len({*numbers}) == 3
    assert all(len(str(number)) == 20 for number in numbers)


def test_the_queue_s_delay_is_retroactive(fifo: FifoQueue, clock: ManualClock, message: Make) -> None:
    """A changed delay of a FIFO queue also applies to messages in it (sqs-delay-queues)."""
    fifo.settings.delay_s = 600
    fill(fifo, message, "a1")
    clock.advance(30)
    assert bodies(fifo) == []

    fifo.settings.delay_s = 30

    assert bodies(fifo) == ["a1"]


def test_an_expired_handle_is_rejected(fifo: FifoQueue, clock: ManualClock, message: Make) -> None:
    """After its visibility timeout a handle is rejected as expired (recorded from AWS)."""
    fill(fifo, message, "a1")
    [received] = fifo.receive(1, 10)
    clock.advance(10)

    for act in (fifo.delete, lambda handle: fifo.change_visibility(handle, 5)):
        with pytest.raises(AwsError, match="The receipt handle has expired"):
            act(received.handle)


def test_a_retried_receive_gets_the_same(fifo: FifoQueue, clock: ManualClock, message: Make) -> None:
    """An attempt id returns the same messages and handles, and restarts the timeout (API_ReceiveMessage)."""
    fill(fifo, message, "a1", "a2")
    received = fifo.receive(1, 30)
    fifo.remember_attempt("attempt", received)
    clock.advance(20)

    assert fifo.receive_again("attempt", 30) == received

    clock.advance(30)
    assert fifo.receive_again("attempt", 30) is None
    assert bodies(fifo) == ["a1", "a2"]


@pytest.mark.parametrize("change", [FifoQueue.delete, lambda fifo, handle: fifo.change_visibility(handle, 0)])
def test_a_receive_is_not_retried_after_a_change(
    fifo: FifoQueue, message: Make, change: Callable[[FifoQueue, str], None]
) -> None:
    """Once a message is deleted or its visibility changed, the attempt id is refused (API_ReceiveMessage)."""
    fill(fifo, message, "a1", "a2")
    received = fifo.receive(2, 30)
    fifo.remember_attempt("attempt", received)
    change(fifo, received[1].handle)

    with pytest.raises(AwsError) as refusal:
        fifo.receive_again("attempt", 30)

    reason = "The receiveRequestAttemptId is not valid anymore since the receive call is not retryable."
    assert refusal.value.message == f"Value attempt for parameter ReceiveRequestAttemptId is invalid. Reason: {reason}"


def test_dead_letters_get_a_new_time_and_release_their_group(
    fifo: FifoQueue, clock: ManualClock, journal: Journal, message: Make
) -> None:
    """On FIFO the move resets the enqueue time, and the group goes on (sqs-dead-letter-queues)."""
    dead = FifoQueue("dead.fifo", "arn:aws:sqs:us-east-1:000000000000:dead.fifo", clock, journal)
    fifo.settings.max_receive_count = 1
    fifo.dead_letter_queue = lambda: dead
    fill(fifo, message, "a1", "a2")
    assert bodies(fifo, 1, 10) == ["a1"]
    clock.advance(10)

    assert bodies(fifo) == ["a2"]

    [(dead_letter, _)] = dead.receive(1)
    assert (dead_letter.body, dead_letter.group_id, dead_letter.sent_at) == ("a1", "a", clock.now())


def test_empty_groups_are_removed(fifo: FifoQueue, message: Make) -> None:
    """Past groups cost nothing, however many there were."""
    for number in range(1000):
        fifo.send(message(str(number), group_id=f"g{number}"))
    while received := fifo.receive(10):
        for one in received:
            fifo.delete(one.handle)

    assert not list(fifo._ready)
    assert not vars(fifo._ready)["_groups"]


async def test_a_released_group_serves_a_long_poll(fifo: FifoQueue, message: Make) -> None:
    """A delete releases the group at once for a waiting receive."""
    fill(fifo, message, "a1", "a2")
    [first] = fifo.receive(1)
    waiting = fifo.receive_later(1, 30, 20)
    assert not waiting.done()

    fifo.delete(first.handle)

    assert [m.body for m, _ in await waiting] == ["a2"]
