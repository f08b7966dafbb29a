"""A deployed stack for one test, with clients of its backend."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orderboard.system.target import Target

if TYPE_CHECKING:
    from types_boto3_sqs.literals import QueueAttributeNameType
    from types_boto3_sqs.type_defs import MessageTypeDef


def sends_by(service: str) -> "dict[QueueAttributeNameType, str]":
    """The attributes of a queue to which this service, such as sns, may send: without a policy AWS lets nobody."""
    principal = {"Service": f"{service}.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": "*"}
    return {"Policy": json.dumps({"Statement": [statement]})}


@dataclass(frozen=True, kw_only=True)
class DeployedStack(Target):
    """A stack for one test, with clients of its backend."""

    name: str
    prefix: str

    @property
    def environment(self) -> dict[str, str]:
        """All that a service reads: the standard AWS variables and the stack's outputs."""
        return {**self.endpoint.environment(), **self.outputs.environment()}

    def waiting(self, name: str) -> int:
        """Return the approximate number of messages that can be received now."""
        attributes = self.sqs.get_queue_attributes(
            QueueUrl=self.queue_url(name), AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"])

    def receive(self, name: str, *, wait_s: int = 0, delete: bool = True) -> "list[MessageTypeDef]":
        """Receive up to ten messages of a queue with all their attributes, and delete them unless `delete` is False."""
        url = self.queue_url(name)
        messages = self.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=wait_s,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])
        for message in messages if delete else ():
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return messages


DeployStack = Callable[[Mapping[str, str]], DeployedStack]
