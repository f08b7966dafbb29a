"""Queues, looked at without taking anything from them: how much is there, and what."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

BATCH: Final = 10  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
_HIDDEN_WHILE_LOOKING_S: Final = 30
_MISSES: Final = 2


@dataclass(frozen=True)
class Depth:
    """SQS's approximate counts: waiting, received but not deleted, and delayed."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        """Everything that the queue holds."""
        return self.visible + self.in_flight + self.delayed


@dataclass(frozen=True)
class Message:
    """A message as it was received."""

    message_id: str
    body: str
    receipt_handle: str
    receive_count: int
    attributes: Mapping[str, str]  # message attributes of type String


def depth(sqs: "SQSClient", queue_url: str) -> Depth:
    """Ask for the counts of a queue."""
    attributes = sqs.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )["Attributes"]
    return Depth(
        visible=int(attributes.get("ApproximateNumberOfMessages", 0)),
        in_flight=int(attributes.get("ApproximateNumberOfMessagesNotVisible", 0)),
        delayed=int(attributes.get("ApproximateNumberOfMessagesDelayed", 0)),
    )


def peek(sqs: "SQSClient", queue_url: str) -> list[Message]:
    """What waits in a queue, oldest first as far as SQS keeps order. All of it is given back at once.

    Looking counts as a receive, so never look at a queue whose maxReceiveCount is small.
    """
    seen: dict[str, Message] = {}
    try:
        for message in _drain(sqs, queue_url, expected=depth(sqs, queue_url).visible):
            seen[message.message_id] = message
    finally:
        give_back(sqs, queue_url, [message.receipt_handle for message in seen.values()])
    return list(seen.values())


def read(message: "MessageTypeDef") -> Message:
    """A message of boto3's as a value."""
    return Message(
        message_id=message["MessageId"],
        body=message["Body"],
        receipt_handle=message["ReceiptHandle"],
        receive_count=int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
        attributes={
            name: value["StringValue"]
            for name, value in message.get("MessageAttributes", {}).items()
            if "StringValue" in value
        },
    )


def _drain(sqs: "SQSClient", queue_url: str, *, expected: int) -> Iterator[Message]:
    found: set[str] = set()  # SQS may hand one out twice, and may miss some at a time
    misses = 0
    while len(found) < expected and misses < _MISSES:
        batch = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=_HIDDEN_WHILE_LOOKING_S,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        misses = 0 if batch else misses + 1
        found.update(message["MessageId"] for message in batch)
        yield from map(read, batch)


def give_back(sqs: "SQSClient", queue_url: str, receipt_handles: Sequence[str]) -> None:
    """Let what was received be seen by others at once."""
    for start in range(0, len(receipt_handles), BATCH):
        sqs.change_message_visibility_batch(
            QueueUrl=queue_url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for number, handle in enumerate(receipt_handles[start : start + BATCH])
            ],
        )
