"""Redrive of dead letters: StartMessageMoveTask, ListMessageMoveTasks and CancelMessageMoveTask."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import Mock

import pytest
from localbus.pytest_plugin import Localbus
from localbus.sqs.queue import Queue
from support.localbus import refused
from support.waiting import poll_until

ARN = "arn:aws:sqs:us-east-1:000000000000:"


class Scene:
    """A queue whose five messages have become dead letters, and another queue."""

    def __init__(self, localbus: Localbus) -> None:
        self.localbus = localbus
        self.sqs = localbus.client("sqs")
        self.urls = {name: self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("dead", "other")}
        policy = json.dumps({"deadLetterTargetArn": f"{ARN}dead", "maxReceiveCount": 1})
        self.urls["work"] = self.sqs.create_queue(QueueName="work", Attributes={"RedrivePolicy": policy})["QueueUrl"]
        for number in range(5):
            self.sqs.send_message(QueueUrl=self.urls["work"], MessageBody=str(number))
        for _ in range(2):
            self.sqs.receive_message(QueueUrl=self.urls["work"], MaxNumberOfMessages=10, VisibilityTimeout=0)

    def counts(self, *names: str) -> list[int]:
        """The numbers of visible messages."""
        count = "ApproximateNumberOfMessages"
        shown = [self.sqs.get_queue_attributes(QueueUrl=self.urls[n], AttributeNames=[count]) for n in names]
        return [int(one["Attributes"][count]) for one in shown]

    def start(self, **given: Any) -> str:
        """Start a task and return its handle."""
        return str(self.sqs.start_message_move_task(SourceArn=f"{ARN}dead", **given)["TaskHandle"])

    def task(self) -> dict[str, Any]:
        """The latest task."""
        [task] = self.sqs.list_message_move_tasks(SourceArn=f"{ARN}dead")["Results"]
        return dict(task)


@pytest.fixture
def scene(localbus: Localbus) -> Scene:
    """Five dead letters."""
    return Scene(localbus)


def test_dead_letters_go_back_to_their_source(scene: Scene) -> None:
    """Without a destination each message returns to its source, as a new one (API_StartMessageMoveTask)."""
    assert scene.counts("dead") == [5]

    scene.start()

    task = poll_until(lambda: found if (found := scene.task())["Status"] == "COMPLETED" else None)
    assert (task["ApproximateNumberOfMessagesMoved"], task["ApproximateNumberOfMessagesToMove"]) == (5, 5)
    assert task.keys().isdisjoint({"DestinationArn", "TaskHandle"})
    assert scene.counts("dead", "work") == [0, 5]
    [received] = scene.sqs.receive_message(QueueUrl=scene.urls["work"], AttributeNames=["All"])["Messages"]
    assert received["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_task_whose_step_raises_has_failed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not run for ever: its message stays in the queue, from which another task moves it."""
    with monkeypatch.context() as broken:
        broken.setattr(Queue, "put_moved", Mock(side_effect=RuntimeError("a fault of the engine")))
        scene.start()
        failed = poll_until(lambda: found if (found := scene.task())["Status"] == "FAILED" else None)

    assert (failed["FailureReason"], failed["ApproximateNumberOfMessagesMoved"]) == ("InternalFailure", 0)
    assert scene.counts("dead", "work") == [5, 0]
    scene.start()
    poll_until(lambda: scene.task()["Status"] == "COMPLETED")
    assert scene.counts("dead", "work") == [0, 5]


def test_a_task_keeps_its_rate_and_can_be_cancelled(scene: Scene) -> None:
    """One message a second, until the task is cancelled (API_CancelMessageMoveTask)."""
    handle = scene.start(DestinationArn=f"{ARN}other", MaxNumberOfMessagesPerSecond=1)
    assert (scene.task()["Status"], scene.task()["TaskHandle"]) == ("RUNNING", handle)
    scene.localbus.advance(2)

    answer = scene.sqs.cancel_message_move_task(TaskHandle=handle)

    assert answer["ApproximateNumberOfMessagesMoved"] == 2
    scene.localbus.advance(10)
    assert scene.task()["Status"] == "CANCELLED"
    assert scene.counts("dead", "other") == [3, 2]


def test_a_task_fails_when_its_destination_is_deleted(scene: Scene) -> None:
    """The message without a destination stays, and the task has the reason (recorded from AWS)."""
    scene.start(DestinationArn=f"{ARN}other", MaxNumberOfMessagesPerSecond=1)
    scene.localbus.advance(1)
    scene.sqs.delete_queue(QueueUrl=scene.urls["other"])
    scene.localbus.advance(1)

    task = scene.task()

    assert (task["Status"], task["FailureReason"]) == ("FAILED", "AWS.SimpleQueueService.NonExistentQueue")
    assert scene.counts("dead") == [4]


@pytest.mark.parametrize(
    ("action", "given", "code", "message"),
    [
        (
            "start",
            {"SourceArn": f"{ARN}work"},
            "InvalidParameterValue",
            "Source queue must be configured as a Dead Letter Queue.",
        ),
        (
            "start",
            {"SourceArn": f"{ARN}dead", "DestinationArn": f"{ARN}none"},
            "ResourceNotFoundException",
            "The resource that you specified for the DestinationArn parameter doesn't exist.",
        ),
        (
            "start",
            {"SourceArn": f"{ARN}dead"},
            "InvalidParameterValue",
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
        ),
        (
            "cancel",
            {"TaskHandle": "foobar"},
            "InvalidParameterValue",
            "Value for parameter TaskHandle is invalid.",
        ),
    ],
    ids=["not a dead-letter queue", "no such destination", "a task is running", "invalid handle"],
)
def test_errors(scene: Scene, action: str, given: dict[str, str], code: str, message: str) -> None:
    """Errors in AWS's words (recorded from AWS), while a task is running."""
    scene.start(MaxNumberOfMessagesPerSecond=1)

    assert refused(getattr(scene.sqs, f"{action}_message_move_task"), **given) == (code, message)
