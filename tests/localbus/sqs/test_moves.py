"""Moves between queues: no message is lost or duplicated, and what each move keeps of it."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from functools import partial
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from localbus.clock import ManualClock
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.pytest_plugin import Localbus
from localbus.sqs.fifo_queue import FifoQueue
from localbus.sqs.message import Message
from localbus.sqs.queue import Queue
from support.localbus import refused
from support.waiting import poll_until

ARN = "arn:aws:sqs:us-east-1:000000000000:"
NAMES = ("work", "more", "dead", "other")


class MovesModel(RuleBasedStateMachine):
    """Two queues with one dead-letter queue, and another queue: each accepted message is in one of them, once."""

    handles: Bundle[tuple[str, str, str]] = Bundle("handles")

    @initialize(fifo=st.booleans(), delay_s=st.sampled_from([0, 0, 10]), maximum=st.integers(1, 2))
    def begin(self, fifo: bool, delay_s: int, maximum: int) -> None:
        """Draw the kind of the queues. The dead-letter queue has the other queue for its own dead letters."""
        self.clock = ManualClock(1000.0)
        kind = FifoQueue if fifo else Queue
        self.queues = {name: kind(name, f"{ARN}{name}", self.clock, Journal(10)) for name in NAMES}
        for name, target in (("work", "dead"), ("more", "dead"), ("dead", "other")):
            self.queues[name].dead_letter_queue = partial(self.queues.get, target)
            self.queues[name].settings.max_receive_count = maximum
        self.queues["other"].settings.delay_s = delay_s
        self.there: Counter[str] = Counter()
        self.numbers = itertools.count()

    @rule(name=st.sampled_from(NAMES), group=st.sampled_from("ab"), token=st.integers(0, 3))
    def send(self, name: str, group: str, token: int) -> None:
        """Send a message, which a FIFO queue may take for a duplicate."""
        body = f"m{next(self.numbers)}"
        message = Message(body, body, group_id=group, deduplication_id=str(token))
        self.queues[name].send(message)
        self.there[body] += message.message_id == body

    @rule(target=handles, name=st.sampled_from(NAMES), limit=st.integers(1, 4), timeout_s=st.sampled_from([0, 0, 20]))
    def receive(self, name: str, limit: int, timeout_s: int) -> Any:
        """Receive messages; those that were received too often become dead letters instead."""
        received = self.queues[name].receive(limit, timeout_s)
        return (name, *(received[0].handle, received[0].message.body)) if received else ("", "", "")

    @rule(handle=handles)
    def delete(self, handle: tuple[str, str, str]) -> None:
        """Delete a message that may have moved on, by a handle that may be old."""
        name, receipt, body = handle
        if not name:
            return
        before = [message.body for message in self.queues[name].peek()]
        try:
            self.queues[name].delete(receipt)
        except AwsError:
            return
        if body in before and body not in [message.body for message in self.queues[name].peek()]:
            self.there[body] -= 1

    @rule(source=st.sampled_from(NAMES), destination=st.sampled_from([*NAMES, "", "source"]), count=st.integers(1, 3))
    def move(self, source: str, destination: str, count: int) -> None:
        """Move messages as a move task does: to a queue, to none, or to the queue that each came from."""

        def find(message: Message) -> Queue | None:
            name = destination if destination != "source" else (message.source_arn or "").removeprefix(ARN)
            return self.queues.get(name)

        for _ in range(count):
            self.queues[source].move_next(find)

    @rule(seconds=st.sampled_from([1, 10, 30, 301]))
    def wait(self, seconds: int) -> None:
        """Advance the clock."""
        self.clock.advance(seconds)

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        """The queues together hold each message that was accepted and not deleted, once."""
        if hasattr(self, "queues"):
            found: Counter[str] = Counter(message.body for queue in self.queues.values() for message in queue.peek())
            assert found == +self.there
            assert sum(sum(queue.counts()) for queue in self.queues.values()) == found.total()


TestMovesModel = MovesModel.TestCase
TestMovesModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


class Scene:
    """A FIFO or standard queue `work`, its dead-letter queue `dead` and a queue `other` of the same kind."""

    def __init__(self, localbus: Localbus, *, fifo: bool = True) -> None:
        self.localbus = localbus
        self.sqs = localbus.client("sqs")
        self.suffix = ".fifo" if fifo else ""
        kind = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {}
        self.urls = {name: self._create(name, kind) for name in ("dead", "other")}
        policy = json.dumps({"deadLetterTargetArn": self.arn("dead"), "maxReceiveCount": 1})
        self.urls["work"] = self._create("work", kind | {"RedrivePolicy": policy})

    def _create(self, name: str, attributes: dict[str, str]) -> str:
        return str(self.sqs.create_queue(QueueName=name + self.suffix, Attributes=attributes)["QueueUrl"])

    def arn(self, name: str) -> str:
        """The ARN of a queue."""
        return f"{ARN}{name}{self.suffix}"

    def send(self, name: str, body: str, **given: str) -> dict[str, Any]:
        """Send a message, on a FIFO queue in group g."""
        group = {"MessageGroupId": "g"} if self.suffix else {}
        return dict(self.sqs.send_message(QueueUrl=self.urls[name], MessageBody=body, **group, **given))

    def receive(self, name: str) -> list[dict[str, Any]]:
        """Receive every message and make it visible again."""
        received = self.sqs.receive_message(
            QueueUrl=self.urls[name], AttributeNames=["All"], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return list(received.get("Messages", []))

    def fail(self, name: str = "work") -> None:
        """Receive the messages of a queue once, and again, which moves them to its dead-letter queue."""
        self.receive(name)
        self.receive(name)

    def redrive(self, **given: Any) -> dict[str, Any]:
        """Move the dead letters, and return the task at its end."""
        self.sqs.start_message_move_task(SourceArn=self.arn("dead"), **given)

        def ended() -> dict[str, Any] | None:
            task: dict[str, Any] = self.sqs.list_message_move_tasks(SourceArn=self.arn("dead"))["Results"][0]
            return task if task["Status"] != "RUNNING" else None

        return dict(poll_until(ended))


@pytest.mark.parametrize("ids", [{"MessageDeduplicationId": "same"}, {}], ids=["given", "content-based"])
def test_a_dead_letter_returns_within_five_minutes(localbus: Localbus, ids: dict[str, str]) -> None:
    """Source and dead-letter queue do not take it for a duplicate (sqs-configure-dead-letter-queue-redrive)."""
    scene = Scene(localbus)
    sent = scene.send("work", "b", **ids)
    scene.fail()
    [letter] = scene.receive("dead")
    assert letter["MessageId"] == sent["MessageId"] == letter["Attributes"]["MessageDeduplicationId"]

    task = scene.redrive()

    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)
    [back] = scene.receive("work")
    assert (back["Body"], back["Attributes"]["MessageGroupId"]) == ("b", "g")
    assert back["Attributes"]["ApproximateReceiveCount"] == "1"
    assert back["MessageId"] != sent["MessageId"]
    assert int(back["Attributes"]["SequenceNumber"]) > int(letter["Attributes"]["SequenceNumber"])
    assert scene.receive("dead") == []


def test_two_dead_letters_of_one_id_both_return(localbus: Localbus) -> None:
    """They were sent more than five minutes apart, and keep their order (sqs-configure-dead-letter-queue-redrive)."""
    scene = Scene(localbus)
    for body in ("1", "2"):
        scene.send("work", body, MessageDeduplicationId="same")
        scene.fail()
        localbus.advance(301)

    scene.redrive()

    assert [message["Body"] for message in scene.receive("work")] == ["1", "2"]


def test_a_message_sent_to_a_dead_letter_queue_moves_too(localbus: Localbus) -> None:
    """Its deduplication id may have been used at the destination."""
    scene = Scene(localbus)
    scene.send("other", "first", MessageDeduplicationId="same")
    scene.send("dead", "second", MessageDeduplicationId="same")

    scene.redrive(DestinationArn=scene.arn("other"))

    assert [message["Body"] for message in scene.receive("other")] == ["first", "second"]


def test_a_moved_message_waits_behind_delayed_ones(localbus: Localbus) -> None:
    """It is a new message of its group, so the queue's delay applies (sqs-configure-dead-letter-queue-redrive)."""
    scene = Scene(localbus)
    scene.sqs.set_queue_attributes(QueueUrl=scene.urls["other"], Attributes={"DelaySeconds": "10"})
    scene.send("other", "earlier")
    scene.send("dead", "moved")

    scene.redrive(DestinationArn=scene.arn("other"))
    assert scene.receive("other") == []
    localbus.advance(10)

    assert [message["Body"] for message in scene.receive("other")] == ["earlier", "moved"]


def test_a_letter_of_unknown_origin_stays_first(localbus: Localbus) -> None:
    """A move that cannot go changes neither order nor attributes of the queue."""
    scene = Scene(localbus)
    for body in ("1", "2"):
        scene.send("dead", body)
    before = scene.receive("dead")

    task = scene.redrive()

    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    for one, other in zip(scene.receive("dead"), before, strict=True):
        counted = {"ApproximateReceiveCount": other["Attributes"]["ApproximateReceiveCount"]}
        assert (one["Body"], one["Attributes"] | counted) == (other["Body"], other["Attributes"])


def test_a_letter_larger_than_the_destination_accepts_moves(localbus: Localbus) -> None:
    """MaximumMessageSize limits SendMessage, not moves."""
    scene = Scene(localbus, fifo=False)
    scene.send("work", "b" * 2000)
    scene.fail()
    scene.sqs.set_queue_attributes(QueueUrl=scene.urls["work"], Attributes={"MaximumMessageSize": "1024"})

    scene.redrive()

    assert [len(message["Body"]) for message in scene.receive("work")] == [2000]


@pytest.mark.parametrize("fifo", [True, False])
def test_both_queues_are_of_one_type(localbus: Localbus, fifo: bool) -> None:
    """A task between a standard and a FIFO queue is refused (sqs-configure-dead-letter-queue-redrive)."""
    scene = Scene(localbus, fifo=fifo)
    of_other_type = Scene(localbus, fifo=not fifo)
    scene.send("work", "b")
    scene.fail()

    refusal = refused(
        scene.sqs.start_message_move_task, SourceArn=scene.arn("dead"), DestinationArn=of_other_type.arn("other")
    )

    text = "The source queue and destination queue must be of the same queue type."
    assert refusal == ("InvalidParameterValue", text)
    assert [message["Body"] for message in scene.receive("dead")] == ["b"]


def test_a_queue_is_not_its_own_destination(localbus: Localbus) -> None:
    """Source and destination differ."""
    arn = Scene(localbus).arn("dead")

    refusal = refused(localbus.client("sqs").start_message_move_task, SourceArn=arn, DestinationArn=arn)

    text = "Source queue arn and destination queue arn cannot be the same."
    assert refusal == ("InvalidParameterValue", text)


def test_a_task_ends_with_its_queue(localbus: Localbus) -> None:
    """A deleted dead-letter queue's tasks are not those of a new queue of its name."""
    scene = Scene(localbus, fifo=False)
    for body in ("1", "2"):
        scene.send("work", body)
    scene.fail()
    scene.sqs.start_message_move_task(SourceArn=scene.arn("dead"), MaxNumberOfMessagesPerSecond=1)
    scene.sqs.delete_queue(QueueUrl=scene.urls["dead"])
    localbus.advance(61)

    scene.sqs.create_queue(QueueName="dead")

    assert scene.sqs.list_message_move_tasks(SourceArn=scene.arn("dead"))["Results"] == []
    assert scene.redrive()["Status"] == "COMPLETED"


def test_another_account_does_not_move_messages(localbus: Localbus) -> None:
    """No policy permits a move task to another account (sqs-overview-of-managing-access)."""
    arn = Scene(localbus).arn("dead")
    stranger = localbus.client("sqs", account="111111111111")

    for action in (stranger.start_message_move_task, stranger.list_message_move_tasks):
        assert refused(action, SourceArn=arn)[0] == "AccessDenied"


def test_dead_letters_of_dead_letters_are_received_first(localbus: Localbus) -> None:
    """Each queue counts its own receives, so a chain or circle of queues passes no message on unreceived."""
    scene = Scene(localbus, fifo=False)
    policy = json.dumps({"deadLetterTargetArn": scene.arn("work"), "maxReceiveCount": 1})
    scene.sqs.set_queue_attributes(QueueUrl=scene.urls["dead"], Attributes={"RedrivePolicy": policy})
    scene.send("work", "b")
    scene.fail()

    [letter] = scene.receive("dead")

    assert letter["Attributes"]["ApproximateReceiveCount"] == "2"
    assert scene.receive("dead") == []
    assert [message["Body"] for message in scene.receive("work")] == ["b"]
