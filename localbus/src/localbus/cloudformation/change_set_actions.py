"""The actions of CloudFormation that are about change sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localbus.cloudformation.change_set import ChangeSet, changes_between
from localbus.cloudformation.describe_actions import parameters_of
from localbus.cloudformation.stack import Stack
from localbus.cloudformation.stack_actions import (
    NO_STACK,
    begin_change,
    begin_creation,
    changes_anything,
    check_not_taken,
    check_updatable,
    given_parameters,
    tags_in,
    take_settings,
)
from localbus.cloudformation.template import source, template
from localbus.errors import AwsError
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

if TYPE_CHECKING:
    from localbus.cloudformation.state import CloudFormation


async def create_change_set(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """CreateChangeSet. It is ready at once."""
    kind = params.get("ChangeSetType", "UPDATE")
    if kind == "IMPORT":
        raise AwsError("NotImplemented", "Change sets that import are known to AWS and not built in localbus.")
    name = params["StackName"]
    text = await source.text_of(formation, params, formation.stacks.look_up(name, caller))
    stack = _stack_of(formation, name, caller, kind, params)
    if formation.change_sets.look_up(params["ChangeSetName"], stack) is not None:
        raise AwsError("AlreadyExistsException", f"ChangeSet {params['ChangeSetName']} already exists")
    plan = formation.plan(stack, template.parse(text), given_parameters(params, stack.plan))
    if kind == "CREATE" and not stack.status:
        formation.stacks.add(stack)
        stack.become("REVIEW_IN_PROGRESS", "User Initiated")
    has_changes = changes_anything(stack, plan, tags_in(params, stack.tags))
    changes = changes_between(stack, stack.plan, plan) if has_changes else []
    made = ChangeSet(params["ChangeSetName"], stack, kind, plan, params, stack.now(), changes, has_changes)
    formation.change_sets.add(made)
    return {"Id": made.id, "StackId": stack.id}


def _stack_of(formation: CloudFormation, name: str, caller: Caller, kind: str, params: Params) -> Stack:
    found = formation.stacks.look_up(name, caller)
    if kind == "UPDATE":
        found = formation.stacks.find(name, caller, NO_STACK)
        check_updatable(found)
        return found
    if found is not None and found.status == "REVIEW_IN_PROGRESS":
        return found
    check_not_taken(formation, name, caller)
    return formation.new_stack(name, caller, params.get("ClientToken"))


def describe_change_set(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """DescribeChangeSet."""
    found = _find(formation, params, caller)
    shown = found.summary() | {
        "Parameters": parameters_of(found.plan),
        "NotificationARNs": found.given.get("NotificationARNs"),
        "Capabilities": found.given.get("Capabilities"),
        "Tags": tags_in(found.given, []) or None,
        "OnStackFailure": found.given.get("OnStackFailure"),
    }
    return shown | list_page("Changes", found.changes, params)


def list_change_sets(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """ListChangeSets."""
    stack = formation.stacks.find(params["StackName"], caller, NO_STACK)
    return list_page("Summaries", formation.change_sets.of(stack), params, show=lambda one: one.summary())


def execute_change_set(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """ExecuteChangeSet. The stack's other change sets are void then."""
    found = _find(formation, params, caller)
    stack = found.stack
    if found.execution != "AVAILABLE":
        text = f"ChangeSet [{found.id}] cannot be executed in its current status of [{found.summary()['Status']}]"
        raise AwsError("InvalidChangeSetStatus", text)
    stack.token = params.get("ClientRequestToken")
    if found.kind == "CREATE":
        if stack.status != "REVIEW_IN_PROGRESS":
            raise AwsError("InvalidChangeSetStatus", f"Stack:{stack.id} is in {stack.status} state.")
        take_settings(stack, found.given)
        stack.plan = found.plan
        on_failure = found.given.get("OnStackFailure", "ROLLBACK")
        stack.disable_rollback = params.get("DisableRollback", on_failure == "DO_NOTHING")
        begin_creation(formation, stack, found.plan, "DO_NOTHING" if stack.disable_rollback else on_failure)
    else:
        check_updatable(stack)
        stack.disable_rollback = params.get("DisableRollback", False)
        begin_change(formation, stack, found.plan, found.given)
    found.execution = "EXECUTE_COMPLETE"
    formation.change_sets.forget(stack, but=found)
    return {}


def delete_change_set(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """DeleteChangeSet. One that is not there is deleted already."""
    try:
        formation.change_sets.remove(_find(formation, params, caller))
    except AwsError as exc:
        if exc.code != "ChangeSetNotFoundException":
            raise
    return {}


def _find(formation: CloudFormation, params: Params, caller: Caller) -> ChangeSet:
    name = params["ChangeSetName"]
    if name.startswith("arn:"):
        found = formation.change_sets.by_id(name)
    elif "StackName" in params:
        stack = formation.stacks.find(params["StackName"], caller, NO_STACK)
        found = formation.change_sets.look_up(name, stack)
    else:
        raise AwsError("ValidationError", "StackName must be specified if ChangeSetName is not specified as an ARN.")
    if found is None or found.stack.caller.account != caller.account:
        raise AwsError("ChangeSetNotFoundException", f"ChangeSet [{name}] does not exist")
    return found
