"""What a client does, as steps of load: sending, receiving with deleting, publishing, putting events.

Messages are JSON documents of 500 bytes in batches of ten. All requests but deletes and sends to FIFO queues are made
once, before.
"""

from __future__ import annotations

import itertools
import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from client import Client, form_request, json_request
from load import Step

BODY_BYTES = 500
BATCH = 10
_HANDLE = re.compile(rb'"ReceiptHandle": ?"([^"]+)"')
_FAILURES = re.compile(rb'"Failed": ?\[\{|"FailedEntryCount": ?[1-9]|<Failed><member')


class NotTakenError(Exception):
    """An engine took some entries of a batch and refused others."""


def document(size: int = BODY_BYTES, **members: Any) -> str:
    """A JSON text of that many bytes, a third of it structure."""
    value: dict[str, Any] = {"id": "a1b2c3", "kind": "measured", "amount": 1250, "items": [], "note": ""} | members
    while len(json.dumps(value)) < size - 60:
        value["items"].append({"sku": "beans", "count": 2, "price": 625})
    value["note"] = "x" * (size - len(json.dumps(value)))
    return json.dumps(value)


def _checked(answer: bytes) -> None:
    if _FAILURES.search(answer):
        raise NotTakenError(answer[:500])


def _ready_made(request: bytes) -> Step:
    async def step(client: Client) -> int:
        _checked(await client.call(request))
        return BATCH

    return step


def send(queue_url: str) -> Step:
    """SendMessageBatch."""
    entries = [{"Id": str(place), "MessageBody": document()} for place in range(BATCH)]
    return _ready_made(json_request("sqs", "SendMessageBatch", {"QueueUrl": queue_url, "Entries": entries}))


def send_to_groups(queue_url: str, groups: int) -> Step:
    """SendMessageBatch to a FIFO queue: each message to the next of so many groups."""
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
    """ReceiveMessage, and DeleteMessageBatch of what came."""
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
    return _ready_made(form_request("sns", "PublishBatch", parameters))


def put_events(bus: str, entry: Callable[[int], Mapping[str, Any]]) -> Step:
    """PutEvents: a cycle of a hundred requests, the entries of which are made from their numbers."""
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
