"""The actions of CloudFormation that only look at stacks, their resources, events and exports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from localbus.cloudformation.plan import Plan
from localbus.cloudformation.stack import Stack, StackResource
from localbus.cloudformation.template import parameters as template_parameters
from localbus.errors import AwsError
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

if TYPE_CHECKING:
    from localbus.cloudformation.state import CloudFormation

_NO_STACK = "Stack [{}] does not exist"
_NOT_DRIFTED = {"StackDriftStatus": "NOT_CHECKED"}


def describe_stacks(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """DescribeStacks."""
    if "StackName" in params:
        return {"Stacks": [_described(formation.stacks.find(params["StackName"], caller))]}
    return list_page(
        "Stacks", [one for one in formation.stacks.of(caller) if not one.is_deleted], params, show=_described
    )


def list_stacks(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """ListStacks."""
    wanted = params.get("StackStatusFilter")
    found = [one for one in formation.stacks.of(caller) if not wanted or one.status in wanted]
    return list_page("StackSummaries", found, params, show=_summary)


def _summary(stack: Stack) -> Params:
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "TemplateDescription": (stack.plan.template.description if stack.plan else "") or None,
        "CreationTime": stack.created_at,
        "LastUpdatedTime": stack.updated_at,
        "DeletionTime": stack.deleted_at,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason or None,
        "DriftInformation": _NOT_DRIFTED,
    }


def _described(stack: Stack) -> Params:
    shown = _summary(stack)
    shown["Description"] = shown.pop("TemplateDescription")
    return shown | {
        "Parameters": parameters_of(stack.plan) if stack.plan else None,
        "DisableRollback": stack.disable_rollback,
        "NotificationARNs": stack.notification_arns,
        "TimeoutInMinutes": stack.timeout_minutes,
        "Capabilities": stack.capabilities or None,
        "Outputs": stack.outputs or None,
        "RoleARN": stack.role_arn,
        "Tags": stack.tags,
        "EnableTerminationProtection": stack.termination_protection,
    }


def parameters_of(plan: Plan) -> list[Params]:
    """The parameters of a plan with their values, the hidden ones without."""
    definitions = plan.template.parameters
    return [
        {
            "ParameterKey": name,
            "ParameterValue": template_parameters.HIDDEN if template_parameters.is_hidden(definitions[name]) else text,
        }
        for name, text in plan.parameters.items()
    ]


def describe_stack_events(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """DescribeStackEvents, the latest first."""
    stack = formation.stacks.find(params.get("StackName", ""), caller, _NO_STACK)
    return list_page("StackEvents", stack.events[::-1], params)


def describe_stack_resource(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """DescribeStackResource."""
    stack = formation.stacks.find(params["StackName"], caller, _NO_STACK)
    resource = stack.resources.get(params["LogicalResourceId"])
    if resource is None:
        text = f"Resource {params['LogicalResourceId']} does not exist for stack {stack.name}"
        raise AwsError("ValidationError", text)
    shown = _of_stack(stack, resource)
    shown["LastUpdatedTimestamp"] = shown.pop("Timestamp")
    definition = stack.plan.template.resources.get(resource.logical_id) if stack.plan else None
    if definition is not None and "Metadata" in definition.extras:
        shown["Metadata"] = json.dumps(definition.extras["Metadata"])
    return {"StackResourceDetail": shown}


def describe_stack_resources(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """DescribeStackResources: of a stack, or of the one that has the resource of a physical id."""
    physical_id = params.get("PhysicalResourceId")
    if "StackName" in params:
        stack = formation.stacks.find(params["StackName"], caller)
    elif physical_id is not None:
        stack = _having(formation, physical_id, caller)
    else:
        raise AwsError("ValidationError", "One of StackName or PhysicalResourceId must be specified.")
    wanted = params.get("LogicalResourceId")
    found = [
        _of_stack(stack, one)
        for one in stack.resources.values()
        if wanted in {None, one.logical_id} and physical_id in {None, one.physical_id} and one.status
    ]
    return {"StackResources": found}


def _having(formation: CloudFormation, physical_id: str, caller: Caller) -> Stack:
    for stack in formation.stacks.of(caller):
        if any(one.physical_id == physical_id and one.is_there for one in stack.resources.values()):
            return stack
    raise AwsError("ValidationError", f"Stack for {physical_id} does not exist")


def _of_stack(stack: Stack, resource: StackResource) -> Params:
    return {
        "StackName": stack.name,
        "StackId": stack.id,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id or None,
        "ResourceType": resource.type,
        "Timestamp": resource.changed_at,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason or None,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }


def list_stack_resources(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """ListStackResources."""
    stack = formation.stacks.find(params["StackName"], caller)
    found = [one for one in stack.resources.values() if one.status]
    return list_page("StackResourceSummaries", found, params, show=_resource_summary)


def _resource_summary(resource: StackResource) -> Params:
    return {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id or None,
        "ResourceType": resource.type,
        "LastUpdatedTimestamp": resource.changed_at,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason or None,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }


def list_exports(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """ListExports."""
    return list_page("Exports", formation.stacks.exports(caller), params)


def list_imports(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """ListImports."""
    users = formation.stacks.importers(params["ExportName"], caller)
    if not users:
        raise AwsError("ValidationError", f"Export '{params['ExportName']}' is not imported by any stack.")
    return list_page("Imports", users, params)
