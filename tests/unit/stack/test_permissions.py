"""The roles allow exactly what the services' code calls: no call is refused on AWS, and nothing more is granted."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from orderboard_stack.deploy import TEMPLATE
from template_file import document
from unit.stack.template_model import Template

ROOT = Path(__file__).parents[3]
CLIENT_NAMES = ("client", "sns", "sqs", "events", "dynamodb")

# Operations whose IAM action has another name.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
ACTIONS = {
    "publish_batch": "sns:Publish",
    "delete_message_batch": "sqs:DeleteMessage",
    "change_message_visibility_batch": "sqs:ChangeMessageVisibility",
    "batch_execute_statement": "dynamodb:PartiQLInsert",  # the worker's statements are INSERTs
}
SOURCES = {
    "OrderApiRole": ("services/order-api/src", "aws_client/src"),
    "WorkerRole": ("services/worker/src", "aws_client/src"),
    "NotifierRole": ("services/notifier/src",),
}


@cache
def action_of_operation() -> dict[str, str]:
    """The IAM action of every operation of the SDK's clients that the services use, by the client's method name."""
    session = botocore.session.get_session()
    return {
        xform_name(operation): f"{service}:{operation}"
        for service in ("sqs", "sns", "events", "dynamodb")
        for operation in session.get_service_model(service).operation_names
    } | ACTIONS


def called(source: str) -> Iterator[str]:
    """The IAM actions that Python code needs, by the methods that it calls on SDK clients."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=owner) | ast.Name(id=owner), attr=method)):
                if owner.strip("_").endswith(CLIENT_NAMES) and method in action_of_operation():
                    yield action_of_operation()[method]


def called_below(*folders: str) -> set[str]:
    """The actions that the code below these folders needs."""
    return {
        action for folder in folders for file in (ROOT / folder).rglob("*.py") for action in called(file.read_text())
    }


def granted(role: str) -> set[str]:
    """The actions that the template lets a role do."""
    return {action for action, _ in Template(document(TEMPLATE)).allowed(role)}


@pytest.mark.parametrize("role", ["OrderApiRole", "WorkerRole"])
def test_a_role_grants_exactly_what_the_code_calls(role: str) -> None:
    """A call that is added or dropped in a service changes its policy too."""
    assert granted(role) == called_below(*SOURCES[role])


def test_the_notifiers_role_grants_what_its_code_calls() -> None:
    """The table of docs/security.md, which another test compares, has besides the calls of Powertools and of Lambda."""
    calls = called_below(*SOURCES["NotifierRole"])

    assert calls
    assert calls <= granted("NotifierRole")


@pytest.mark.parametrize(
    ("code", "actions"),
    [
        ("await self._client.delete_message_batch(QueueUrl=url)", {"sqs:DeleteMessage"}),
        ("clients.sns.get_topic_attributes(TopicArn=arn)", {"sns:GetTopicAttributes"}),
        ("lambda: client.put_item(Item=item)", {"dynamodb:PutItem"}),
        ("services.publisher.publish(command)", set()),
        ("client.unheard_of()", set()),
    ],
)
def test_calls_are_detected(code: str, actions: set[str]) -> None:
    """Calls on SDK clients count, and nothing else."""
    assert set(called(f"async def f():\n    {code}")) == actions
