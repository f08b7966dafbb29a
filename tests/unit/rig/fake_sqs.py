"""SQS as far as redrive and peek use it, in memory."""

# ruff: noqa: D102, N803 - the methods and their parameters are SQS's own

import itertools
from collections.abc import Mapping
from typing import Any, cast

from botocore.exceptions import ClientError
from types_boto3_sqs.client import SQSClient


class FakeSqs:
    """Queues of messages. A receive hides a message until it is given back. Tasks: whether it can move messages."""

    def __init__(self, *names: str, tasks: bool = False) -> None:
        self.queues: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        self.hidden: set[str] = set()
        self.tasks = tasks
        self.deleted_before_sent = False
        self._ids = itertools.count(1)
        self._sent_copies = 0
        self._deletes = 0
        self._started: tuple[str, str] | None = None

    def client(self) -> SQSClient:
        """Typed as what it stands for."""
        return cast(SQSClient, self)

    def put(self, queue: str, body: str, attributes: Mapping[str, str] | None = None) -> None:
        """Place a message without going through the API."""
        message_id = f"m{next(self._ids)}"
        self.queues[queue].append(
            {
                "MessageId": message_id,
                "ReceiptHandle": message_id,
                "Body": body,
                "MessageAttributes": {
                    name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()
                },
            }
        )

    def bodies(self, queue: str) -> list[str]:
        """What is in a queue, hidden or not."""
        return [message["Body"] for message in self.queues[queue]]

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:
        return {"QueueUrl": QueueName}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> Any:
        visible = sum(message["MessageId"] not in self.hidden for message in self.queues[QueueUrl])
        return {"Attributes": {"QueueArn": f"arn:{QueueUrl}", "ApproximateNumberOfMessages": str(visible)}}

    def receive_message(self, *, QueueUrl: str, MaxNumberOfMessages: int, **_: object) -> Any:
        free = [message for message in self.queues[QueueUrl] if message["MessageId"] not in self.hidden]
        taken = free[:MaxNumberOfMessages]
        self.hidden |= {message["MessageId"] for message in taken}
        return {"Messages": taken}

    def send_message(self, *, QueueUrl: str, MessageBody: str, MessageAttributes: Any) -> None:
        self._sent_copies += 1
        self.put(QueueUrl, MessageBody)
        self.queues[QueueUrl][-1]["MessageAttributes"] = MessageAttributes

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> None:
        self._deletes += 1
        self.deleted_before_sent |= self._deletes > self._sent_copies
        self.hidden.discard(ReceiptHandle)
        self.queues[QueueUrl] = [m for m in self.queues[QueueUrl] if m["MessageId"] != ReceiptHandle]

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[Any]) -> None:
        assert len(Entries) <= 10
        self.hidden -= {entry["ReceiptHandle"] for entry in Entries if entry["VisibilityTimeout"] == 0}

    def start_message_move_task(self, *, SourceArn: str, DestinationArn: str) -> None:
        if not self.tasks:
            raise ClientError({"Error": {"Code": "InvalidAction", "Message": "no"}}, "StartMessageMoveTask")
        self._started = (SourceArn.removeprefix("arn:"), DestinationArn.removeprefix("arn:"))

    def list_message_move_tasks(self, **_: object) -> Any:
        assert self._started is not None
        source, destination = self._started
        moved = len(self.queues[source])
        self.queues[destination] += self.queues[source]
        self.queues[source] = []
        return {"Results": [{"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": moved}]}
