"""A template with its parameters: the resources to create, in order, and their values.

A plan does not depend on existing resources: `functions` and `outputs` get those that `Ref` and `Fn::GetAtt` refer to.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from localbus.cloudformation.resources.registry import RESOURCE_TYPES, check_types
from localbus.cloudformation.template import outputs, rules
from localbus.cloudformation.template import parameters as template_parameters
from localbus.cloudformation.template.conditions import Conditions
from localbus.cloudformation.template.dependencies import check_references, dependencies, in_order, references
from localbus.cloudformation.template.intrinsic_functions import NO_VALUE, Functions, Resources, Unresolved
from localbus.cloudformation.template.parser import as_text, format_error, template_error
from localbus.cloudformation.template.template import Definition, Template, check_policy, parse, parse_document
from localbus.errors import AwsError
from localbus.protocol.service_model import Params
from localbus.storage.documents import Document

Value = tuple[str, str | None]  # a logical id with an attribute, or None for what Ref gives


@dataclass(frozen=True)
class StackContext:
    """The inputs of a template beside its parameters: pseudo parameters, the exports of other stacks, stored values.

    `resolve_references` resolves {{resolve:...}} in a value.
    """

    stack_name: str
    stack_id: str
    account: str
    region: str
    notification_arns: tuple[str, ...]
    import_value: Callable[[str], str | None]
    resolve_references: Callable[[Any], Awaitable[Any]]
    with_upstream: bool


class _NoResources:
    """Resources before they exist: every reference stays unresolved."""

    def ref(self, logical_id: str) -> None:
        del logical_id

    def attribute(self, logical_id: str, name: str) -> None:
        del logical_id, name


@dataclass(frozen=True)
class Plan:
    """A validated template with its parameters. `imports` are the names of the exports that it uses."""

    template: Template
    parameters: Mapping[str, str]
    stored: Mapping[str, str]  # the values of the parameters that name one in Systems Manager
    context: StackContext
    conditions: Conditions
    names: Mapping[str, Any]
    active: Mapping[str, Definition]
    needs: Mapping[str, set[str]]
    order: tuple[str, ...]
    imports: set[str] = field(default_factory=set)

    def document(self) -> Document:
        """The inputs of the plan for the storage."""
        return {
            "text": self.template.text,
            "processed": self.template.processed,
            "transforms": list(self.template.transforms),
            "parameters": self.parameters,
            "stored": self.stored,
            "notification_arns": list(self.context.notification_arns),
        }

    def functions(self, resources: Resources) -> Functions:
        """The template's functions, with `resources` for its references."""

        def import_value(name: str) -> str | None:
            self.imports.add(name)
            return self.context.import_value(name)

        return Functions(self.names, self.template.mappings, self.conditions, resources, import_value)

    def masked(self, resources: Resources) -> Functions:
        """The functions with the values of NoEcho parameters masked, for what events and change sets show."""
        secret = {name for name, one in self.template.parameters.items() if template_parameters.is_no_echo(one)}
        masked = dict.fromkeys(secret, template_parameters.MASK)
        return replace(self.functions(resources), names={**self.names, **masked})

    def shown_properties(self, definition: Definition, resources: Resources) -> str:
        """The properties as JSON, as events show them; empty if they depend on a masked value or an unknown one."""
        try:
            found = self.masked(resources).resolve(dict(definition.properties))
        except AwsError:
            return ""
        return json.dumps(found) if _is_known(found) else ""

    def check_imports(self) -> None:
        """Raise AwsError if an export that the template uses does not exist. A change set does not check it."""
        for name in sorted(self.imports):
            if self.context.import_value(name) is None:
                raise AwsError("ValidationError", f"No export named {name} found.")

    def is_local(self, logical_id: str) -> bool:
        """True if localbus creates the resource itself."""
        return self.active[logical_id].type in RESOURCE_TYPES

    @property
    def has_nested_stacks(self) -> bool:
        """True if one of the resources is a stack."""
        return any(one.type == "AWS::CloudFormation::Stack" for one in self.active.values())

    def local_properties(self) -> dict[str, tuple[str, Any]]:
        """The types and properties of the resources that localbus creates, as far as they are known in advance."""
        resolve = self.functions(_NoResources()).resolve
        return {
            name: (one.type, resolve(dict(one.properties))) for name, one in self.active.items() if self.is_local(name)
        }

    def upstream_values(self) -> set[Value]:
        """The values of upstream resources that local resources and outputs refer to."""
        found: set[Value] = set()
        local = [one.properties for name, one in self.active.items() if self.is_local(name)]
        for value in [*local, *self.active_outputs().values()]:
            found.update(references(value, self.conditions.holds_in_if))
        return {(name, attribute) for name, attribute in found if name in self.active and not self.is_local(name)}

    def active_outputs(self) -> dict[str, Any]:
        """The outputs whose conditions hold."""
        return {
            name: {key: value for key, value in one.items() if key != "Condition"}
            for name, one in self.template.outputs.items()
            if one.get("Condition") is None or self.conditions.holds(one["Condition"])
        }

    def fingerprint(self) -> Params:
        """Everything whose change updates the stack, with all but references to resources resolved.

        DependsOn is left out: a change of it alone is not an update.
        """
        resolve = self.functions(_NoResources()).resolve
        return {
            "resources": {name: self.resolved(name) for name in self.active},
            "outputs": resolve(self.active_outputs()),
        }

    def resolved(self, logical_id: str) -> Definition:
        """A resource as far as it is known in advance: without references to others, and what only orders it."""
        resolve, one = self.functions(_NoResources()).resolve, self.active[logical_id]
        properties, extras = resolve(dict(one.properties)), resolve(dict(one.extras))
        properties = properties if isinstance(properties, dict) else {}
        return replace(one, properties=properties, extras=extras, depends_on=(), condition=None)

    def outputs(self, resources: Resources) -> list[Params]:
        """The outputs as DescribeStacks returns them. Raises AwsError."""
        return outputs.described(self.active_outputs(), self.functions(resources))


def _is_known(value: Any) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return not isinstance(value, Unresolved) and value is not NO_VALUE and all(map(_is_known, items))


def make_plan(
    template: Template,
    given: Mapping[str, str],
    context: StackContext,
    stored: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """Validate a template with its parameters. Raises AwsError with CloudFormation's message.

    `stored` has the values of the parameters that name one in Systems Manager.
    """
    template_parameters.check(template.parameters)
    _check_names(template)
    check_references(template)
    parameters = template_parameters.values(template.parameters, given)
    functions = static_functions(template, parameters, context, stored)
    names, conditions = functions.names, functions.conditions
    rules.check(template.rules, template.parameters, names)
    conditions.check_all()
    active = {
        name: _with_policies(one, functions)
        for name, one in template.resources.items()
        if one.condition is None or conditions.holds(one.condition)
    }
    check_types({name: one.type for name, one in active.items()}, with_upstream=context.with_upstream)
    needs = dependencies(active, conditions.holds_in_if)
    plan = Plan(template, parameters, stored, context, conditions, names, active, needs, tuple(in_order(needs)))
    _check_values(plan)
    outputs.check(plan.active_outputs(), plan.functions(_NoResources()))
    plan.fingerprint()  # raises for a function that is used incorrectly
    return plan


def stored_plan(document: Document, context: StackContext) -> Plan:
    """Make the plan of a document again, with the inputs of its time."""
    context = replace(context, notification_arns=tuple(document["notification_arns"]))
    text, processed = document["text"], document["processed"]
    template = parse(text) if processed is None else parse_document(text, processed, tuple(document["transforms"]))
    return make_plan(template, document["parameters"], context, document["stored"])


def static_functions(
    template: Template, parameters: Mapping[str, str], context: StackContext, stored: Mapping[str, str]
) -> Functions:
    """The functions of a template before any resource exists."""
    resolved = {
        name: template_parameters.ref_value(template.parameters[name], stored.get(name, text))
        for name, text in parameters.items()
    }
    names = resolved | _pseudo_parameters(context)
    conditions = Conditions(template.conditions)
    functions = Functions(names, template.mappings, conditions, _NoResources(), context.import_value)
    conditions.resolve = lambda value: _without_resources(functions.resolve(value))
    return functions


def _pseudo_parameters(context: StackContext) -> dict[str, Any]:
    china = context.region.startswith("cn-")
    return {
        "AWS::AccountId": context.account,
        "AWS::NotificationARNs": list(context.notification_arns),
        "AWS::Partition": "aws-cn" if china else "aws",
        "AWS::Region": context.region,
        "AWS::StackId": context.stack_id,
        "AWS::StackName": context.stack_name,
        "AWS::URLSuffix": "amazonaws.com.cn" if china else "amazonaws.com",
    }


def _with_policies(one: Definition, functions: Functions) -> Definition:
    """A resource with the values of its policies, which may be functions of parameters and conditions.

    AWS accepts them without the transform AWS::LanguageExtensions too, as its recorded answers show.
    """
    found: dict[str, str | None] = {}
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        value = functions.resolve(one.attribute(policy))
        found[policy] = None if value is NO_VALUE else value
        if found[policy] is not None:
            check_policy(one.logical_id, one.type, policy, value)
    return replace(one, deletion_policy=found["DeletionPolicy"], update_replace_policy=found["UpdateReplacePolicy"])


def _without_resources(value: Any) -> Any:
    if isinstance(value, Unresolved):
        argument = next(iter(value.values()))
        name = as_text(argument[0] if isinstance(argument, list) and argument else argument)
        raise format_error(
            f"Unresolved dependencies [{name}]. Cannot reference resources in the Conditions block of the template"
        )
    return value


def _check_values(plan: Plan) -> None:
    """Check that every resource referred to is active and has the attribute."""
    holds = plan.conditions.holds_in_if
    blocks: dict[str, list[Any]] = {
        "Resources": [one.properties for one in plan.active.values()],
        "Outputs": list(plan.active_outputs().values()),
    }
    for block, values in blocks.items():
        for value in values:
            for name, attribute in references(value, holds):
                if name in plan.template.resources and name not in plan.active:
                    raise format_error(
                        f"Unresolved resource dependencies [{name}] in the {block} block of the template"
                    )
                known = RESOURCE_TYPES.get(plan.active[name].type) if name in plan.active else None
                if attribute and known is not None and not known.has_attribute(attribute):
                    raise template_error(f"resource {name} does not support attribute type {attribute} in Fn::GetAtt")


def _check_names(template: Template) -> None:
    """Check that no parameter and resource share a logical id."""
    both = sorted(set(template.parameters) & set(template.resources))
    if both:
        text = f"Duplicate logical ids are not allowed: [{', '.join(both)}] are both parameters and resources."
        raise AwsError("ValidationError", f"Template format error: {text}")
