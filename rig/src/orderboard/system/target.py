"""What a command talks to: a backend that answers, the stack on it, and the API in front, if it is known."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from orderboard_stack.backend import CLIENT_CONFIG, BackendUnreachableError, Endpoint
from orderboard_stack.outputs import StackNotFoundError, StackOutputs
from orderboard_stack.outputs import read as read_outputs

from orderboard.errors import RigError

if TYPE_CHECKING:
    from types_boto3_cloudwatch.client import CloudWatchClient
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_events.client import EventBridgeClient
    from types_boto3_sqs.client import SQSClient

AWS_ERRORS = (BotoCoreError, ClientError, BackendUnreachableError)


@dataclass(frozen=True)
class Target:
    """A deployed stack, and clients for looking at it."""

    endpoint: Endpoint
    outputs: StackOutputs
    api_url: str | None = None

    @cached_property
    def session(self) -> boto3.Session:
        """The boto3 session that the clients come from."""
        return self.endpoint.session()

    @cached_property
    def sqs(self) -> "SQSClient":
        """For queues."""
        return self.session.client("sqs", endpoint_url=self.endpoint.endpoint_url, config=CLIENT_CONFIG)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """For the table."""
        return self.session.client("dynamodb", endpoint_url=self.endpoint.dynamodb_url, config=CLIENT_CONFIG)

    @cached_property
    def events(self) -> "EventBridgeClient":
        """For the bus."""
        return self.session.client("events", endpoint_url=self.endpoint.endpoint_url, config=CLIENT_CONFIG)

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """For alarms."""
        return self.session.client("cloudwatch", endpoint_url=self.endpoint.endpoint_url, config=CLIENT_CONFIG)

    def queue_url(self, name: str) -> str:
        """The address of a queue, as this caller reaches it."""
        return self.sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def api(self) -> str:
        """The API's address; raise RigError when it is not known."""
        if self.api_url is None:
            raise RigError("Where is order-api? Name it with --api-url, such as http://127.0.0.1:8000.")
        return self.api_url


def target(endpoint: Endpoint, stack_name: str, api_url: str | None) -> Target:
    """Look up the stack on this backend; raise RigError when there is none."""
    try:
        outputs = read_outputs(endpoint.session(), endpoint.endpoint_url, stack_name)
    except StackNotFoundError as exc:
        raise RigError(str(exc)) from exc
    except AWS_ERRORS as exc:
        where = endpoint.endpoint_url or "AWS"
        raise RigError(f"No answer from {where}. If it has ended: orderboard down, orderboard up. ({exc})") from exc
    return Target(endpoint, outputs, api_url)
