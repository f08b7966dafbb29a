"""The lifecycle of a stack: create, update and delete, with rollback.

Each `start_` function sets the stack's first status and runs the rest in the background, once the stack's previous
task has ended. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html lists the
statuses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from localbus.cloudformation.deletion import Deletion
from localbus.cloudformation.deployment import Deployment
from localbus.cloudformation.plan import Plan
from localbus.cloudformation.resource_errors import AbortedError, ResourcesFailedError
from localbus.cloudformation.stack import Stack, StackValues
from localbus.cloudformation.state import CloudFormation
from localbus.cloudformation.upstream_stack import UpstreamStackError
from localbus.errors import AwsError

BY_USER = "User Initiated"
Before = tuple[Plan | None, list[dict[str, str]]]  # the plan and the tags before an update


def start_create(cfn: CloudFormation, stack: Stack, plan: Plan, on_failure: str) -> None:
    """Start to create a stack. `on_failure` is ROLLBACK, DELETE or DO_NOTHING."""
    stack.is_aborted = False
    stack.set_status("CREATE_IN_PROGRESS", BY_USER)
    cfn.run(stack, _create(cfn, stack, plan, on_failure))


async def _create(cfn: CloudFormation, stack: Stack, plan: Plan, on_failure: str) -> None:
    deployment = Deployment(stack, plan, cfn.resource_context(stack))
    try:
        await deployment.apply()
        _set_outputs(cfn, stack, plan)
    except AbortedError:
        return
    except (ResourcesFailedError, AwsError) as exc:
        await _creation_failed(cfn, stack, _reason(exc), on_failure)
    else:
        stack.set_status("CREATE_COMPLETE")


async def _creation_failed(cfn: CloudFormation, stack: Stack, reason: str, on_failure: str) -> None:
    if on_failure == "DO_NOTHING":
        stack.set_status("CREATE_FAILED", reason)
        return
    state, requested = ("DELETE", "Delete") if on_failure == "DELETE" else ("ROLLBACK", "Rollback")
    stack.set_status(f"{state}_IN_PROGRESS", f"{reason} {requested} requested by user.")
    deletion = Deletion(stack, cfn.resource_context(stack), after_failed_creation=True)
    failed = await deletion.delete_all()
    stack.set_status(f"{state}_FAILED" if failed else f"{state}_COMPLETE", _failed_to_delete(failed))


def start_update(cfn: CloudFormation, stack: Stack, plan: Plan, before: Before, *, disable_rollback: bool) -> None:
    """Start to update a stack, whose plan and tags `before` are restored if the update fails."""
    stack.plan = plan
    stack.disable_rollback = disable_rollback
    stack.updated_at = stack.now()
    stack.is_aborted = False
    stack.set_status("UPDATE_IN_PROGRESS", BY_USER)
    cfn.run(stack, _update(cfn, stack, plan, before))


async def _update(cfn: CloudFormation, stack: Stack, plan: Plan, before: Before) -> None:
    outputs, context = stack.outputs, cfn.resource_context(stack)
    deployment = Deployment(stack, plan, context)
    try:
        await deployment.apply()
        _set_outputs(cfn, stack, plan)
        stack.set_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        await _wait_for_parent(stack)
    except (AbortedError, ResourcesFailedError, AwsError) as exc:
        if stack.status == "DELETE_IN_PROGRESS":
            return
        stack.outputs = outputs
        aborted = isinstance(exc, AbortedError)
        if stack.disable_rollback and not aborted:
            stack.set_status("UPDATE_FAILED", _reason(exc))
            await _keep_nested_updates(cfn, stack)
            return
        stack.is_aborted = False
        stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", BY_USER if aborted else _reason(exc))
        await _roll_back_update(cfn, stack, deployment)
        stack.plan, stack.tags = before
        return
    await _keep_nested_updates(cfn, stack)
    deployment.detach_removed()
    await Deletion(stack, context).delete_obsolete()
    try:
        await deployment.upstream.clean_up()
    except UpstreamStackError as exc:
        stack.set_status("UPDATE_COMPLETE", f"Update successful. One or more resources could not be deleted. {exc}")
    else:
        stack.set_status("UPDATE_COMPLETE")


async def _wait_for_parent(stack: Stack) -> None:
    """Wait until the update of a nested stack's parent has succeeded. Raises AbortedError if it has failed."""
    if stack.verdict is not None and not await stack.verdict.wait():
        raise AbortedError


async def _keep_nested_updates(cfn: CloudFormation, stack: Stack) -> None:
    for child in cfn.stacks.nested_in(stack):
        await decide(child, succeeded=True)


async def decide(nested: Stack, *, succeeded: bool) -> None:
    """Let the last update of a nested stack, if it is applied only, end as its parent's update did."""
    if nested.verdict is None or nested.task is None:
        return
    nested.verdict.give(succeeded=succeeded)
    nested.verdict = None
    await asyncio.wait([nested.task])


async def _roll_back_update(cfn: CloudFormation, stack: Stack, deployment: Deployment) -> None:
    try:
        await deployment.roll_back()
    except ResourcesFailedError as exc:
        stack.set_status("UPDATE_ROLLBACK_FAILED", str(exc))
        return
    stack.set_status("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    await Deletion(stack, cfn.resource_context(stack), after_failed_creation=True).delete_obsolete()
    stack.set_status("UPDATE_ROLLBACK_COMPLETE")


def start_delete(cfn: CloudFormation, stack: Stack, retained: Collection[str], *, force: bool) -> None:
    """Start to delete a stack. With `force` it is deleted even if some of its resources cannot be."""
    stack.is_aborted = True
    stack.set_status("DELETE_IN_PROGRESS", BY_USER)
    cfn.run(stack, _delete(cfn, stack, retained, force=force))


async def _delete(cfn: CloudFormation, stack: Stack, retained: Collection[str], *, force: bool) -> None:
    failed = await Deletion(stack, cfn.resource_context(stack), retained).delete_all()
    if failed and not force:
        stack.set_status("DELETE_FAILED", _failed_to_delete(failed))
    else:
        stack.set_status("DELETE_COMPLETE")


def _set_outputs(cfn: CloudFormation, stack: Stack, plan: Plan) -> None:
    if stack.is_aborted:
        raise AbortedError
    outputs = plan.outputs(StackValues(stack, plan))
    cfn.stacks.check_exports(stack, outputs)
    stack.outputs = outputs


def _failed_to_delete(logical_ids: list[str]) -> str:
    return f"The following resource(s) failed to delete: [{', '.join(logical_ids)}]. " if logical_ids else ""


def _reason(error: Exception) -> str:
    return error.message if isinstance(error, AwsError) else str(error)
