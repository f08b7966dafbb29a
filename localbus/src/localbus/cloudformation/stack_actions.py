"""The actions of CloudFormation that make, change and delete stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localbus.cloudformation import lifecycle
from localbus.cloudformation.plan import Plan
from localbus.cloudformation.stack import Stack
from localbus.cloudformation.template import source, template
from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

if TYPE_CHECKING:
    from localbus.cloudformation.state import CloudFormation

_UPDATABLE = {"CREATE_COMPLETE", "CREATE_FAILED", "UPDATE_COMPLETE", "UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE"}
_BY_USER = "User Initiated"
NO_STACK = "Stack [{}] does not exist"


async def create_stack(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """CreateStack."""
    name = params["StackName"]
    on_failure = params.get("OnFailure") or ("DO_NOTHING" if params.get("DisableRollback") else "ROLLBACK")
    if "OnFailure" in params and "DisableRollback" in params:
        raise AwsError("ValidationError", "You can specify either DisableRollback or OnFailure, but not both.")
    text = await source.text_of(formation, params)
    check_not_taken(formation, name, caller)
    stack = formation.new_stack(name, caller, params.get("ClientRequestToken"))
    take_settings(stack, params)
    stack.disable_rollback = on_failure == "DO_NOTHING"
    stack.termination_protection = params.get("EnableTerminationProtection", False)
    stack.timeout_minutes = params.get("TimeoutInMinutes")
    stack.plan = formation.plan(stack, template.parse(text), given_parameters(params, None))
    formation.stacks.add(stack)
    begin_creation(formation, stack, stack.plan, on_failure)
    return {"StackId": stack.id}


def check_not_taken(formation: CloudFormation, name: str, caller: Caller) -> None:
    """Raise AwsError where there is a stack of that name."""
    if formation.stacks.look_up(name, caller) is not None:
        raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")


def take_settings(stack: Stack, params: Params) -> None:
    """What a creation and a change may say of a stack beside its template."""
    stack.tags = tags_in(params, stack.tags)
    stack.capabilities = params.get("Capabilities", [])
    stack.notification_arns = params.get("NotificationARNs", stack.notification_arns)
    stack.role_arn = params.get("RoleARN", stack.role_arn)


def tags_in(params: Params, before: list[dict[str, str]]) -> list[dict[str, str]]:
    """The tags that a request asks for; it keeps those that were where it names none."""
    if "Tags" not in params:
        return before
    return [{"Key": one["Key"], "Value": one["Value"]} for one in params["Tags"]]


def given_parameters(params: Params, before: Plan | None) -> dict[str, str]:
    """The parameters by name; those that are to stay as they were are taken from the plan before."""
    found = {}
    for one in params.get("Parameters", []):
        name = one.get("ParameterKey", "")
        if one.get("UsePreviousValue"):
            if "ParameterValue" in one:
                raise _not_previous(name, " and non empty value for a parameter")
            if before is None or name not in before.parameters:
                raise _not_previous(name, " for a parameter key not in the previous template")
            found[name] = before.parameters[name]
        else:
            found[name] = one.get("ParameterValue", "")
    return found


def _not_previous(name: str, reason: str) -> AwsError:
    text = f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true{reason}"
    return AwsError("ValidationError", text)


def begin_creation(formation: CloudFormation, stack: Stack, plan: Plan, on_failure: str) -> None:
    """Have a stack's resources made."""
    stack.is_aborted = False
    stack.become("CREATE_IN_PROGRESS", _BY_USER)
    work = lifecycle.create(stack, plan, formation.site(stack), on_failure, formation.stacks.check_exports)
    formation.start(stack, work)


async def update_stack(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """UpdateStack."""
    stack = formation.stacks.find(params["StackName"], caller, NO_STACK)
    check_updatable(stack)
    text = await source.text_of(formation, params, stack)
    check_updatable(stack)  # time has passed
    plan = formation.plan(stack, template.parse(text), given_parameters(params, stack.plan))
    if not changes_anything(stack, plan, tags_in(params, stack.tags)):
        raise AwsError("ValidationError", "No updates are to be performed.")
    stack.token = params.get("ClientRequestToken")
    stack.disable_rollback = params.get("DisableRollback", False)
    formation.change_sets.forget(stack)
    begin_change(formation, stack, plan, params)
    return {"StackId": stack.id}


def check_updatable(stack: Stack) -> None:
    """Raise AwsError where a stack is in a state in which it cannot be changed."""
    if stack.status not in _UPDATABLE:
        raise AwsError("ValidationError", f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def changes_anything(stack: Stack, plan: Plan, tags: list[dict[str, str]]) -> bool:
    """Whether another plan, or other tags, would change the stack."""
    if stack.plan is None or stack.status.endswith("_FAILED"):
        return True
    return tags != stack.tags or plan.essence() != stack.plan.essence()


def begin_change(formation: CloudFormation, stack: Stack, plan: Plan, params: Params) -> None:
    """Have a stack brought to another plan."""
    before, tags_before = (stack.plan, stack.tags)
    take_settings(stack, params)
    stack.plan = plan
    stack.updated_at = stack.now()
    stack.is_aborted = False
    stack.become("UPDATE_IN_PROGRESS", _BY_USER)
    work = lifecycle.update(stack, plan, formation.site(stack), (before, tags_before), formation.stacks.check_exports)
    formation.start(stack, work)


def cancel_update_stack(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """CancelUpdateStack: what has been changed so far is taken back."""
    stack = formation.stacks.find(params["StackName"], caller, NO_STACK)
    if stack.status != "UPDATE_IN_PROGRESS":
        text = "CancelUpdateStack cannot be called from current stack status"
        raise AwsError("ValidationError", text)
    stack.is_aborted = True
    return {}


def delete_stack(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """DeleteStack. One that is not there is deleted already."""
    stack = formation.stacks.look_up(params["StackName"], caller)
    if stack is None or stack.is_deleted or stack.status == "DELETE_IN_PROGRESS":
        return {}
    if stack.termination_protection:
        text = f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
        raise AwsError("ValidationError", text)
    retained, force = params.get("RetainResources", []), params.get("DeletionMode") == "FORCE_DELETE_STACK"
    if retained and stack.status != "DELETE_FAILED":
        text = (
            f"Invalid operation on stack [{stack.id}]. RetainResources can only be specified for stacks "
            "in DELETE_FAILED state"
        )
        raise AwsError("ValidationError", text)
    formation.stacks.check_exports(stack, [])
    stack.token = params.get("ClientRequestToken")
    formation.change_sets.forget(stack)
    stack.is_aborted = True
    stack.become("DELETE_IN_PROGRESS", _BY_USER)
    formation.start(stack, lifecycle.delete(stack, formation.site(stack), retained, force=force))
    return {}


def update_termination_protection(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """UpdateTerminationProtection."""
    stack = formation.stacks.find(params["StackName"], caller)
    stack.termination_protection = params["EnableTerminationProtection"]
    return {"StackId": stack.id}
