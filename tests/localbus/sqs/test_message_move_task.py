"""Moving dead letters back: StartMessageMoveTask, ListMessageMoveTasks and CancelMessageMoveTask."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from localbus.pytest_plugin import Localbus

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

    def count(self, name: str) -> int:
        """How many messages are visible."""
        name_of_count = "ApproximateNumberOfMessages"
        shown = self.sqs.get_queue_attributes(QueueUrl=self.urls[name], AttributeNames=[name_of_count])
        return int(shown["Attributes"][name_of_count])

    def start(self, **given: Any) -> str:
        """Start a task and give its handle."""
        return str(self.sqs.start_message_move_task(SourceArn=f"{ARN}dead", **given)["TaskHandle"])

    def task(self) -> dict[str, Any]:
        """The last task as it is shown."""
        [task] = self.sqs.list_message_move_tasks(SourceArn=f"{ARN}dead")["Results"]
        return dict(task)


@pytest.fixture
def scene(localbus: Localbus) -> Scene:
    """Five dead letters."""
    return Scene(localbus)


def until(holds: Callable[[], bool], within_s: float = 5) -> None:
    """Wait till it holds."""
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_dead_letters_go_back_where_they_came_from(scene: Scene) -> None:
    """Without a destination each message returns to its source, as a new one (API_StartMessageMoveTask)."""
    assert scene.count("dead") == 5

    scene.start()

    until(lambda: scene.task()["Status"] == "COMPLETED")
    task = scene.task()
    assert (task["ApproximateNumberOfMessagesMoved"], task["ApproximateNumberOfMessagesToMove"]) == (5, 5)
    assert "DestinationArn" not in task
    assert "TaskHandle" not in task
    assert (scene.count("dead"), scene.count("work")) == (0, 5)
    [received] = scene.sqs.receive_message(QueueUrl=scene.urls["work"], AttributeNames=["All"])["Messages"]
    assert received["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_task_keeps_its_rate_and_can_be_cancelled(scene: Scene) -> None:
    """One message a second, until it is called off (API_CancelMessageMoveTask)."""
    handle = scene.start(DestinationArn=f"{ARN}other", MaxNumberOfMessagesPerSecond=1)
    assert scene.task()["Status"] == "RUNNING"
    assert scene.task()["TaskHandle"] == handle
    scene.localbus.advance(2)

    answer = scene.sqs.cancel_message_move_task(TaskHandle=handle)

    assert answer["ApproximateNumberOfMessagesMoved"] == 2
    scene.localbus.advance(10)
    assert scene.task()["Status"] == "CANCELLED"
    assert (scene.count("dead"), scene.count("other")) == (3, 2)


def test_a_task_fails_when_its_destination_goes(scene: Scene) -> None:
    """The message that had nowhere to go stays, and the task says why (recorded of AWS)."""
    scene.start(DestinationArn=f"{ARN}other", MaxNumberOfMessagesPerSecond=1)
    scene.localbus.advance(1)
    scene.sqs.delete_queue(QueueUrl=scene.urls["other"])
    scene.localbus.advance(1)

    task = scene.task()

    assert (task["Status"], task["FailureReason"]) == ("FAILED", "AWS.SimpleQueueService.NonExistentQueue")
    assert scene.count("dead") == 4


def test_what_a_task_may_not_be(scene: Scene) -> None:
    """The refusals of the three actions, in AWS's words (recorded of AWS)."""

    def refused(action: Any, **given: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as raised:
            action(**given)
        return raised.value.response["Error"]["Code"], raised.value.response["Error"]["Message"]

    sqs = scene.sqs
    start, cancel = sqs.start_message_move_task, sqs.cancel_message_move_task
    assert refused(start, SourceArn=f"{ARN}work") == (
        "InvalidParameterValue",
        "Source queue must be configured as a Dead Letter Queue.",
    )
    assert refused(start, SourceArn=f"{ARN}dead", DestinationArn=f"{ARN}none") == (
        "ResourceNotFoundException",
        "The resource that you specified for the DestinationArn parameter doesn't exist.",
    )
    assert refused(cancel, TaskHandle="foobar") == (
        "InvalidParameterValue",
        "Value for parameter TaskHandle is invalid.",
    )
    scene.start(MaxNumberOfMessagesPerSecond=1)
    assert refused(start, SourceArn=f"{ARN}dead") == (
        "InvalidParameterValue",
        "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
    )
