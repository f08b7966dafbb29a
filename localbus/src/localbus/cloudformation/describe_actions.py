"""CloudFormation actions that describe and list stacks, resources, events and exports."""

from __future__ import annotations

import json

from localbus.cloudformation.plan import Plan
from localbus.cloudformation.registry import NO_STACK
from localbus.cloudformation.stack import Stack
from localbus.cloudformation.stack_resource import StackResource
from localbus.cloudformation.state import CloudFormation
from localbus.cloudformation.template import parameters as template_parameters
from localbus.errors import AwsError
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params


def describe_stacks(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """DescribeStacks."""
    if "StackName" in params:
        return {"Stacks": [_description(cfn.stacks.find(params["StackName"], caller))]}
    found = [one for one in cfn.stacks.of(caller) if not one.is_deleted]
    return list_page("Stacks", found, params, show=_description)


def list_stacks(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """ListStacks."""
    statuses = params.get("StackStatusFilter")
    found = [one for one in cfn.stacks.of(caller) if not statuses or one.status in statuses]
    return list_page("StackSummaries", found, params, show=_list_item)


def _list_item(stack: Stack) -> Params:
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "TemplateDescription": (stack.plan.template.description if stack.plan else "") or None,
        "CreationTime": stack.created_at,
        "LastUpdatedTime": stack.updated_at,
        "DeletionTime": stack.deleted_at,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason or None,
        "ParentId": stack.parent.id if stack.parent else None,
        "RootId": stack.root.id if stack.parent else None,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        "LastOperations": stack.last_operations or None,
    }


def _description(stack: Stack) -> Params:
    described = _list_item(stack)
    described["Description"] = described.pop("TemplateDescription")
    return described | {
        "ChangeSetId": None if stack.deleted_at else stack.change_set_id,
        "Parameters": (describe_parameters(stack.plan) or None) if stack.plan else None,
        "RollbackConfiguration": {},
        "DisableRollback": stack.disable_rollback,
        "NotificationARNs": stack.notification_arns,
        "TimeoutInMinutes": stack.timeout_minutes,
        "Capabilities": stack.capabilities or None,
        "Outputs": stack.outputs or None,
        "RoleARN": stack.role_arn,
        "Tags": stack.tags,
        "EnableTerminationProtection": None if stack.is_deleted else stack.termination_protection,
    }


def describe_parameters(plan: Plan) -> list[Params]:
    """The parameters of a plan with their values; NoEcho parameters are masked."""
    found = []
    for name, text in plan.parameters.items():
        hidden = template_parameters.is_no_echo(plan.template.parameters[name])
        values = {"ParameterValue": text, "ResolvedValue": plan.stored.get(name)}
        if hidden:
            values = {key: template_parameters.MASK for key, value in values.items() if value is not None}
        found.append({"ParameterKey": name, **values})
    return found


def describe_stack_events(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """DescribeStackEvents, the latest first."""
    stack = cfn.stacks.find(params.get("StackName", ""), caller, NO_STACK)
    return list_page("StackEvents", stack.events[::-1], params)


def describe_stack_resource(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """DescribeStackResource."""
    stack = cfn.stacks.find(params["StackName"], caller, "Stack '{}' does not exist")
    resource = stack.resources.get(params["LogicalResourceId"])
    if resource is None:
        text = f"Resource {params['LogicalResourceId']} does not exist for stack {params['StackName']}"
        raise AwsError("ValidationError", text)
    described = _resource_of_stack(stack, resource, "LastUpdatedTimestamp")
    definition = stack.plan.template.resources.get(resource.logical_id) if stack.plan else None
    if definition is not None and "Metadata" in definition.extras:
        described["Metadata"] = json.dumps(definition.extras["Metadata"])
    return {"StackResourceDetail": described}


def describe_stack_resources(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """DescribeStackResources: of a stack, or of the stack that contains a physical id."""
    physical_id = params.get("PhysicalResourceId")
    if "StackName" in params:
        stack = cfn.stacks.find(params["StackName"], caller)
    elif physical_id is not None:
        stack = _stack_containing(cfn, physical_id, caller)
    else:
        raise AwsError("ValidationError", "One of StackName or PhysicalResourceId must be specified.")
    logical_id = params.get("LogicalResourceId")
    found = [
        _resource_of_stack(stack, one, "Timestamp")
        for one in stack.resources.values()
        if logical_id in {None, one.logical_id} and physical_id in {None, one.physical_id} and one.status
    ]
    return {"StackResources": found}


def _stack_containing(cfn: CloudFormation, physical_id: str, caller: Caller) -> Stack:
    for stack in cfn.stacks.of(caller):
        if any(one.physical_id == physical_id and one.exists for one in stack.resources.values()):
            return stack
    raise AwsError("ValidationError", f"Stack for {physical_id} does not exist")


def _resource_of_stack(stack: Stack, resource: StackResource, time: str) -> Params:
    return {"StackName": stack.name, "StackId": stack.id} | _resource(resource, time)


def _resource(resource: StackResource, time: str = "LastUpdatedTimestamp") -> Params:
    """A resource. `time` is the action's name for the time of the last change."""
    return {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id or None,
        "ResourceType": resource.type,
        time: resource.changed_at,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason or None,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }


def list_stack_resources(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """ListStackResources."""
    stack = cfn.stacks.find(params["StackName"], caller)
    found = [one for one in stack.resources.values() if one.status]
    return list_page("StackResourceSummaries", found, params, show=_resource)


def list_exports(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """ListExports."""
    return list_page("Exports", cfn.stacks.exports(caller), params)


def list_imports(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """ListImports."""
    importers = cfn.stacks.importers(params["ExportName"], caller)
    if not importers:
        raise AwsError("ValidationError", f"Export '{params['ExportName']}' is not imported by any stack.")
    return list_page("Imports", importers, params)
