"""PublishBatch on the orders topic: concurrent requests share calls, and each gets its own message id.

https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from orderboard_aws_client.batcher import Batcher, Limits
from orderboard_aws_client.errors import EntryError
from orderboard_contracts.events import Command
from orderboard_contracts.routing import message_attributes

if TYPE_CHECKING:
    from types_aiobotocore_sns.client import SNSClient

MAX_ENTRIES: Final = 10
MAX_BYTES: Final = 256 * 1024

OrdersTopic = Batcher[Mapping[str, Any], str]
_NO_RESULT: Final = EntryError("NoResult", "the response of SNS has no result for this entry", retryable=True)


def entry_for(command: Command, document: str) -> dict[str, Any]:
    """Build a PublishBatch entry of command, whose JSON is document. Its Id is set when the batch is sent."""
    return {
        "Message": document,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in message_attributes(command).items()
        },
    }


def entry_size_bytes(entry: Mapping[str, Any]) -> int:
    """Return the size of an entry as SNS counts it: message, and attribute names, types and values, in UTF-8.

    https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
    """
    attributes: Mapping[str, Mapping[str, str]] = entry["MessageAttributes"]
    return len(entry["Message"].encode()) + sum(
        len(name.encode()) + len(value["DataType"].encode()) + len(value["StringValue"].encode())
        for name, value in attributes.items()
    )


def orders_topic(
    client: "SNSClient", topic_arn: str, *, linger_s: float, max_concurrent_calls: int, max_waiting: int
) -> OrdersTopic:
    """Create a Batcher whose result for each entry is its SNS message id."""

    async def send(entries: Sequence[Mapping[str, Any]]) -> list[str | EntryError]:
        numbered: Any = [{"Id": str(number), **entry} for number, entry in enumerate(entries)]
        response = await client.publish_batch(TopicArn=topic_arn, PublishBatchRequestEntries=numbered)
        results: dict[str, str | EntryError] = {
            success["Id"]: success["MessageId"] for success in response.get("Successful", [])
        }
        results.update((failure["Id"], EntryError.of(failure)) for failure in response.get("Failed", []))
        return [results.get(entry["Id"], _NO_RESULT) for entry in numbered]

    limits = Limits(MAX_ENTRIES, MAX_BYTES, linger_s, max_concurrent_calls, max_waiting)
    return Batcher(send, limits=limits, size_bytes=entry_size_bytes)
