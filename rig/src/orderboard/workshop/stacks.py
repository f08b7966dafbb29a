"""The stacks that attendees deploy from their own templates."""

import json
from typing import Final

from orderboard_stack.deploy import DeployFailedError
from orderboard_stack.stack import Stack

from orderboard.errors import UsageError
from orderboard.workshop.board import Board

_WITHIN_S: Final = 60.0


def deploy_template(board: Board, file: str, stack_name: str) -> str:
    """Create or update a stack from one of the attendee's files; return a sentence about it."""
    return deploy_text(board, board.text(file), stack_name, file)


def deploy_text(board: Board, template: str, stack_name: str, file: str) -> str:
    """Create or update a stack from this text. Raises UsageError with the resources that failed, and why."""
    endpoint = board.target.endpoint
    stack = Stack(
        endpoint.session(), endpoint.endpoint_url, stack_name, progress=lambda _line: None, within_s=_WITHIN_S
    )
    board.say(f"Deploying {file} as the stack {stack_name}.")
    try:
        stack.settle()
        if stack.is_unusable():
            stack.delete()
        if stack.has(template, {}):
            return f"The stack {stack_name} is as {file} says: nothing to change."
        if stack.state() is None:
            stack.create(template, {})
        else:
            stack.update(template, {})
    except DeployFailedError as exc:
        raise UsageError(f"{file} was not deployed. {exc}") from exc
    return f"The stack {stack_name} is as {file} says."


def deploy_queue(board: Board, name: str, visibility_timeout_s: int) -> None:
    """Create a queue of an exercise, by a stack of its name: unlike one that was deleted, it can come back at once."""
    own = f"{board.own}-{name}"
    properties = {"QueueName": own, "VisibilityTimeout": visibility_timeout_s}
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": properties}}}
    deploy_text(board, json.dumps(template), own, f"the queue {own}")
