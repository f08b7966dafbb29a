"""Queue policies, and other accounts."""

from __future__ import annotations

import json

from fidelity.aws import ACCOUNT, Aws, Queue
from fidelity.behaviour import Group
from fidelity.expect import refused, same
from fidelity.sources import sqs_api, sqs_guide

GROUP = Group("SQS", "Policies")
behaviour = GROUP.behaviour
_OTHER = "111111111111"


def _permit(queue: Queue, permitted: str = "SendMessage", label: str = "l") -> None:
    """Add a permission of another account."""
    queue.sqs.add_permission(QueueUrl=queue.url, Label=label, AWSAccountIds=[_OTHER], Actions=[permitted])


@behaviour(sqs_api("AddPermission", recorded=True))
def permission(aws: Aws) -> None:
    """AddPermission adds a statement with the label, the account's root and the action."""
    queue = aws.queue()

    _permit(queue, label="send")

    statement = {
        "Sid": "send",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{_OTHER}:root"},
        "Action": "SQS:SendMessage",
        "Resource": queue.arn,
    }
    same("adds", json.loads(queue.attributes("Policy")["Policy"])["Statement"], [statement])


@behaviour(sqs_api("AddPermission", recorded=True))
def label_twice(aws: Aws) -> None:
    """An existing label is rejected."""
    queue = aws.queue()
    _permit(queue)

    refused("InvalidParameterValue", _permit, says="Already exists", queue=queue)


@behaviour(sqs_api("RemovePermission", recorded=True))
def label_unknown(aws: Aws) -> None:
    """Removing an unknown label is rejected."""
    refused("InvalidParameterValue", aws.sqs.remove_permission, QueueUrl=aws.queue().url, Label="none")


@behaviour(sqs_api("RemovePermission", recorded=True))
def last_label(aws: Aws) -> None:
    """A queue without permissions has no policy."""
    queue = aws.queue()
    _permit(queue)

    aws.sqs.remove_permission(QueueUrl=queue.url, Label="l")

    same("shows", queue.attributes("Policy"), {})


@behaviour(sqs_api("AddPermission"))
def action_unknown(aws: Aws) -> None:
    """A permission for an unknown action is rejected."""
    says = "Value SQS:Nonsense for parameter ActionName is invalid"
    refused("InvalidParameterValue", _permit, says=says, queue=aws.queue(), permitted="Nonsense")


@behaviour(sqs_guide("sqs-basic-examples-of-sqs-policies"))
def another_account_is_refused(aws: Aws) -> None:
    """Another account is rejected unless a policy allows it (AccessDenied)."""
    other = aws.client("sqs", account=_OTHER)
    refused("AccessDenied", other.send_message, QueueUrl=aws.queue().url, MessageBody="b")


@behaviour(sqs_guide("sqs-basic-examples-of-sqs-policies"))
def another_account_is_let(aws: Aws) -> None:
    """Another account may do what a policy allows, and nothing else."""
    queue, other = aws.queue(), aws.client("sqs", account=_OTHER)
    _permit(queue)

    other.send_message(QueueUrl=queue.url, MessageBody="b")
    refused("AccessDenied", other.receive_message, QueueUrl=queue.url)

    same("gives", queue.bodies(1), ["b"])


@behaviour(sqs_api("GetQueueUrl"))
def url_for_another_account(aws: Aws) -> None:
    """QueueOwnerAWSAccountId finds the queue of another account that allows it."""
    queue, other = aws.queue(), aws.client("sqs", account=_OTHER)
    _permit(queue, "GetQueueUrl")

    same("gives", other.get_queue_url(QueueName=queue.name, QueueOwnerAWSAccountId=ACCOUNT)["QueueUrl"], queue.url)


@behaviour(sqs_api("SetQueueAttributes"))
def policy_that_is_none(aws: Aws) -> None:
    """A policy that is not JSON is rejected (InvalidAttributeValue)."""
    refused("InvalidAttributeValue", aws.queue().set, Policy="{")
