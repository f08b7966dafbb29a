"""Steps of load: send, receive and delete, publish, put events.

Messages are JSON documents of 500 bytes in batches of ten. All requests but deletes and sends to FIFO queues are
prepared once.
"""

import itertools
import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from engines.client import Client, form_request, json_request
from engines.load import Step

BODY_BYTES = 500
BATCH = 10
_HANDLE = re.compile(rb'"ReceiptHandle": ?"([^"]+)"')
_FAILURES = re.compile(rb'"Failed": ?\[\{|"FailedEntryCount": ?[1-9]|<Failed><member')


class PartialFailureError(Exception):
    """A batch of which some entries failed."""


def document(size: int = BODY_BYTES, **members: Any) -> str:
    """A JSON document of `size` bytes, a third of it structure."""
    value: dict[str, Any] = {"id": "a1b2c3", "kind": "measured", "amount": 1250, "items": [], "note": ""} | members
    while len(json.dumps(value)) < size - 60:
        value["items"].append({"sku": "beans", "count": 2, "price": 625})
    value["note"] = "x" * (size - len(json.dumps(value)))
    return json.dumps(value)


def _checked(answer: bytes) -> None:
    if _FAILURES.search(answer):
        raise PartialFailureError(answer[:500])


def _prepared(request: bytes) -> Step:
    async def step(client: Client) -> int:
        _checked(await client.call(request))
        return BATCH

    return step


def send(queue_url: str, size: int = BODY_BYTES) -> Step:
    """SendMessageBatch of bodies of `size` bytes."""
    entries = [{"Id": str(place), "MessageBody": document(size)} for place in range(BATCH)]
    return _prepared(json_request("sqs", "SendMessageBatch", {"QueueUrl": queue_url, "Entries": entries}))


def send_to_groups(queue_url: str, groups: int) -> Step:
    """SendMessageBatch to a FIFO queue, each message to the next of `groups` groups."""
    numbers = itertools.count()
    run = secrets.token_hex(4)
    quoted = json.dumps(document())

    async def step(client: Client) -> int:
        entries = ",".join(
            f'{{"Id":"{number % BATCH}","MessageBody":{quoted},"MessageGroupId":"g{number % groups}",'
            f'"MessageDeduplicationId":"{run}-{number}"}}'
            for number in itertools.islice(numbers, BATCH)
        )
        body = f'{{"QueueUrl":"{queue_url}","Entries":[{entries}]}}'.encode()
        _checked(await client.call(json_request("sqs", "SendMessageBatch", body)))
        return BATCH

    return step


def receive_and_delete(queue_url: str) -> Step:
    """ReceiveMessage, and DeleteMessageBatch of the received messages."""
    request = json_request("sqs", "ReceiveMessage", {"QueueUrl": queue_url, "MaxNumberOfMessages": BATCH})
    head = f'{{"QueueUrl":"{queue_url}","Entries":['.encode()

    async def step(client: Client) -> int:
        handles = _HANDLE.findall(await client.call(request))
        if handles:
            entries = b",".join(b'{"Id":"%d","ReceiptHandle":"%b"}' % pair for pair in enumerate(handles))
            _checked(await client.call(json_request("sqs", "DeleteMessageBatch", b"%b%b]}" % (head, entries))))
        return len(handles)

    return step


def publish(topic_arn: str) -> Step:
    """PublishBatch, each message with two attributes."""
    parameters = {"TopicArn": topic_arn}
    for place in range(1, BATCH + 1):
        entry = f"PublishBatchRequestEntries.member.{place}"
        parameters |= {f"{entry}.Id": str(place), f"{entry}.Message": document()}
        for number, (name, value) in enumerate((("event_type", "measured.v1"), ("priority", "normal")), 1):
            attribute = f"{entry}.MessageAttributes.entry.{number}"
            parameters |= {f"{attribute}.Name": name, f"{attribute}.Value.DataType": "String"}
            parameters[f"{attribute}.Value.StringValue"] = value
    return _prepared(form_request("sns", "PublishBatch", parameters))


def put_events(bus: str, entry: Callable[[int], Mapping[str, Any]]) -> Step:
    """PutEvents: a cycle of a hundred requests. `entry` makes an entry from its number."""
    made = [
        json_request(
            "events", "PutEvents", {"Entries": [{"EventBusName": bus, **entry(n)} for n in range(at, at + BATCH)]}
        )
        for at in range(0, 100 * BATCH, BATCH)
    ]
    requests = itertools.cycle(made)

    async def step(client: Client) -> int:
        _checked(await client.call(next(requests)))
        return BATCH

    return step
