"""The target of a command: a backend that answers, the stack on it, and order-api if its address is known.

A `Connection` is the backend alone, for resources that no stack has made.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from orderboard_stack.backend import BackendUnreachableError, Endpoint
from orderboard_stack.clients import CLIENT_CONFIG
from orderboard_stack.outputs import StackNotFoundError, StackOutputs
from orderboard_stack.outputs import read as read_outputs

from orderboard.errors import RigError

if TYPE_CHECKING:
    from types_boto3_cloudformation.client import CloudFormationClient
    from types_boto3_cloudwatch.client import CloudWatchClient
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_events.client import EventBridgeClient
    from types_boto3_lambda.client import LambdaClient
    from types_boto3_sns.client import SNSClient
    from types_boto3_sqs.client import SQSClient

# The rig shares the processor with what it measures: these two take a quarter of a call.
_CONFIG = CLIENT_CONFIG.merge(Config(parameter_validation=False, user_agent="orderboard"))
AWS_ERRORS = (BotoCoreError, ClientError, BackendUnreachableError)
# How to go on when a system that ran here no longer answers.
RESTART_HINT = "If it has ended, start it again: `orderboard down && orderboard up`."


class NoStackError(RigError):
    """The backend answers, but the stack is not on it."""


@dataclass(frozen=True)
class Connection:
    """A backend and its AWS clients, each made when it is first used."""

    endpoint: Endpoint

    @cached_property
    def session(self) -> boto3.Session:
        """The boto3 session of all clients."""
        return self.endpoint.session()

    @cached_property
    def sqs(self) -> "SQSClient":
        """A client for queues."""
        return self.session.client("sqs", endpoint_url=self.endpoint.endpoint_url, config=_CONFIG)

    @cached_property
    def sns(self) -> "SNSClient":
        """A client for topics."""
        return self.session.client("sns", endpoint_url=self.endpoint.endpoint_url, config=_CONFIG)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """A client for the table."""
        return self.session.client("dynamodb", endpoint_url=self.endpoint.endpoint_url, config=_CONFIG)

    @cached_property
    def events(self) -> "EventBridgeClient":
        """A client for the bus."""
        return self.session.client("events", endpoint_url=self.endpoint.endpoint_url, config=_CONFIG)

    @cached_property
    def functions(self) -> "LambdaClient":
        """A client for the notifier and its event source mapping."""
        return self.session.client("lambda", endpoint_url=self.endpoint.endpoint_url, config=_CONFIG)

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """A client for stacks."""
        return self.session.client("cloudformation", endpoint_url=self.endpoint.endpoint_url, config=_CONFIG)

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """A client for alarms."""
        return self.session.client("cloudwatch", endpoint_url=self.endpoint.endpoint_url, config=_CONFIG)

    @cached_property
    def logs(self) -> Any:
        """A client for the logs of functions and tasks."""
        return self.session.client("logs", endpoint_url=self.endpoint.endpoint_url, config=_CONFIG)

    def close(self) -> None:
        """Close the connections of the clients that were used."""
        for client in vars(self).values():
            if isinstance(client, BaseClient):
                client.close()

    def queue_url(self, name: str) -> str:
        """The URL of a queue, as this caller reaches it."""
        return self.sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def subscription_endpoints(self) -> dict[str, str]:
        """The endpoint of each subscription of the account, by the subscription's ARN."""
        pages = self.sns.get_paginator("list_subscriptions").paginate()
        return {each["SubscriptionArn"]: each["Endpoint"] for page in pages for each in page["Subscriptions"]}


@dataclass(frozen=True)
class Target(Connection):
    """A deployed stack on its backend."""

    outputs: StackOutputs
    api_url: str | None = None

    def api(self) -> str:
        """The API's URL; raise RigError when it is not known."""
        if self.api_url is None:
            raise RigError("The address of order-api is not known. Give it with --api-url http://127.0.0.1:8000.")
        return self.api_url


def restoring(table: str) -> str:
    """Return the name of the temporary table that a restore of this one makes first."""
    return f"{table}-restoring"


def target(endpoint: Endpoint, stack_name: str, api_url: str | None) -> Target:
    """Look up the stack on this backend; raise RigError when there is none."""
    try:
        outputs = read_outputs(endpoint.session(), endpoint.endpoint_url, stack_name)
    except StackNotFoundError as exc:
        raise NoStackError(str(exc)) from exc
    except AWS_ERRORS as exc:
        hint = RESTART_HINT if endpoint.local else "Are these the credentials of its account (AWS_PROFILE)?"
        raise RigError(f"No answer from {endpoint.endpoint_url or 'AWS'}. {hint} ({exc})") from exc
    return Target(endpoint, outputs, api_url)
