"""What is done with a stack after the caller has its answer: creation, change and deletion, with their way back.

The states are those of
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from localbus.cloudformation.deletion import Removal
from localbus.cloudformation.deployment import Deployment
from localbus.cloudformation.plan import Plan
from localbus.cloudformation.resource_errors import AbortedError, ResourcesFailedError
from localbus.cloudformation.resources.base import Site
from localbus.cloudformation.stack import Stack
from localbus.cloudformation.upstream_stack import ShadowFailedError
from localbus.cloudformation.values import Values
from localbus.errors import AwsError
from localbus.protocol.service_model import Params

CheckExports = Callable[[Stack, list[Params]], None]
Before = tuple[Plan | None, list[dict[str, str]]]  # the plan and the tags that a stack had


async def create(stack: Stack, plan: Plan, site: Site, on_failure: str, check_exports: CheckExports) -> None:
    """Make a stack; on_failure is ROLLBACK, DELETE or DO_NOTHING."""
    deployment = Deployment(stack, plan, site)
    try:
        await deployment.apply()
        _conclude(stack, plan, check_exports)
    except AbortedError:
        return
    except (ResourcesFailedError, AwsError) as exc:
        await _creation_failed(stack, site, deployment, _words(exc), on_failure)
    else:
        stack.become("CREATE_COMPLETE")


async def _creation_failed(stack: Stack, site: Site, deployment: Deployment, reason: str, on_failure: str) -> None:
    if on_failure == "DO_NOTHING":
        stack.become("CREATE_FAILED", reason)
        return
    state = "DELETE" if on_failure == "DELETE" else "ROLLBACK"
    requested = "Delete requested by user." if on_failure == "DELETE" else "Rollback requested by user."
    stack.become(f"{state}_IN_PROGRESS", f"{reason} {requested}")
    failed = await Removal(stack, site, after_failed_creation=True).remove_all(deployment.upstream.tell)
    if failed:
        stack.become(f"{state}_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}]. ")
    else:
        stack.become(f"{state}_COMPLETE")


async def update(stack: Stack, plan: Plan, site: Site, before: Before, check_exports: CheckExports) -> None:
    """Change a stack to another plan, or bring it back to what it was when that fails."""
    outputs = stack.outputs
    deployment = Deployment(stack, plan, site)
    try:
        await deployment.apply()
        _conclude(stack, plan, check_exports)
    except (AbortedError, ResourcesFailedError, AwsError) as exc:
        if stack.status == "DELETE_IN_PROGRESS":
            return
        stack.outputs = outputs
        if stack.disable_rollback and not isinstance(exc, AbortedError):
            stack.become("UPDATE_FAILED", _words(exc))
            return
        stack.is_aborted = False
        reason = "User Initiated" if isinstance(exc, AbortedError) else _words(exc)
        await _change_failed(stack, site, deployment, reason)
        stack.plan, stack.tags = before
        return
    stack.become("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    unwanted = deployment.unwanted
    for one in unwanted:
        del stack.resources[one.logical_id]
    stack.leftovers += unwanted
    await Removal(stack, site).remove_leftovers()
    try:
        await deployment.upstream.clean_up()
    except ShadowFailedError as exc:
        stack.become("UPDATE_COMPLETE", f"Update successful. One or more resources could not be deleted. {exc}")
        return
    stack.become("UPDATE_COMPLETE")


async def _change_failed(stack: Stack, site: Site, deployment: Deployment, reason: str) -> None:
    stack.become("UPDATE_ROLLBACK_IN_PROGRESS", reason)
    try:
        await deployment.take_back()
    except ResourcesFailedError as exc:
        stack.become("UPDATE_ROLLBACK_FAILED", str(exc))
        return
    stack.become("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    await Removal(stack, site, after_failed_creation=True).remove_leftovers()
    stack.become("UPDATE_ROLLBACK_COMPLETE")


async def delete(stack: Stack, site: Site, retained: Collection[str], *, force: bool) -> None:
    """Delete a stack. With force it is gone even if not all of its resources are."""

    def tell(event: Params) -> None:
        resource = stack.resources.get(event["LogicalResourceId"])
        if resource is not None and not resource.local:
            stack.note(resource, event["ResourceStatus"], event.get("ResourceStatusReason", ""))

    failed = await Removal(stack, site, retained).remove_all(tell)
    if failed and not force:
        stack.become("DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}]. ")
    else:
        stack.become("DELETE_COMPLETE")


def _conclude(stack: Stack, plan: Plan, check_exports: CheckExports) -> None:
    if stack.is_aborted:
        raise AbortedError
    outputs = plan.outputs(Values(stack, plan, leave_upstream=False))
    check_exports(stack, outputs)
    stack.outputs = outputs


def _words(error: Exception) -> str:
    return error.message if isinstance(error, AwsError) else str(error)
