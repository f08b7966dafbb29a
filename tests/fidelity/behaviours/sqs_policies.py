"""Queue policies, and other accounts."""

from __future__ import annotations

import json

from fidelity.aws import ACCOUNT, Aws
from fidelity.behaviour import Group
from fidelity.expect import refused, same
from fidelity.sources import sqs_api, sqs_guide

GROUP = Group("SQS", "Policies")
behaviour = GROUP.behaviour
_OTHER = "111111111111"


@behaviour(sqs_api("AddPermission", recorded=True))
def permission(aws: Aws) -> None:
    """AddPermission adds a statement with the label, the account's root and the action."""
    queue = aws.queue()
    given = {"QueueUrl": queue.url, "Label": "send", "AWSAccountIds": [_OTHER], "Actions": ["SendMessage"]}
    aws.sqs.add_permission(**given)

    policy = json.loads(queue.attributes("Policy")["Policy"])

    statement = {
        "Sid": "send",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{_OTHER}:root"},
        "Action": "SQS:SendMessage",
        "Resource": queue.arn,
    }
    same("adds", policy["Statement"], [statement])


@behaviour(sqs_api("AddPermission", recorded=True))
def label_twice(aws: Aws) -> None:
    """An existing label is rejected."""
    given = {"QueueUrl": aws.queue().url, "Label": "l", "AWSAccountIds": [_OTHER], "Actions": ["SendMessage"]}
    aws.sqs.add_permission(**given)

    refused("InvalidParameterValue", aws.sqs.add_permission, says="Already exists", **given)


@behaviour(sqs_api("RemovePermission", recorded=True))
def label_unknown(aws: Aws) -> None:
    """Removing an unknown label is rejected."""
    refused("InvalidParameterValue", aws.sqs.remove_permission, QueueUrl=aws.queue().url, Label="none")


@behaviour(sqs_api("RemovePermission", recorded=True))
def last_label(aws: Aws) -> None:
    """A queue without permissions has no policy."""
    queue = aws.queue()
    given = {"QueueUrl": queue.url, "Label": "l", "AWSAccountIds": [_OTHER], "Actions": ["SendMessage"]}
    aws.sqs.add_permission(**given)

    aws.sqs.remove_permission(QueueUrl=queue.url, Label="l")

    same("shows", queue.attributes("Policy"), {})


@behaviour(sqs_api("AddPermission"))
def action_unknown(aws: Aws) -> None:
    """A permission for an unknown action is rejected."""
    given = {"QueueUrl": aws.queue().url, "Label": "l", "AWSAccountIds": [_OTHER], "Actions": ["Nonsense"]}

    says = "Value SQS:Nonsense for parameter ActionName is invalid"
    refused("InvalidParameterValue", aws.sqs.add_permission, says=says, **given)


@behaviour(sqs_guide("sqs-basic-examples-of-sqs-policies"))
def another_account_is_refused(aws: Aws) -> None:
    """Another account is rejected unless a policy allows it (AccessDenied)."""
    other = aws.client("sqs", account=_OTHER)

    refused("AccessDenied", other.send_message, QueueUrl=aws.queue().url, MessageBody="b")


@behaviour(sqs_guide("sqs-basic-examples-of-sqs-policies"))
def another_account_is_let(aws: Aws) -> None:
    """Another account may do what a policy allows, and nothing else."""
    queue, other = aws.queue(), aws.client("sqs", account=_OTHER)
    given = {"QueueUrl": queue.url, "Label": "l", "AWSAccountIds": [_OTHER], "Actions": ["SendMessage"]}
    aws.sqs.add_permission(**given)

    other.send_message(QueueUrl=queue.url, MessageBody="b")
    refused("AccessDenied", other.receive_message, QueueUrl=queue.url)

    same("gives", queue.bodies(1), ["b"])


@behaviour(sqs_api("GetQueueUrl"))
def url_for_another_account(aws: Aws) -> None:
    """QueueOwnerAWSAccountId finds the queue of another account that allows it."""
    queue, other = aws.queue(), aws.client("sqs", account=_OTHER)
    given = {"QueueUrl": queue.url, "Label": "l", "AWSAccountIds": [_OTHER], "Actions": ["GetQueueUrl"]}
    aws.sqs.add_permission(**given)

    url = other.get_queue_url(QueueName=queue.name, QueueOwnerAWSAccountId=ACCOUNT)["QueueUrl"]

    same("gives", url, queue.url)


@behaviour(sqs_api("SetQueueAttributes"))
def policy_that_is_none(aws: Aws) -> None:
    """A policy that is not JSON is rejected (InvalidAttributeValue)."""
    given = {"QueueUrl": aws.queue().url, "Attributes": {"Policy": "{"}}

    refused("InvalidAttributeValue", aws.sqs.set_queue_attributes, **given)
