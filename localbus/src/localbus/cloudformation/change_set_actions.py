"""CloudFormation actions on change sets."""

from __future__ import annotations

from localbus.cloudformation import lifecycle
from localbus.cloudformation.change_set import ChangeSet, new_change_set
from localbus.cloudformation.describe_actions import describe_parameters
from localbus.cloudformation.registry import NO_STACK
from localbus.cloudformation.stack import Stack
from localbus.cloudformation.stack_actions import (
    apply_settings,
    apply_update,
    changes_anything,
    check_members,
    check_stack_name,
    check_updatable,
    read_parameters,
    read_tags,
)
from localbus.cloudformation.state import CloudFormation
from localbus.cloudformation.template import source
from localbus.errors import AwsError
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params


async def create_change_set(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """CreateChangeSet, which completes at once."""
    kind = params.get("ChangeSetType", "UPDATE")
    if kind == "IMPORT":
        raise AwsError("NotImplemented", "localbus does not implement change sets of type IMPORT.")
    name = params["StackName"]
    check_members("CreateChangeSet", params)
    if kind == "CREATE":
        check_stack_name(name)
    existing = cfn.stacks.look_up(name, caller)
    text = await source.template_text(cfn.fetch, params, caller, existing.template_text if existing else "")
    stack = _stack_of(cfn, name, caller, kind, params)
    if cfn.change_sets.find(params["ChangeSetName"], stack) is not None:
        raise AwsError("AlreadyExistsException", f"ChangeSet {params['ChangeSetName']} already exists")
    plan = await cfn.plan(stack, text, read_parameters(params, stack.plan), params)
    if kind == "CREATE" and not stack.status:
        cfn.stacks.check_available(name, caller)  # again, since the plan may have taken time
        cfn.stacks.add(stack)
        stack.set_status("REVIEW_IN_PROGRESS", lifecycle.BY_USER)
    has_changes = changes_anything(stack, plan, read_tags(params, stack.tags))
    change_set = new_change_set(stack, kind, plan, params, has_changes=has_changes)
    cfn.change_sets.add(change_set)
    return {"Id": change_set.id, "StackId": stack.id}


def _stack_of(cfn: CloudFormation, name: str, caller: Caller, kind: str, params: Params) -> Stack:
    if kind == "UPDATE":
        stack = cfn.stacks.find(name, caller, NO_STACK)
        check_updatable(stack)
        return stack
    found = cfn.stacks.look_up(name, caller)
    if found is not None and found.status == "REVIEW_IN_PROGRESS":
        return found
    if found is not None:
        change_set = params["ChangeSetName"]
        text = f"Stack [{name}] already exists and cannot be created again with the changeSet [{change_set}]."
        raise AwsError("ValidationError", text)
    cfn.stacks.check_available(name, caller)
    return cfn.new_stack(name, caller, params.get("ClientToken"))


def describe_change_set(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """DescribeChangeSet."""
    found = find_change_set(cfn, params, caller)
    described = found.list_item() | {
        "Parameters": describe_parameters(found.plan) or None,
        "NotificationARNs": found.request.get("NotificationARNs", []),
        "RollbackConfiguration": found.request.get("RollbackConfiguration", {}),
        "Capabilities": found.request.get("Capabilities", []),
        "Tags": read_tags(found.request, []) or None,
        "OnStackFailure": found.request.get("OnStackFailure"),
    }
    changes = found.changes[params.get("IncludePropertyValues", False)] if found.has_changes else []
    return described | list_page("Changes", changes, params)


def list_change_sets(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """ListChangeSets."""
    stack = cfn.stacks.find(params["StackName"], caller, NO_STACK)
    return list_page("Summaries", cfn.change_sets.of(stack), params, show=ChangeSet.list_item)


def execute_change_set(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """ExecuteChangeSet, which deletes the stack's other change sets."""
    found = find_change_set(cfn, params, caller)
    stack = found.stack
    if found.execution != "AVAILABLE":
        status = found.list_item()["Status"]
        text = f"ChangeSet [{found.id}] cannot be executed in its current status of [{status}]"
        raise AwsError("InvalidChangeSetStatus", text)
    check_members("ExecuteChangeSet", params)
    stack.token = params.get("ClientRequestToken")
    if found.kind == "CREATE":
        if stack.status != "REVIEW_IN_PROGRESS":
            raise AwsError("InvalidChangeSetStatus", f"Stack:{stack.id} is in {stack.status} state.")
        apply_settings(stack, found.request)
        stack.plan = found.plan
        stack.updated_at = stack.now()
        on_failure = found.request.get("OnStackFailure", "ROLLBACK")
        stack.disable_rollback = params.get("DisableRollback", on_failure == "DO_NOTHING")
        on_failure = "DO_NOTHING" if stack.disable_rollback else on_failure
        lifecycle.start_create(cfn, stack, on_failure)
    else:
        check_updatable(stack)
        disable_rollback = params.get("DisableRollback", False)
        apply_update(cfn, stack, found.plan, found.request, disable_rollback=disable_rollback)
    cfn.change_sets.begin(found)
    stack.change_set_id = found.id
    cfn.change_sets.delete_of(stack, keep=found)
    return {}


def delete_change_set(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """DeleteChangeSet. A change set that does not exist counts as deleted."""
    try:
        cfn.change_sets.delete(find_change_set(cfn, params, caller))
    except AwsError as exc:
        if exc.code != "ChangeSetNotFoundException":
            raise
    return {}


def find_change_set(cfn: CloudFormation, params: Params, caller: Caller) -> ChangeSet:
    """The change set that a request names: by its ARN, or by its name and its stack. Raises AwsError."""
    name = params["ChangeSetName"]
    if name.startswith("arn:"):
        found = cfn.change_sets.by_id.get(name)
    elif "StackName" in params:
        stack = cfn.stacks.find(params["StackName"], caller, NO_STACK)
        found = cfn.change_sets.find(name, stack)
    else:
        raise AwsError("ValidationError", "StackName must be specified if ChangeSetName is not specified as an ARN.")
    if found is None or found.stack.caller.account != caller.account:
        raise AwsError("ChangeSetNotFoundException", f"ChangeSet [{name}] does not exist")
    return found
