"""Nested stacks: created, updated, rolled back and deleted with the stack that has them as resources.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html
"""

from __future__ import annotations

import asyncio

from localbus.cloudformation import lifecycle
from localbus.cloudformation.plan import Plan
from localbus.cloudformation.resource_errors import PlainReasonError
from localbus.cloudformation.resources.base import Properties, ResourceContext, tags_of
from localbus.cloudformation.stack import ParentVerdict, Stack
from localbus.cloudformation.stack_actions import changes_anything, check_transforms, check_updatable
from localbus.cloudformation.state import CloudFormation
from localbus.cloudformation.template import source
from localbus.cloudformation.template.parser import as_text

_MAX_NAME_LENGTH = 128


class StacksInStacks:
    """The nested stacks of all stacks. A failure raises PlainReasonError with its reason, or AwsError."""

    def __init__(self, cfn: CloudFormation) -> None:
        self._cfn = cfn

    async def create(self, context: ResourceContext, properties: Properties) -> str:
        """Start to create a stack in the stack of `context`. Returns its id."""
        parent = self._stack(context.stack_id)
        child = self._cfn.new_stack(context.new_name(_MAX_NAME_LENGTH), parent.caller, parent.token)
        child.parent = parent
        child.tags = tags_of(properties)
        child.plan = await self._plan(child, properties)
        self._cfn.stacks.add(child)
        lifecycle.start_create(self._cfn, child, "DO_NOTHING")  # the parent's rollback deletes it
        return child.id

    async def created(self, stack_id: str) -> dict[str, str]:
        """Wait until the stack is created. Returns its outputs."""
        child = self._stack(stack_id)
        await _end_of_task(child)
        if child.status != "CREATE_COMPLETE":
            raise PlainReasonError(f"Embedded stack {child.id} was not successfully created: {child.reason}")
        return _outputs(child)

    async def update(self, stack_id: str, properties: Properties) -> dict[str, str]:
        """Update the stack up to the point where only its cleanup is left. Returns its outputs."""
        child = self._stack(stack_id)
        if child.verdict is None:  # else a restart has interrupted it
            plan = await self._plan(child, properties)
            tags = tags_of(properties)
            if not changes_anything(child, plan, tags):
                return _outputs(child)
            check_updatable(child)
            tags_before, child.tags = child.tags, tags
            child.verdict = ParentVerdict()
            lifecycle.start_update(self._cfn, child, plan, tags_before, disable_rollback=False)
        await child.verdict.until_applied(child)
        if child.status != "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
            reason = next(
                one for one in reversed(child.events) if one["ResourceStatus"] == "UPDATE_ROLLBACK_IN_PROGRESS"
            )
            text = f"Embedded stack {child.id} was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS"
            raise PlainReasonError(f"{text} with reason: {reason.get('ResourceStatusReason', '')}")
        return _outputs(child)

    async def roll_back(self, stack_id: str) -> dict[str, str]:
        """Roll the last update back, if there was one. Returns the outputs."""
        child = self._stack(stack_id)
        await lifecycle.decide(child, succeeded=False)
        return _outputs(child)

    async def delete(self, stack_id: str) -> None:
        """Delete the stack, unless it is gone already."""
        child = self._stack(stack_id)
        if child.is_deleted:
            return
        if child.status != "DELETE_IN_PROGRESS":
            self._cfn.stacks.check_exports(child, [])
            if child.verdict is not None:
                child.verdict.give(succeeded=True)
            lifecycle.start_delete(self._cfn, child, (), force=False)
        await _end_of_task(child)
        if not child.is_deleted:
            raise PlainReasonError(f"Embedded stack {child.id} was not successfully deleted: {child.reason}")

    async def _plan(self, child: Stack, properties: Properties) -> Plan:
        """Set the stack's settings, and plan its template."""
        assert child.parent is not None  # noqa: S101 (only nested stacks get here)
        child.capabilities, child.role_arn = child.parent.capabilities, child.parent.role_arn
        child.notification_arns = properties.get("NotificationARNs", [])
        minutes = properties.get("TimeoutInMinutes")
        if minutes is not None and not (minutes.isascii() and minutes.isdigit() and int(minutes)):
            raise PlainReasonError(f"Value of property TimeoutInMinutes must be an integer from 1: {minutes}")
        child.timeout_minutes = int(minutes) if minutes else None
        given = properties.get("Parameters", {})
        if not isinstance(given, dict) or any(isinstance(value, list | dict) for value in given.values()):
            raise PlainReasonError(
                "Value of property Parameters must be an object with String (or simple type) properties"
            )
        text = await source.from_s3(self._cfn.fetch, properties["TemplateURL"], child.caller)
        request = {"Capabilities": child.capabilities}
        plan = await self._cfn.plan(child, text, {name: as_text(value) for name, value in given.items()}, request)
        check_transforms(plan, request)
        return plan

    def _stack(self, stack_id: str) -> Stack:
        return self._cfn.stacks.by_id(stack_id)


def _outputs(stack: Stack) -> dict[str, str]:
    return {one["OutputKey"]: one["OutputValue"] for one in stack.outputs}


async def _end_of_task(stack: Stack) -> None:
    if stack.task is not None:
        await asyncio.wait([stack.task])
