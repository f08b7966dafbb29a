"""What AWS's developer guide and API reference say of a FIFO queue, each under a manual clock."""

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


def bodies(fifo: FifoQueue, most: int = 10, timeout_s: int | None = None) -> list[str]:
    """Receive, and show what came."""
    return [message.body for message, _ in fifo.receive(most, timeout_s)]


def test_a_receive_takes_as_many_of_one_group_as_it_can(fifo: FifoQueue, message: Make) -> None:
    """The batch is filled from the group whose turn it is before another begins (FIFO-queues-understanding-logic)."""
    fill(fifo, message, "a1", "b1", "a2", "b2", "a3")

    assert bodies(fifo, 4) == ["a1", "a2", "a3", "b1"]


def test_a_group_waits_for_its_own(fifo: FifoQueue, clock: ManualClock, message: Make) -> None:
    """While one of a group is in flight, others of it are not offered (FIFO-queues-understanding-logic)."""
    fill(fifo, message, "a1", "a2", "b1")
    [first] = fifo.receive(1, 30)

    assert bodies(fifo, timeout_s=60) == ["b1"]
    fifo.delete(first.handle)
    assert bodies(fifo) == ["a2"]


def test_a_message_given_back_goes_before_those_that_are_still_out(fifo: FifoQueue, message: Make) -> None:
    """A group goes on with a message that is visible again, while a later one is in flight (recorded of AWS)."""
    fill(fifo, message, "a1", "a2", "a3", "b1")
    first, _ = fifo.receive(2, 30)

    fifo.change_visibility(first.handle, 0)

    assert bodies(fifo) == ["b1", "a1"]


def test_a_group_waits_for_the_first_of_its_messages_that_is_out(fifo: FifoQueue, message: Make) -> None:
    """Deleting one of two messages in flight does not let later ones pass the other (recorded of AWS)."""
    fill(fifo, message, "a1", "b1", "a2", "b2", "a3", "c1")
    first, _ = fifo.receive(2, 30)

    fifo.delete(first.handle)

    assert bodies(fifo) == ["b1", "b2", "c1"]


def test_groups_take_turns(fifo: FifoQueue, clock: ManualClock, message: Make) -> None:
    """A group whose messages come back is served after those that wait (recorded of AWS)."""
    fill(fifo, message, "a1", "b1", "b2", "c1", "a2")

    assert bodies(fifo, 3, 0) == ["a1", "a2", "b1"]
    assert bodies(fifo, 10, 0) == ["c1", "a1", "a2", "b1", "b2"]


def test_a_purge_forgets_what_was_sent(fifo: FifoQueue, message: Make) -> None:
    """After a purge the same token is taken again (recorded of AWS)."""
    fill(fifo, message, "a1")
    fifo.purge()

    fill(fifo, message, "a1")

    assert bodies(fifo) == ["a1"]


def test_a_message_that_comes_back_is_first_of_its_group(fifo: FifoQueue, clock: ManualClock, message: Make) -> None:
    """Order holds through a visibility timeout, however often (FIFO-queues-understanding-logic)."""
    fill(fifo, message, "a1", "a2", "a3")
    for _ in range(4):
        assert bodies(fifo, 2, 10) == ["a1", "a2"]
        clock.advance(10)

    assert bodies(fifo) == ["a1", "a2", "a3"]


@pytest.mark.parametrize(("scope", "taken"), [("queue", 1), ("messageGroup", 2)])
def test_deduplication_scope(fifo: FifoQueue, message: Make, scope: str, taken: int) -> None:
    """A token counts for the queue, or for each group by itself (API_SetQueueAttributes, DeduplicationScope)."""
    fifo.settings.deduplication_scope = scope

    fifo.send(message("1", group_id="a", deduplication_id="token"))
    fifo.send(message("2", group_id="b", deduplication_id="token"))

    assert fifo.counts().visible == taken


def test_deduplication_lasts_five_minutes(fifo: FifoQueue, clock: ManualClock, message: Make) -> None:
    """Within five minutes a message is taken once, even if deleted (using-messagededuplicationid-property)."""
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


def test_content_is_the_token_where_none_is_given(fifo: FifoQueue, message: Make) -> None:
    """Content-based deduplication takes the body, not the attributes (FIFO-queues-exactly-once-processing)."""
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
    """Changing a FIFO queue's delay also moves messages that are in it (sqs-delay-queues)."""
    fifo.settings.delay_s = 600
    fill(fifo, message, "a1")
    clock.advance(30)
    assert bodies(fifo) == []

    fifo.settings.delay_s = 30

    assert bodies(fifo) == ["a1"]


def test_an_expired_handle_is_refused(fifo: FifoQueue, clock: ManualClock, message: Make) -> None:
    """After its visibility timeout a handle no longer deletes, and says so (recorded of AWS)."""
    fill(fifo, message, "a1")
    [received] = fifo.receive(1, 10)
    clock.advance(10)

    for act in (fifo.delete, lambda handle: fifo.change_visibility(handle, 5)):
        with pytest.raises(AwsError, match="The receipt handle has expired"):
            act(received.handle)


def test_a_retried_receive_gets_the_same(fifo: FifoQueue, clock: ManualClock, message: Make) -> None:
    """An attempt id gives the same messages and handles, and the timeout begins anew (API_ReceiveMessage)."""
    fill(fifo, message, "a1", "a2")
    received = fifo.receive(1, 30)
    fifo.remember_attempt("attempt", received)
    clock.advance(20)

    assert fifo.receive_again("attempt", 30) == received

    clock.advance(20)
    fifo.delete(received[0].handle)
    assert fifo.receive_again("attempt", 30) is None
    assert bodies(fifo) == ["a2"]


def test_dead_letters_begin_a_new_age_and_free_their_group(
    fifo: FifoQueue, clock: ManualClock, journal: Journal, message: Make
) -> None:
    """On FIFO the enqueue time is reset by the move, and the group goes on (sqs-dead-letter-queues)."""
    dead = FifoQueue("dead.fifo", "arn:aws:sqs:us-east-1:000000000000:dead.fifo", clock, journal)
    fifo.settings.max_receive_count = 1
    fifo.dead_letter_queue = lambda: dead
    fill(fifo, message, "a1", "a2")
    assert bodies(fifo, 1, 10) == ["a1"]
    clock.advance(10)

    assert bodies(fifo) == ["a2"]

    [(letter, _)] = dead.receive(1)
    assert (letter.body, letter.group_id, letter.sent_at) == ("a1", "a", clock.now())


def test_many_groups_cost_no_more_than_one(fifo: FifoQueue, message: Make) -> None:
    """Groups that are empty are forgotten, so that their number in the past costs nothing."""
    for number in range(1000):
        fifo.send(message(str(number), group_id=f"g{number}"))
    while received := fifo.receive(10):
        for one in received:
            fifo.delete(one.handle)

    assert not list(fifo._ready)
    assert not vars(fifo._ready)["_groups"]


async def test_a_freed_group_serves_who_waits(fifo: FifoQueue, message: Make) -> None:
    """A delete lets the group go on at once for a receive that waits."""
    fill(fifo, message, "a1", "a2")
    [first] = fifo.receive(1)
    waiting = fifo.receive_later(1, 30, 20)
    assert not waiting.done()

    fifo.delete(first.handle)

    assert [m.body for m, _ in await waiting] == ["a2"]
