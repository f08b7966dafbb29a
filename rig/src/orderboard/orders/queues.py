"""Queues as an onlooker sees them: counts and messages, nothing taken away."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from orderboard_contracts.alert import Alert, NotAnAlert, parse_alert

from orderboard.system.target import Target

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

BATCH: Final = 10  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
_HIDDEN_WHILE_PEEKING_S: Final = 30
_MAX_EMPTY_RECEIVES: Final = 2


@dataclass(frozen=True)
class Depth:
    """SQS's approximate counts: visible, in flight (received but not deleted), and delayed."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        """Every message that the queue holds."""
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
    """Read the counts of a queue."""
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
    """Receive every visible message and make it visible again at once. Oldest first as far as SQS keeps the order.

    This counts as a receive, so it is not for queues with a small maxReceiveCount.
    """
    seen: dict[str, Message] = {}
    try:
        for message in _receive(sqs, queue_url, expected=depth(sqs, queue_url).visible):
            seen[message.message_id] = message
    finally:
        make_visible(sqs, queue_url, [message.receipt_handle for message in seen.values()])
    return list(seen.values())


def alerts(target: Target) -> list[Alert]:
    """Every alert in the inbox, a repeated delivery repeated. Other messages, such as alarms, are left out."""
    found = []
    for message in peek(target.sqs, target.queue_url(target.outputs.inbox_queue)):
        try:
            found.append(parse_alert(message.body))
        except NotAnAlert:
            continue
    return found


def make_visible(sqs: "SQSClient", queue_url: str, receipt_handles: Sequence[str]) -> None:
    """Let other consumers receive these messages at once."""
    for start in range(0, len(receipt_handles), BATCH):
        sqs.change_message_visibility_batch(
            QueueUrl=queue_url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for number, handle in enumerate(receipt_handles[start : start + BATCH])
            ],
        )


def _receive(sqs: "SQSClient", queue_url: str, *, expected: int) -> Iterator[Message]:
    found: set[str] = set()  # SQS may return one twice, and may miss some at a time
    empty = 0
    while len(found) < expected and empty < _MAX_EMPTY_RECEIVES:
        batch = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=_HIDDEN_WHILE_PEEKING_S,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        empty = 0 if batch else empty + 1
        found.update(message["MessageId"] for message in batch)
        yield from map(_message, batch)


def _message(message: "MessageTypeDef") -> Message:
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
