"""CloudFormation actions that create, update and delete stacks."""

from __future__ import annotations

import re
from collections.abc import Mapping

from localbus.cloudformation import lifecycle
from localbus.cloudformation.plan import Plan
from localbus.cloudformation.registry import NO_STACK
from localbus.cloudformation.stack import Stack
from localbus.cloudformation.state import CloudFormation
from localbus.cloudformation.template import source
from localbus.errors import AwsError
from localbus.protocol.constraints import Violation, describe
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

NO_UPDATES = "No updates are to be performed."
_MAX_NAME_LENGTH = 128
_STACK_NAME = re.compile("[a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*")
_TOPIC_ARN = re.compile(r"arn:aws[-a-z]*:sns:[-a-z0-9]+:[0-9]{12}:[-_A-Za-z0-9.]{1,256}")
# Members of requests that would change the outcome, and their values that do not. ImportExistingResources, which
# `cdk bootstrap` sends, is not among them: a resource that exists already is not imported, but it fails the stack.
_NOT_BUILT = (
    "DeploymentConfig",
    "DeploymentMode",
    "ResourcesToImport",
    "RetainExceptOnCreate",
    "RollbackConfiguration",
    "StackPolicyBody",
    "StackPolicyDuringUpdateBody",
    "StackPolicyDuringUpdateURL",
    "StackPolicyURL",
)
_NO_EFFECT: Mapping[str, tuple[Params, ...]] = {
    "DeploymentConfig": (
        {"Mode": "STANDARD"},
        {"DisableRollback": False},
        {"Mode": "STANDARD", "DisableRollback": False},
    ),
    "RollbackConfiguration": ({"RollbackTriggers": []}, {"MonitoringTimeInMinutes": 0}),
}
_UPDATABLE = {"CREATE_COMPLETE", "CREATE_FAILED", "UPDATE_COMPLETE", "UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE"}


async def create_stack(cfn: CloudFormation, params: Params, caller: Caller, text: str | None = None) -> Params:
    """CreateStack. `text` is a template that is not in the request."""
    name = params["StackName"]
    check_stack_name(name)
    check_members("CreateStack", params)
    on_failure = params.get("OnFailure") or ("DO_NOTHING" if params.get("DisableRollback") else "ROLLBACK")
    if "OnFailure" in params and "DisableRollback" in params:
        raise AwsError("ValidationError", "You can specify either DisableRollback or OnFailure, but not both.")
    if text is None:
        text = await source.template_text(cfn.fetch, params, caller)
    cfn.stacks.check_available(name, caller)
    stack = cfn.new_stack(name, caller, params.get("ClientRequestToken"))
    apply_settings(stack, params)
    stack.disable_rollback = on_failure == "DO_NOTHING"
    stack.termination_protection = params.get("EnableTerminationProtection", False)
    stack.timeout_minutes = params.get("TimeoutInMinutes")
    stack.plan = await cfn.plan(stack, text, read_parameters(params, None), params)
    check_transforms(stack.plan, params)
    cfn.stacks.check_available(name, caller)  # again, since both may have taken time
    cfn.stacks.add(stack)
    lifecycle.start_create(cfn, stack, on_failure)
    return {"StackId": stack.id}


def check_transforms(plan: Plan, params: Params) -> None:
    """Raise AwsError if a template with transforms is used without a change set and without the capability for it."""
    if plan.template.transforms and "CAPABILITY_AUTO_EXPAND" not in params.get("Capabilities", []):
        raise AwsError("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]")


def check_members(action: str, params: Params) -> None:
    """Raise AwsError for a member that localbus does not act on, and for tags and topics that cannot be.

    Nothing is accepted and then ignored.
    """
    for member in _NOT_BUILT:
        if params.get(member) and params[member] not in _NO_EFFECT.get(member, ()):
            text = (
                f"localbus does not implement {member} of {action}. Leave it out, or use another engine for this stack"
            )
            raise AwsError("NotImplemented", f"{text} (--backend ministack).")
    keys = [tag["Key"] for tag in params.get("Tags", [])]
    if any(key.lower().startswith("aws:") for key in keys):
        raise AwsError("ValidationError", "aws: prefixed tag key names are not allowed for external use.")
    if len(set(keys)) < len(keys):
        raise AwsError("ValidationError", f"Tag keys must differ: [{', '.join(keys)}]")
    for arn in params.get("NotificationARNs", []):
        if not _TOPIC_ARN.fullmatch(arn):
            raise AwsError("ValidationError", f"Notification ARN {arn} is not the ARN of an SNS topic.")


def check_stack_name(name: str) -> None:
    """Raise AwsError for a name that a stack cannot have, in the words of a validation error."""
    rules = []
    if len(name) > _MAX_NAME_LENGTH and not name.startswith("arn:"):
        rules.append(f"Member must have length less than or equal to {_MAX_NAME_LENGTH}")
    if not _STACK_NAME.fullmatch(name):
        rules.append(f"Member must satisfy regular expression pattern: {_STACK_NAME.pattern}")
    if rules:
        raise AwsError("ValidationError", describe([Violation(("stackName",), rule, name) for rule in rules]))


def apply_settings(stack: Stack, params: Params) -> None:
    """Set the settings that CreateStack and UpdateStack have in common."""
    stack.tags = read_tags(params, stack.tags)
    stack.capabilities = params.get("Capabilities", [])
    stack.notification_arns = params.get("NotificationARNs", stack.notification_arns)
    stack.role_arn = params.get("RoleARN", stack.role_arn)


def read_tags(params: Params, before: list[dict[str, str]]) -> list[dict[str, str]]:
    """The tags of a request; those before if it has none."""
    if "Tags" not in params:
        return before
    return [{"Key": one["Key"], "Value": one["Value"]} for one in params["Tags"]]


def read_parameters(params: Params, before: Plan | None) -> dict[str, str]:
    """The parameters of a request by name, UsePreviousValue replaced by the value in the plan before."""
    found = {}
    for one in params.get("Parameters", []):
        name = one.get("ParameterKey", "")
        if one.get("UsePreviousValue"):
            if "ParameterValue" in one:
                raise _invalid_previous(name, " and non empty value for a parameter")
            if before is None or name not in before.parameters:
                raise _invalid_previous(name, " for a parameter key not in the previous template")
            found[name] = before.parameters[name]
        else:
            found[name] = one.get("ParameterValue", "")
    return found


def _invalid_previous(name: str, reason: str) -> AwsError:
    text = f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true{reason}"
    return AwsError("ValidationError", text)


async def update_stack(cfn: CloudFormation, params: Params, caller: Caller, text: str | None = None) -> Params:
    """UpdateStack. `text` is a template that is not in the request."""
    check_members("UpdateStack", params)
    stack = cfn.stacks.find(params["StackName"], caller, NO_STACK)
    check_updatable(stack)
    if text is None:
        text = await source.template_text(cfn.fetch, params, caller, stack.template_text)
    plan = await cfn.plan(stack, text, read_parameters(params, stack.plan), params)
    check_transforms(plan, params)
    check_updatable(stack)  # again, since both may have taken time
    # Recorded: AWS updates a stack whose template has transforms even if they give what is there.
    if not plan.template.transforms and not changes_anything(stack, plan, read_tags(params, stack.tags)):
        raise AwsError("ValidationError", NO_UPDATES)
    stack.token = params.get("ClientRequestToken")
    stack.change_set_id = None
    cfn.change_sets.delete_of(stack)
    apply_update(cfn, stack, plan, params, disable_rollback=params.get("DisableRollback", False))
    return {"StackId": stack.id}


def check_updatable(stack: Stack) -> None:
    """Raise AwsError if the stack's status does not allow an update."""
    if stack.status not in _UPDATABLE:
        raise AwsError("ValidationError", f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def changes_anything(stack: Stack, plan: Plan, tags: list[dict[str, str]]) -> bool:
    """True if another plan, or other tags, would change the stack."""
    if stack.plan is None or stack.status.endswith("_FAILED") or plan.has_nested_stacks:
        return True
    return tags != stack.tags or plan.fingerprint() != stack.plan.fingerprint()


def apply_update(cfn: CloudFormation, stack: Stack, plan: Plan, params: Params, *, disable_rollback: bool) -> None:
    """Apply a request's settings and start the update to a plan."""
    tags_before = stack.tags
    apply_settings(stack, params)
    lifecycle.start_update(cfn, stack, plan, tags_before, disable_rollback=disable_rollback)


def cancel_update_stack(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """CancelUpdateStack, which rolls the update back."""
    stack = cfn.stacks.find(params["StackName"], caller, NO_STACK)
    if stack.status != "UPDATE_IN_PROGRESS":
        raise AwsError("ValidationError", "CancelUpdateStack cannot be called from current stack status")
    stack.token = params.get("ClientRequestToken", stack.token)
    stack.is_aborted = True
    stack.save()
    return {}


def delete_stack(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """DeleteStack. A stack that does not exist counts as deleted; one with an export in use stays, and says so."""
    stack = cfn.stacks.look_up(params["StackName"], caller)
    if stack is None or stack.is_deleted or stack.status == "DELETE_IN_PROGRESS":
        return {}
    if stack.termination_protection:
        text = f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
        raise AwsError("ValidationError", text)
    retained, force = params.get("RetainResources", []), params.get("DeletionMode") == "FORCE_DELETE_STACK"
    if retained and stack.status != "DELETE_FAILED":
        rule = "RetainResources can only be specified for stacks in DELETE_FAILED state"
        raise AwsError("ValidationError", f"Invalid operation on stack [{stack.id}]. {rule}")
    check_members("DeleteStack", params)
    used = cfn.stacks.export_in_use(stack, [])
    if used is not None:
        stack.set_status(stack.status, f"Delete canceled. Cannot delete export {used[0]} as it is in use by {used[1]}.")
        return {}
    stack.role_arn = params.get("RoleARN", stack.role_arn)
    stack.token = params.get("ClientRequestToken")
    cfn.change_sets.delete_of(stack)
    lifecycle.start_delete(cfn, stack, retained, force=force)
    return {}


def update_termination_protection(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """UpdateTerminationProtection."""
    stack = cfn.stacks.find(params["StackName"], caller)
    stack.termination_protection = params["EnableTerminationProtection"]
    stack.save()
    return {"StackId": stack.id}
