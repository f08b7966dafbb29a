"""The lifecycle of a stack: create, update and delete, with rollback.

Each `start_` function sets the stack's first status and runs the rest in the background, once the stack's previous
task has ended. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html lists the
statuses. An operation that a restart of the engine interrupts goes on where it was, by the stack's status and changes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from localbus.cloudformation.deletion import Deletion
from localbus.cloudformation.deployment import Deployment
from localbus.cloudformation.plan import Plan
from localbus.cloudformation.resource_errors import AbortedError, ResourcesFailedError
from localbus.cloudformation.resources.base import ResourceContext
from localbus.cloudformation.resources.registry import RESOURCE_TYPES
from localbus.cloudformation.stack import Operation, Stack, StackValues
from localbus.cloudformation.state import CloudFormation
from localbus.cloudformation.upstream_stack import UpstreamStackError
from localbus.errors import AwsError

BY_USER = "User Initiated"
_ROLLBACK = {"UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"}
_CONTINUED = "localbus was restarted, and the operation goes on."
log = logging.getLogger("localbus")


def start_create(cfn: CloudFormation, stack: Stack, on_failure: str) -> None:
    """Start to create a stack by its plan. `on_failure` is ROLLBACK, DELETE or DO_NOTHING."""
    stack.begin(Operation("create", on_failure))
    stack.set_status("CREATE_IN_PROGRESS", BY_USER)
    cfn.run(stack, _create(cfn, stack, on_failure))


async def _create(cfn: CloudFormation, stack: Stack, on_failure: str) -> None:
    plan = stack.plan
    assert plan is not None  # noqa: S101 (a stack that is created has one)
    state, requested = ("DELETE", "Delete") if on_failure == "DELETE" else ("ROLLBACK", "Rollback")
    if stack.status == "CREATE_IN_PROGRESS":
        try:
            await Deployment(stack, plan, cfn.resource_context(stack)).apply()
            _set_outputs(cfn, stack, plan)
        except AbortedError:
            return
        except (ResourcesFailedError, AwsError) as exc:
            if on_failure == "DO_NOTHING":
                stack.set_status("CREATE_FAILED", _reason(exc))
                return
            stack.set_status(f"{state}_IN_PROGRESS", f"{_reason(exc)} {requested} requested by user.")
        else:
            stack.set_status("CREATE_COMPLETE")
            return
    deletion = Deletion(stack, cfn.resource_context(stack), after_failed_creation=True)
    failed = await deletion.delete_all()
    stack.set_status(f"{state}_FAILED" if failed else f"{state}_COMPLETE", _failed_to_delete(failed))


def start_update(
    cfn: CloudFormation, stack: Stack, plan: Plan, tags_before: list[dict[str, str]], *, disable_rollback: bool
) -> None:
    """Start to update a stack to a plan. Its present plan and the tags before are restored if the update fails."""
    stack.begin(Operation("update", tags_before=tags_before, outputs_before=stack.outputs))
    stack.plan = plan
    stack.disable_rollback = disable_rollback
    stack.updated_at = stack.now()
    stack.set_status("UPDATE_IN_PROGRESS", BY_USER)
    cfn.run(stack, _update(cfn, stack))


async def _update(cfn: CloudFormation, stack: Stack) -> None:
    operation, plan, context = stack.operation, stack.plan, cfn.resource_context(stack)
    assert operation is not None and plan is not None  # noqa: S101, PT018 (both are set with the status)
    deployment = Deployment(stack, plan, context)
    try:
        if stack.status == "UPDATE_IN_PROGRESS":
            await deployment.apply()
            _set_outputs(cfn, stack, plan)
            stack.set_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        if stack.status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
            await _wait_for_parent(stack)
    except (AbortedError, ResourcesFailedError, AwsError) as exc:
        if stack.status == "DELETE_IN_PROGRESS":
            return
        stack.outputs = operation.outputs_before
        aborted = isinstance(exc, AbortedError)
        if stack.disable_rollback and not aborted:
            stack.set_status("UPDATE_FAILED", _reason(exc))
            await _keep_nested_updates(cfn, stack)
            return
        stack.is_aborted = False
        stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", BY_USER if aborted else _reason(exc))
    if stack.status in _ROLLBACK:
        await _roll_back_update(cfn, stack, deployment)
        stack.plan, stack.tags = stack.plan_before, operation.tags_before
    elif stack.status != "UPDATE_FAILED":
        await _clean_up(cfn, stack, deployment, context)


async def _clean_up(cfn: CloudFormation, stack: Stack, deployment: Deployment, context: ResourceContext) -> None:
    """Delete what a successful update has replaced and removed."""
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
    if nested.verdict is None:
        return
    nested.verdict.give(succeeded=succeeded)
    if nested.task is not None:
        await asyncio.wait([nested.task])
    nested.verdict = None
    nested.save()


async def _roll_back_update(cfn: CloudFormation, stack: Stack, deployment: Deployment) -> None:
    if stack.status == "UPDATE_ROLLBACK_IN_PROGRESS":
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
    stack.begin(Operation("delete", retained=list(retained), force=force))
    stack.set_status("DELETE_IN_PROGRESS", BY_USER)
    cfn.run(stack, _delete(cfn, stack, retained, force=force))


async def _delete(cfn: CloudFormation, stack: Stack, retained: Collection[str], *, force: bool) -> None:
    failed = await Deletion(stack, cfn.resource_context(stack), retained).delete_all()
    if failed and not force:
        stack.set_status("DELETE_FAILED", _failed_to_delete(failed))
    else:
        stack.set_status("DELETE_COMPLETE")


def resume(cfn: CloudFormation) -> None:
    """Go on with the operations that a restart has interrupted."""
    for stack, operation in cfn.stacks.unfinished():
        cfn.run(stack, _resumed(cfn, stack, operation))
    cfn.change_sets.resume()


async def _resumed(cfn: CloudFormation, stack: Stack, operation: Operation) -> None:
    stack.announce(_CONTINUED)
    if stack.upstream is not None:
        await stack.upstream.find(patiently=True)
    await _discard_unfinished(cfn, stack)
    match operation.kind:
        case "create":
            await _create(cfn, stack, operation.on_failure)
        case "update":
            await _update(cfn, stack)
        case "delete":
            await _delete(cfn, stack, operation.retained, force=operation.force)


async def _discard_unfinished(cfn: CloudFormation, stack: Stack) -> None:
    """Delete the resource that was being made, of which no answer has come."""
    resource = stack.unfinished
    if resource is not None:
        try:
            context = resource.context(cfn.resource_context(stack))
            await RESOURCE_TYPES[resource.type].delete(context, resource.properties)
        except AwsError as exc:
            log.warning("resource.not_deleted", extra={"resource": resource.physical_id, "error": exc.message})
        stack.unfinished = None
        stack.save()


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
