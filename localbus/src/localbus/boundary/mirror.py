"""A mirror: the upstream's resource of the name of one of ours, with a queue that collects what is sent to it.

The mirror of a queue collects by itself; that of a topic has a subscription, that of a bus a rule for all events.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

from localbus.boundary.names import Name
from localbus.http.client import NoAnswerError
from localbus.protocol.service_model import Params
from localbus.upstream.client import UpstreamClient

_RULE: Final = "localbus"
_ALL_EVENTS: Final = json.dumps({"source": [{"exists": True}]})
_RETENTION_S: Final = "1209600"
_SQS_VERSION: Final = "1.0"


class MirrorError(Exception):
    """An error of the upstream; the message is its own."""


class Mirror:
    """The mirror of one queue, topic or bus. Calls raise MirrorError, or NoAnswerError and TimeoutError."""

    def __init__(self, name: Name, calls: UpstreamClient) -> None:
        self._name = name
        self._calls = calls
        digest = hashlib.sha256(name.arn.encode()).hexdigest()[:16]
        collector = f"localbus-{name.kind}-{digest}{'.fifo' if name.is_fifo else ''}"
        self._queue = name if name.kind == "sqs" else Name("sqs", name.account, name.region, collector)
        self._queue_url = ""

    async def create(self, attributes: dict[str, str]) -> None:
        """Create it, where it does not exist. `attributes` are those that the upstream checks when it sends."""
        fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if self._queue.is_fifo else {}
        policy = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": self._queue.arn}
        given = {"MessageRetentionPeriod": _RETENTION_S, "Policy": json.dumps({"Statement": [policy]}), **fifo}
        if self._name.kind == "sqs":
            given |= attributes
        try:
            answer = await self._sqs("CreateQueue", {"QueueName": self._queue.name, "Attributes": given})
        except MirrorError:  # it exists with other attributes, from an earlier localbus
            answer = await self._sqs("GetQueueUrl", {"QueueName": self._queue.name})
        self._queue_url = answer["QueueUrl"]
        if self._name.kind == "sns":
            await self._create_topic(attributes)
        elif self._name.kind == "events":
            await self._create_bus()

    async def _create_topic(self, attributes: dict[str, str]) -> None:
        policy = {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": self._name.arn}
        given = {"Policy": json.dumps({"Statement": [policy]}), **attributes}
        form = {"Action": "CreateTopic", "Name": self._name.name}
        for number, (key, value) in enumerate(given.items(), 1):
            form |= {f"Attributes.entry.{number}.key": key, f"Attributes.entry.{number}.value": value}
        await self._sns(form)
        subscription = {"TopicArn": self._name.arn, "Protocol": "sqs", "Endpoint": self._queue.arn}
        await self._sns({"Action": "Subscribe", **subscription})

    async def _create_bus(self) -> None:
        bus = self._name.name
        if bus != "default":
            try:
                await self._events("DescribeEventBus", {"Name": bus})
            except MirrorError:
                await self._events("CreateEventBus", {"Name": bus})
        await self._events("PutRule", {"Name": _RULE, "EventBusName": bus, "EventPattern": _ALL_EVENTS})
        targets = [{"Id": _RULE, "Arn": self._queue.arn}]
        await self._events("PutTargets", {"Rule": _RULE, "EventBusName": bus, "Targets": targets})

    async def delete(self) -> None:
        """Delete it with its queue."""
        if self._name.kind == "sns":
            await self._sns({"Action": "DeleteTopic", "TopicArn": self._name.arn})
        elif self._name.kind == "events":
            bus = self._name.name
            await self._events("RemoveTargets", {"Rule": _RULE, "EventBusName": bus, "Ids": [_RULE]})
            await self._events("DeleteRule", {"Name": _RULE, "EventBusName": bus})
            if bus != "default":
                await self._events("DeleteEventBus", {"Name": bus})
        await self._sqs("DeleteQueue", {"QueueUrl": self._queue_url})

    async def receive(self, wait_s: int) -> list[Params]:
        """Receive up to ten messages by a long poll."""
        given = {"QueueUrl": self._queue_url, "WaitTimeSeconds": wait_s, "MaxNumberOfMessages": 10}
        names = {"MessageAttributeNames": ["All"], "AttributeNames": ["All"]}
        answer = await self._sqs("ReceiveMessage", given | names)
        messages: list[Params] = answer.get("Messages", [])
        return messages

    async def remove(self, message: Params) -> None:
        """Delete a message that was received."""
        await self._sqs("DeleteMessage", {"QueueUrl": self._queue_url, "ReceiptHandle": message["ReceiptHandle"]})

    async def _sqs(self, action: str, params: Params) -> Params:
        answer = await self._calls.json(f"AmazonSQS.{action}", self._queue.arn, params, version=_SQS_VERSION)
        return _checked(action, *answer)

    async def _events(self, action: str, params: Params) -> Params:
        return _checked(action, *await self._calls.json(f"AWSEvents.{action}", self._name.arn, params))

    async def _sns(self, form: dict[str, str]) -> None:
        answer = await self._calls.form(self._name.arn, {**form, "Version": "2010-03-31"})
        _checked(form["Action"], answer.status, {"message": answer.body.decode(errors="replace")})


def _checked(action: str, status: int, document: Params) -> Params:
    if status >= 500:
        raise NoAnswerError(f"{action}: the upstream answered {status}")
    if status >= 300:
        reason = document.get("message") or document.get("Message") or f"HTTP status {status}"
        raise MirrorError(f"The upstream refused {action}: {reason}")
    return document
