"""The actions of CloudFormation that only look: at stacks, their resources and events, and at templates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from localbus import template, template_parameters, template_source
from localbus.errors import AwsError
from localbus.model import Params
from localbus.service import Caller
from localbus.stack import Stack, StackResource
from localbus.stack_pages import page
from localbus.template import Template

if TYPE_CHECKING:
    from localbus.cloudformation import CloudFormation

_NO_STACK = "Stack [{}] does not exist"
_NAMED = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
}
_NOT_DRIFTED = {"StackDriftStatus": "NOT_CHECKED"}


def describe_stacks(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """DescribeStacks."""
    if "StackName" in params:
        return {"Stacks": [_described(formation.stacks.find(params["StackName"], caller))]}
    return page("Stacks", [one for one in formation.stacks.of(caller) if not one.is_deleted], params, _described)


def list_stacks(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """ListStacks."""
    wanted = params.get("StackStatusFilter")
    found = [one for one in formation.stacks.of(caller) if not wanted or one.status in wanted]
    return page("StackSummaries", found, params, _summary)


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
        "Parameters": _parameters(stack),
        "DisableRollback": stack.disable_rollback,
        "NotificationARNs": stack.notification_arns,
        "TimeoutInMinutes": stack.timeout_minutes,
        "Capabilities": stack.capabilities or None,
        "Outputs": stack.outputs or None,
        "RoleARN": stack.role_arn,
        "Tags": stack.tags,
        "EnableTerminationProtection": stack.termination_protection,
    }


def _parameters(stack: Stack) -> list[Params] | None:
    if stack.plan is None or not stack.plan.parameters:
        return None
    definitions = stack.plan.template.parameters
    return [
        {
            "ParameterKey": name,
            "ParameterValue": template_parameters.HIDDEN if template_parameters.is_hidden(definitions[name]) else text,
        }
        for name, text in stack.plan.parameters.items()
    ]


def describe_stack_events(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """DescribeStackEvents, the latest first."""
    stack = formation.stacks.find(params.get("StackName", ""), caller, _NO_STACK)
    return page("StackEvents", stack.events[::-1], params, lambda event: event)


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
    return page("StackResourceSummaries", found, params, _resource_summary)


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
    return page("Exports", formation.stacks.exports(caller), params, lambda export: export)


def list_imports(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """ListImports."""
    users = formation.stacks.importers(params["ExportName"], caller)
    if not users:
        raise AwsError("ValidationError", f"Export '{params['ExportName']}' is not imported by any stack.")
    return page("Imports", users, params, str)


def get_template(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """GetTemplate."""
    stack = formation.stacks.find(params.get("StackName", ""), caller)
    text = stack.plan.template.text if stack.plan else ""
    return {"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]}


async def validate_template(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """ValidateTemplate."""
    del caller
    parsed = template.parse(await template_source.text_of(formation, params))
    template_parameters.check(parsed.parameters)
    parameters = [
        {
            "ParameterKey": name,
            "DefaultValue": _default(one),
            "NoEcho": template_parameters.is_hidden(one),
            "Description": one.get("Description"),
        }
        for name, one in parsed.parameters.items()
    ]
    return {"Parameters": parameters, "Description": parsed.description, **_capabilities(parsed)}


async def get_template_summary(formation: CloudFormation, params: Params, caller: Caller) -> Params:
    """GetTemplateSummary."""
    if "StackName" in params:
        stack = formation.stacks.find(params["StackName"], caller)
        parsed = stack.plan.template if stack.plan else template.parse("")
    else:
        parsed = template.parse(await template_source.text_of(formation, params))
        template_parameters.check(parsed.parameters)
    return {
        "Parameters": [_declared(name, one) for name, one in parsed.parameters.items()],
        "Description": parsed.description,
        "ResourceTypes": sorted({one.type for one in parsed.resources.values()}),
        "Version": parsed.version,
        "Metadata": json.dumps(parsed.metadata) if parsed.metadata is not None else None,
        **_capabilities(parsed),
    }


def _declared(name: str, definition: Any) -> Params:
    allowed = definition.get("AllowedValues")
    constraints = {"AllowedValues": [template_parameters.as_text(one) for one in allowed]} if allowed else {}
    return {
        "ParameterKey": name,
        "DefaultValue": _default(definition),
        "ParameterType": definition["Type"],
        "NoEcho": template_parameters.is_hidden(definition),
        "Description": definition.get("Description"),
        "ParameterConstraints": constraints,
    }


def _default(definition: Any) -> str | None:
    return template_parameters.as_text(definition["Default"]) if "Default" in definition else None


def _capabilities(parsed: Template) -> Params:
    """What its author must be trusted with."""
    iam = [one for one in parsed.resources.values() if one.type.startswith("AWS::IAM::")]
    if not iam:
        return {}
    named = any(_NAMED.get(one.type, "") in one.properties for one in iam)
    types = ", ".join(sorted({one.type for one in iam}))
    return {
        "Capabilities": ["CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"],
        "CapabilitiesReason": f"The following resource(s) require capabilities: [{types}]",
    }
