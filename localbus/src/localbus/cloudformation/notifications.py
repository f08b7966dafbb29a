"""The events of stacks as SNS notifications, sent to the topics in NotificationARNs.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-create-stack.html (the topics), and
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html (the fields)
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from localbus.cloudformation.stack import Stack, iso_time
from localbus.errors import AwsError
from localbus.protocol.service import Service
from localbus.protocol.service_model import Params

log = logging.getLogger("localbus")
_SUBJECT = "AWS CloudFormation Notification"
_FIELDS = (
    "StackId",
    "Timestamp",
    "EventId",
    "LogicalResourceId",
    "Namespace",
    "PhysicalResourceId",
    "PrincipalId",
    "ResourceProperties",
    "ResourceStatus",
    "ResourceStatusReason",
    "ResourceType",
    "StackName",
    "ClientRequestToken",
)


def notification(event: Params, account: str) -> str:
    """The message of an event: a field a line, each value in single quotes."""
    values = event | {"Timestamp": iso_time(event["Timestamp"]), "Namespace": account, "PrincipalId": account}
    empty = {"ResourceProperties": "null", "ClientRequestToken": "null"}
    return "".join(f"{name}='{values.get(name, empty.get(name, ''))}'\n" for name in _FIELDS)


class Notifier:
    """Publishes the events of stacks to their topics, as the owner of the stack."""

    def __init__(self, services: Mapping[str, Service]) -> None:
        self._services = services

    def publish(self, stack: Stack, event: Params) -> None:
        """Publish an event, if the stack has topics. A topic that cannot take it is logged."""
        sns = self._services["sns"]
        for topic in stack.notification_arns:
            given = {"TopicArn": topic, "Subject": _SUBJECT, "Message": notification(event, stack.caller.account)}
            try:
                sns.call(sns.api.operation("Publish"), given, stack.caller)
            except AwsError as exc:
                log.warning("stack.not_notified", extra={"stack": stack.id, "topic": topic, "error": exc.message})
