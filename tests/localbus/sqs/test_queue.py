"""A standard queue under a manual clock: statements of AWS's developer guide and API reference."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from localbus.clock import ManualClock
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.sqs.message import Message
from localbus.sqs.queue import Queue

Make = Callable[..., Message]


def bodies(queue: Queue, limit: int = 10, timeout_s: int | None = None) -> list[str]:
    """Receive messages and return their bodies."""
    return [message.body for message, _ in queue.receive(limit, timeout_s)]


def test_delay(queue: Queue, clock: ManualClock, message: Make) -> None:
    """A message's delay overrides the queue's (API_SendMessage, DelaySeconds)."""
    queue.settings.delay_s = 60
    queue.send(message("slow"))
    queue.send(message("at once"), 0)

    assert bodies(queue, timeout_s=600) == ["at once"]

    clock.advance(60)
    assert bodies(queue) == ["slow"]


def test_a_changed_delay_is_for_later_messages_only(queue: Queue, clock: ManualClock, message: Make) -> None:
    """A changed delay of a standard queue does not apply to messages in it (sqs-delay-queues)."""
    queue.send(message("before"))
    queue.settings.delay_s = 60

    assert bodies(queue) == ["before"]


def test_visibility_timeout(queue: Queue, clock: ManualClock, message: Make) -> None:
    """A message is hidden for the visibility timeout, then visible again (sqs-visibility-timeout)."""
    queue.send(message("m"))

    assert bodies(queue, timeout_s=30) == ["m"]
    clock.advance(29.9)
    assert bodies(queue) == []
    clock.advance(0.1)
    assert bodies(queue) == ["m"]


@pytest.mark.parametrize("again", [True, False], ids=["in flight again", "visible again"])
def test_an_old_handle_deletes(queue: Queue, clock: ManualClock, message: Make, again: bool) -> None:
    """The handle of an earlier receive deletes the message too (recorded from AWS)."""
    queue.send(message("m"))
    [old] = queue.receive(1, 1)
    clock.advance(1)
    if again:
        queue.receive(1, 1)

    queue.delete(old.handle)

    assert queue.counts() == (0, 0, 0)


def test_an_old_handle_still_changes_visibility(queue: Queue, message: Make) -> None:
    """A handle of an earlier receive also makes the message visible (recorded from AWS)."""
    queue.send(message("m"))
    [old] = queue.receive(1, 0)
    assert bodies(queue, 1, 3) == ["m"]

    queue.change_visibility(old.handle, 0)

    assert bodies(queue) == ["m"]


def test_a_returned_message_is_before_later_ones(queue: Queue, clock: ManualClock, message: Make) -> None:
    """After its timeout a message is received before one that was sent meanwhile (recorded from AWS)."""
    queue.send(message("first"))
    queue.receive(1, 3)
    queue.send(message("second"))
    clock.advance(3)

    assert bodies(queue) == ["first", "second"]


def test_a_deleted_message_can_be_deleted_again(queue: Queue, message: Make) -> None:
    """Deleting is idempotent (API_DeleteMessage)."""
    queue.send(message("m"))
    [received] = queue.receive(1)

    queue.delete(received.handle)
    queue.delete(received.handle)

    assert queue.counts() == (0, 0, 0)


def test_a_handle_of_another_queue_is_refused(
    queue: Queue, clock: ManualClock, journal: Journal, message: Make
) -> None:
    """A handle is good for its own queue (API_DeleteMessage, ReceiptHandleIsInvalid)."""
    other = Queue("other", "arn:aws:sqs:us-east-1:000000000000:other", clock, journal)
    other.send(message("m"))
    [received] = other.receive(1)

    with pytest.raises(AwsError, match="ReceiptHandleIsInvalid"):
        queue.delete(received.handle)


def test_a_message_is_hidden_for_twelve_hours_at_most(queue: Queue, clock: ManualClock, message: Make) -> None:
    """The twelve hours count from the receive, however often the timeout is extended (API_ChangeMessageVisibility)."""
    queue.send(message("m"))
    [received] = queue.receive(1, 30)
    clock.advance(20)

    with pytest.raises(AwsError, match="beyond the limit"):
        queue.change_visibility(received.handle, 43_200)
    queue.change_visibility(received.handle, 43_180)

    clock.advance(43_179)
    assert bodies(queue) == []
    clock.advance(1)
    assert bodies(queue) == ["m"]


def test_a_timeout_of_0_makes_a_message_visible(queue: Queue, message: Make) -> None:
    """A timeout of 0 makes the message visible immediately (API_ChangeMessageVisibility)."""
    queue.send(message("m"))
    [received] = queue.receive(1)

    queue.change_visibility(received.handle, 0)

    assert bodies(queue) == ["m"]


def test_changing_visibility_after_the_timeout_has_no_effect(queue: Queue, clock: ManualClock, message: Make) -> None:
    """AWS answers 200 for a message whose timeout has passed and that was not received since (recorded from AWS)."""
    queue.send(message("m"))
    [received] = queue.receive(1, 1)
    clock.advance(2)

    queue.change_visibility(received.handle, 60)

    assert queue.counts().visible == 1


def test_retention_counts_from_the_sending_also_in_flight(queue: Queue, clock: ManualClock, message: Make) -> None:
    """A message is deleted when its retention ends, in any state (API_SetQueueAttributes, MessageRetentionPeriod)."""
    queue.settings.retention_s = 100
    queue.send(message("visible"))
    queue.send(message("delayed"), 900)
    clock.advance(50)
    queue.send(message("later"))
    queue.receive(1, 900)

    clock.advance(50)

    assert [message.body for message in queue.peek()] == ["later"]


def test_dead_letters_keep_their_age(queue: Queue, clock: ManualClock, journal: Journal, message: Make) -> None:
    """After maxReceiveCount receives the next one moves a message, with its enqueue time (sqs-dead-letter-queues)."""
    dead = Queue("dead", "arn:aws:sqs:us-east-1:000000000000:dead", clock, journal)
    queue.settings.max_receive_count = 2
    queue.dead_letter_queue = lambda: dead
    queue.send(message("poison"))
    for _ in range(2):
        assert bodies(queue, timeout_s=10) == ["poison"]
        clock.advance(10)
    assert dead.counts().visible == 0

    assert bodies(queue) == []

    [(dead_letter, _)] = dead.receive(1)
    assert dead_letter.source_arn == queue.arn
    assert clock.now() - dead_letter.sent_at == 20
    assert dead_letter.receive_count == 3
    assert queue.counts() == (0, 0, 0)


def test_a_message_stays_when_its_dead_letter_queue_is_gone(queue: Queue, message: Make) -> None:
    """Without a dead-letter queue a message is received again and again."""
    queue.settings.max_receive_count = 1
    queue.send(message("m"))

    assert [bodies(queue, timeout_s=0) for _ in range(3)] == [["m"]] * 3


def test_a_message_received_three_times_goes_to_the_back(queue: Queue, message: Make) -> None:
    """It does not block the others (sqs-available-cloudwatch-metrics, ApproximateAgeOfOldestMessage)."""
    queue.send(message("poison"))
    queue.send(message("good"))

    order = [bodies(queue, 1, 0) for _ in range(4)]

    assert order == [["poison"], ["poison"], ["poison"], ["good"]]


def test_a_noisy_tenant_waits_for_the_quiet_ones(queue: Queue, message: Make) -> None:
    """With 30 and over a tenth of all in flight a tenant is noisy: others go first (sqs-fair-queues-detailed)."""
    for number in range(60):
        queue.send(message(f"noisy {number}", group_id="noisy"))
    queue.send(message("quiet", group_id="quiet"))
    queue.send(message("nobody's"))

    for _ in range(3):
        assert all(body.startswith("noisy") for body in bodies(queue))
    assert bodies(queue, 3) == ["quiet", "nobody's", "noisy 30"]


def test_no_more_than_120000_are_in_flight(queue: Queue, message: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receive returns only what may still be in flight (quotas-queues)."""
    monkeypatch.setattr("localbus.sqs.queue.MAX_IN_FLIGHT", 3)
    for number in range(5):
        queue.send(message(str(number)))

    received = queue.receive(10)

    assert len(received) == 3
    assert queue.is_in_flight_full
    queue.delete(received[0].handle)
    assert bodies(queue) == ["3"]


def test_purge(queue: Queue, message: Make) -> None:
    """A purge deletes messages in every state, and their handles have no effect (API_PurgeQueue)."""
    queue.send(message("visible"))
    queue.send(message("in flight"))
    queue.send(message("delayed"), 60)
    [received] = queue.receive(1)

    queue.purge()

    assert queue.counts() == (0, 0, 0)
    queue.delete(received.handle)
    queue.send(message("new"))
    assert bodies(queue) == ["new"]


async def test_long_polls_are_served_in_order(queue: Queue, message: Make) -> None:
    """Each message goes to the receive that has waited longest (sqs-short-and-long-polling)."""
    first, second = queue.receive_later(1, 30, 20), queue.receive_later(1, 30, 20)

    queue.send(message("a"))
    queue.send(message("b"))

    assert [m.body for m, _ in await first] == ["a"]
    assert [m.body for m, _ in await second] == ["b"]


async def test_a_long_poll_gets_a_message_that_becomes_visible(queue: Queue, clock: ManualClock, message: Make) -> None:
    """A delayed message, and one whose timeout passes, end a waiting receive at their time."""
    queue.send(message("delayed"), 5)
    waiting = queue.receive_later(1, 3, 20)
    clock.advance(4.9)
    assert not waiting.done()
    clock.advance(0.1)
    assert [m.body for m, _ in await waiting] == ["delayed"]

    again = queue.receive_later(1, 3, 20)
    clock.advance(3)

    assert [m.receive_count for m, _ in await again] == [2]


async def test_a_long_poll_ends_without_messages(queue: Queue, clock: ManualClock, message: Make) -> None:
    """A wait ends without messages after its time, and takes none that comes later."""
    waiting = queue.receive_later(1, 30, 20)

    clock.advance(20)

    assert await waiting == []
    queue.send(message("late"))
    assert queue.counts().visible == 1


async def test_a_cancelled_long_poll_takes_no_message(queue: Queue, message: Make) -> None:
    """Its place goes to the next waiting receive."""
    cancelled, other = queue.receive_later(1, 30, 20), queue.receive_later(1, 30, 20)
    cancelled.cancel()
    await asyncio.sleep(0)

    queue.send(message("m"))

    assert [m.body for m, _ in await other] == ["m"]


def test_the_journal_has_a_message_s_life(queue: Queue, clock: ManualClock, journal: Journal, message: Make) -> None:
    """Every transition of a message is recorded, in order."""
    queue.send(message("m"))
    [received] = queue.receive(1, 10)
    queue.change_visibility(received.handle, 20)
    clock.advance(20)
    [received] = queue.receive(1, 10)
    queue.delete(received.handle)

    life = [(entry.event, entry.detail) for entry in journal.entries(message_id="m")]

    assert life == [
        ("sent", None),
        ("received", 1),
        ("hidden", 20),
        ("visible", None),
        ("received", 2),
        ("deleted", None),
    ]
