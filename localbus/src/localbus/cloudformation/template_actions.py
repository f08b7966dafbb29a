"""CloudFormation actions on templates: get, validate, summarise."""

from __future__ import annotations

import json
from typing import Any

from localbus.cloudformation.change_set_actions import find_change_set
from localbus.cloudformation.plan import Plan
from localbus.cloudformation.state import CloudFormation
from localbus.cloudformation.template import parameters as template_parameters
from localbus.cloudformation.template import source, template
from localbus.cloudformation.template.parser import as_text
from localbus.cloudformation.template.permissions import capabilities
from localbus.cloudformation.template.template import Template
from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params


def get_template(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """GetTemplate."""
    if "ChangeSetName" in params:
        if "StackName" not in params and not params["ChangeSetName"].startswith("arn:"):
            raise AwsError("ValidationError", "StackName is a required parameter.")
        plan: Plan | None = find_change_set(cfn, params, caller).plan
    elif "StackName" in params:
        plan = cfn.stacks.find(params["StackName"], caller).plan
    else:
        raise AwsError("ValidationError", "StackName is required if ChangeSetName is not specified.")
    text = plan.template.text if plan else ""
    if params.get("TemplateStage") != "Original" and plan and plan.template.processed is not None:
        text = json.dumps(plan.template.processed)
    return {"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]}


async def validate_template(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """ValidateTemplate."""
    parsed = template.parse(await source.template_text(cfn.fetch, params, caller))
    template_parameters.check(parsed.parameters)
    parameters = [
        {
            "ParameterKey": name,
            "DefaultValue": _default(one),
            "NoEcho": template_parameters.is_no_echo(one),
            "Description": one.get("Description"),
        }
        for name, one in parsed.parameters.items()
    ]
    return {"Parameters": parameters, "Description": parsed.description or None, **_requirements(parsed)}


async def get_template_summary(cfn: CloudFormation, params: Params, caller: Caller) -> Params:
    """GetTemplateSummary."""
    for member in ("StackSetName", "CallAs", "TemplateSummaryConfig"):
        if member in params:
            raise AwsError("NotImplemented", f"localbus does not implement {member} of GetTemplateSummary.")
    if "StackName" in params:
        stack = cfn.stacks.find(params["StackName"], caller)
        if stack.status == "REVIEW_IN_PROGRESS":
            raise AwsError("ValidationError", f"GetTemplateSummary cannot be called on {stack.status} stacks.")
        parsed = stack.plan.template if stack.plan else template.parse("")
    else:
        parsed = template.parse(await source.template_text(cfn.fetch, params, caller))
        template_parameters.check(parsed.parameters)
    return {
        "Parameters": [_declaration(name, one) for name, one in parsed.parameters.items()],
        "Description": parsed.description or None,
        "ResourceTypes": sorted({one.type for one in parsed.resources.values()}),
        "Version": template.VERSION,
        "Metadata": json.dumps(parsed.metadata) if parsed.metadata is not None else None,
        **_requirements(parsed),
    }


def _declaration(name: str, definition: Any) -> Params:
    allowed = definition.get("AllowedValues")
    constraints = {"AllowedValues": [as_text(one) for one in allowed]} if allowed else {}
    return {
        "ParameterKey": name,
        "DefaultValue": _default(definition),
        "ParameterType": definition["Type"],
        "NoEcho": template_parameters.is_no_echo(definition),
        "Description": definition.get("Description"),
        "ParameterConstraints": constraints,
    }


def _default(definition: Any) -> str | None:
    return as_text(definition["Default"]) if "Default" in definition else None


def _requirements(parsed: Template) -> Params:
    """The transforms of a template, and the capabilities that its IAM resources require."""
    transforms: Params = {"DeclaredTransforms": list(parsed.transforms)} if parsed.transforms else {}
    return transforms | capabilities(parsed)
