"""The changes of a change set: added, modified and removed resources, with the causes of each modification.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChangeDetail.html and the examples
in https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets-samples.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from localbus.cloudformation.plan import Plan
from localbus.cloudformation.resources.registry import RESOURCE_TYPES
from localbus.cloudformation.stack import STACK_TYPE, Stack, StackValues
from localbus.cloudformation.template.dependencies import references
from localbus.cloudformation.template.intrinsic_functions import NO_VALUE, Functions, Unresolved
from localbus.cloudformation.template.parser import as_text
from localbus.cloudformation.template.template import Definition
from localbus.errors import AwsError
from localbus.protocol.service_model import Params

_KNOWN_LATER = "{{changeSet:KNOWN_AFTER_APPLY}}"
_SOURCES = ("ParameterReference", "DirectModification", "ResourceReference", "ResourceAttribute")
_ATTRIBUTES = ("Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy")


def changes_between(stack: Stack, before: Plan | None, after: Plan, *, with_values: bool) -> list[Params]:
    """The changes to a stack's resources, as far as they are known before the execution."""
    return list(_Comparison(stack, before, after, with_values).changes())


@dataclass(frozen=True)
class _Known:
    """The values of resources that the execution keeps; all others are known after it only."""

    stack: Stack
    plan: Plan
    replacements: Mapping[str, str] = field(default_factory=dict)  # by the logical ids of resources that change

    def ref(self, logical_id: str) -> Any:
        existing = self.stack.resources.get(logical_id)
        is_kept = self.replacements.get(logical_id, "False") == "False"
        return existing.physical_id if existing is not None and existing.exists and is_kept else _KNOWN_LATER

    def attribute(self, logical_id: str, name: str) -> Any:
        if logical_id in self.replacements or logical_id not in self.stack.resources:
            return _KNOWN_LATER
        try:
            return StackValues(self.stack, self.plan).attribute(logical_id, name) or _KNOWN_LATER
        except AwsError:
            return _KNOWN_LATER


@dataclass(frozen=True)
class _Part:
    """A property, or another attribute of a resource, in the old and in the new template; None where it is not set."""

    attribute: str
    name: str | None
    recreation: str
    definition: Any  # in the new template, with its functions
    differs: bool
    shown: tuple[Any, Any]

    def target(self, *, with_values: bool) -> Params:
        target = {"Attribute": self.attribute, "Name": self.name, "RequiresRecreation": self.recreation}
        if with_values:
            old, new = (None if one is None else as_text(one) for one in self.shown)
            kind = "Add" if old is None else "Remove" if new is None else "Modify"
            path = "/".join(["", self.attribute, *([self.name] if self.name else [])])
            target |= {"Path": path, "AttributeChangeType": kind, "BeforeValue": old, "AfterValue": new}
        return {key: value for key, value in target.items() if value is not None}


class _Comparison:
    """Two plans of one stack. `with_values` as for IncludePropertyValues, which shows other details too."""

    def __init__(self, stack: Stack, before: Plan | None, after: Plan, with_values: bool) -> None:
        self._stack, self._before, self._after, self._with_values = stack, before, after, with_values
        self._old: Mapping[str, Definition] = before.active if before else {}
        self._replacements: dict[str, str] = {}

    def changes(self) -> Iterator[Params]:
        """The changes in the order of the execution."""
        for name in [*self._after.order, *(one for one in self._old if one not in self._after.active)]:
            if name not in self._old:
                self._replacements[name] = "True"
                yield self._change("Add", name, Details=[], Scope=[])
            elif name not in self._after.active:
                kept = self._old[name].deletion_policy in {"Retain", "RetainExceptOnCreate"}
                yield self._change("Remove", name, PolicyAction="Retain" if kept else "Delete", Details=[], Scope=[])
            else:
                details = self._details(name)
                if details:
                    yield self._modification(name, details)

    def _modification(self, name: str, details: list[Params]) -> Params:
        new = self._after.active[name]
        replacement = "True" if self._old[name].type != new.type else _replacement(details)
        more: Params = {"Replacement": replacement, "Details": details}
        more["Scope"] = sorted({one["Target"]["Attribute"] for one in details})
        if replacement == "True":
            more["PolicyAction"] = "ReplaceAndRetain" if new.update_replace_policy == "Retain" else "ReplaceAndDelete"
        change = self._change("Modify", name, **more)
        self._replacements[name] = replacement
        return change

    def _change(self, action: str, name: str, **more: Any) -> Params:
        one = self._after.active.get(name) or self._old[name]
        change = {"Action": action, "LogicalResourceId": name, "ResourceType": one.type, **more}
        existing = self._stack.resources.get(name)
        if action != "Add" and existing is not None and existing.physical_id:
            change["PhysicalResourceId"] = existing.physical_id
        if self._with_values:
            old, new = self._shown(name)
            contexts = {"BeforeContext": old, "AfterContext": new}
            change |= {key: json.dumps({"Properties": one}) for key, one in contexts.items() if one is not None}
        return {"Type": "Resource", "ResourceChange": change}

    def _shown(self, name: str) -> tuple[Params | None, Params | None]:
        """The properties before and after the execution, as far as they are known, without what NoEcho hides."""
        old, new = self._old.get(name), self._after.active.get(name)
        return (
            _resolved(self._before.masked(_Known(self._stack, self._before)), old) if self._before and old else None,
            _resolved(self._after.masked(_Known(self._stack, self._after, self._replacements)), new) if new else None,
        )

    def _details(self, name: str) -> list[Params]:
        """The causes of a resource's modification; none if it stays as it is."""
        details = [detail for part in self._parts(name) for detail in self._details_of(part)]
        if not details and self._after.active[name].type == STACK_TYPE:  # the file at its TemplateURL may have changed
            target = {"Attribute": "Properties", "RequiresRecreation": "Never"}
            return [{"Target": target, "Evaluation": "Dynamic", "ChangeSource": "Automatic"}]
        return sorted(details, key=lambda one: _SOURCES.index(one["ChangeSource"]))

    def _parts(self, name: str) -> Iterator[_Part]:
        assert self._before is not None  # noqa: S101 (a resource that exists has a plan)
        old, new = self._old[name], self._after.active[name]
        before, after = self._before.resolved(name), self._after.resolved(name)
        shown = self._shown(name) if self._with_values else (before.properties, after.properties)
        for key in sorted(before.properties.keys() | after.properties.keys()):
            differs = before.properties.get(key) != after.properties.get(key)
            definition = new.properties.get(key, new.properties)
            values = tuple((one or {}).get(key) for one in shown)
            yield _Part("Properties", key, _recreation(new.type, key), definition, differs, (values[0], values[1]))
        for attribute in _ATTRIBUTES:
            mine, theirs = before.attribute(attribute), after.attribute(attribute)
            yield _Part(attribute, None, "Never", new.attribute(attribute), mine != theirs, (mine, theirs))
        if old.type != new.type:
            yield _Part("Properties", None, "Always", None, True, (None, None))

    def _details_of(self, part: _Part) -> list[Params]:
        causes: list[Params] = []
        for name, attribute in dict.fromkeys(references(part.definition, self._after.conditions.holds_in_if)):
            if name in self._after.parameters:
                before = self._before.parameters.get(name) if self._before else None
                if part.differs and before != self._after.parameters[name]:
                    causes.append({"ChangeSource": "ParameterReference", "CausingEntity": name, "Evaluation": "Static"})
            elif name in self._replacements:
                causes += self._follows(name, attribute)
        follows = any(one["ChangeSource"] != "ParameterReference" for one in causes)
        if part.differs or (follows and self._with_values):
            evaluation = "Dynamic" if causes else "Static"
            causes.append({"ChangeSource": "DirectModification", "Evaluation": evaluation})
        return [{"Target": part.target(with_values=self._with_values), **one} for one in causes]

    def _follows(self, name: str, attribute: str | None) -> list[Params]:
        """The cause that a changed resource is for a reference to it; with values only if it is replaced."""
        replacement = self._replacements[name]
        if name not in self._old or (replacement == "False" and (attribute is None or self._with_values)):
            return []
        evaluation = "Static" if replacement == "True" else "Dynamic"
        if attribute is None:
            return [{"ChangeSource": "ResourceReference", "CausingEntity": name, "Evaluation": evaluation}]
        entity = f"{name}.{attribute}"
        return [{"ChangeSource": "ResourceAttribute", "CausingEntity": entity, "Evaluation": evaluation}]


def _resolved(functions: Functions, definition: Definition) -> Params:
    """The properties of a resource. One with a function of values that are not known yet is known later as a whole."""
    try:
        properties = _known(functions.resolve(dict(definition.properties)))
        return properties if isinstance(properties, dict) else {}
    except AwsError:
        found = {}
        for key, value in definition.properties.items():
            try:
                found[key] = _known(functions.resolve(value))
            except AwsError:
                found[key] = _KNOWN_LATER
        return {key: value for key, value in found.items() if value is not NO_VALUE}


def _known(value: Any) -> Any:
    if isinstance(value, Unresolved):
        return _KNOWN_LATER
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items()}
    return [_known(item) for item in value] if isinstance(value, list) else value


def _recreation(type_name: str, property_name: str) -> str:
    kind = RESOURCE_TYPES.get(type_name)
    if kind is None:
        return "Conditionally"  # only the upstream knows
    return "Always" if property_name in kind.create_only else "Never"


def _replacement(details: list[Params]) -> str:
    found = {(one["Target"]["RequiresRecreation"], one["Evaluation"]) for one in details}
    if ("Always", "Static") in found:
        return "True"
    return "False" if {recreation for recreation, _ in found} == {"Never"} else "Conditional"
