"""PublishBatch on the orders topic: concurrent requests share calls, each gets its own message id.

https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from orderboard_aws_client.batcher import Batcher
from orderboard_aws_client.errors import EntryError
from orderboard_aws_client.limits import Limits
from orderboard_contracts.events import Command
from orderboard_contracts.routing import message_attributes

from order_api.aws import SnsClient

MAX_ENTRIES: Final = 10
MAX_BYTES: Final = 256 * 1024

OrdersTopic = Batcher[Mapping[str, Any], str]
_NO_ANSWER: Final = EntryError("NoAnswer", "SNS did not say what became of this entry", retryable=True)


def entry_for(command: Command, document: str) -> dict[str, Any]:
    """A PublishBatch entry of command, whose JSON is document. Its Id is given when the batch is made."""
    return {
        "Message": document,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in message_attributes(command).items()
        },
    }


def entry_size_bytes(entry: Mapping[str, Any]) -> int:
    """How SNS counts an entry: the message, and each attribute's name, type and value, in UTF-8.

    https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
    """
    attributes: Mapping[str, Mapping[str, str]] = entry["MessageAttributes"]
    return len(entry["Message"].encode()) + sum(
        len(name.encode()) + len(value["DataType"].encode()) + len(value["StringValue"].encode())
        for name, value in attributes.items()
    )


def orders_topic(
    client: SnsClient, topic_arn: str, *, linger_s: float, max_concurrent_calls: int, max_waiting: int
) -> OrdersTopic:
    """A Batcher whose result for each entry is its SNS message id."""

    async def send(entries: Sequence[Mapping[str, Any]]) -> list[str | EntryError]:
        numbered = [{"Id": str(number), **entry} for number, entry in enumerate(entries)]
        response = await client.publish_batch(TopicArn=topic_arn, PublishBatchRequestEntries=numbered)
        outcomes: dict[str, str | EntryError] = {
            success["Id"]: success["MessageId"] for success in response.get("Successful", [])
        }
        outcomes.update((failure["Id"], _refused(failure)) for failure in response.get("Failed", []))
        return [outcomes.get(entry["Id"], _NO_ANSWER) for entry in numbered]

    limits = Limits(
        max_entries=MAX_ENTRIES,
        max_bytes=MAX_BYTES,
        linger_s=linger_s,
        max_concurrent_calls=max_concurrent_calls,
        max_waiting=max_waiting,
    )
    return Batcher(send, limits=limits, size_bytes=entry_size_bytes)


def _refused(failure: Mapping[str, Any]) -> EntryError:
    """SenderFault says that the same entry would be refused again.

    https://docs.aws.amazon.com/sns/latest/api/API_BatchResultErrorEntry.html
    """
    return EntryError(
        failure.get("Code", "Unknown"), failure.get("Message", ""), retryable=not failure.get("SenderFault", False)
    )
