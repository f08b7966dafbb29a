"""A change set: a plan to be executed, and the changes it would make.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from localbus.cloudformation.plan import Plan
from localbus.cloudformation.resources.registry import RESOURCE_TYPES
from localbus.cloudformation.stack import STACK_TYPE, Stack
from localbus.cloudformation.template.intrinsic_functions import Unresolved
from localbus.ids import new_id
from localbus.protocol.service_model import Params

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
_KNOWN_LATER = "{{changeSet:KNOWN_AFTER_APPLY}}"
_CONTEXTS = ("AfterContext", "BeforeContext")
_PARTS = ("Type", "Properties", "Metadata", "DeletionPolicy", "UpdateReplacePolicy")

Resource = list[Any]  # an entry of Plan.fingerprint, with _PARTS first


@dataclass
class ChangeSet:
    """A change set of a stack. `request` holds the parameters of CreateChangeSet."""

    name: str
    stack: Stack
    kind: Literal["CREATE", "UPDATE"]
    plan: Plan
    request: Params
    created_at: datetime
    changes: list[Params]
    has_changes: bool

    def __post_init__(self) -> None:
        caller = self.stack.caller
        self.id = f"arn:aws:cloudformation:{caller.region}:{caller.account}:changeSet/{self.name}/{new_id()}"
        self.execution = "AVAILABLE" if self.has_changes else "UNAVAILABLE"

    def list_item(self) -> Params:
        """The change set as ListChangeSets returns it."""
        return {
            "StackId": self.stack.id,
            "StackName": self.stack.name,
            "ChangeSetId": self.id,
            "ChangeSetName": self.name,
            "ExecutionStatus": self.execution,
            "Status": "CREATE_COMPLETE" if self.has_changes else "FAILED",
            "StatusReason": None if self.has_changes else NO_CHANGES,
            "CreationTime": self.created_at,
            "Description": self.request.get("Description"),
            "IncludeNestedStacks": self.request.get("IncludeNestedStacks", False),
        }


class ChangeSets:
    """The change sets of all stacks."""

    def __init__(self) -> None:
        self.by_id: dict[str, ChangeSet] = {}

    def of(self, stack: Stack) -> list[ChangeSet]:
        """The change sets of a stack, the oldest first. An executed one is found by its id only."""
        return [one for one in self.by_id.values() if one.stack is stack and one.execution != "EXECUTE_COMPLETE"]

    def find(self, name: str, stack: Stack) -> ChangeSet | None:
        """The stack's change set of that name."""
        return next((one for one in self.of(stack) if one.name == name), None)

    def delete_of(self, stack: Stack, keep: ChangeSet | None = None) -> None:
        """Delete a stack's change sets, which a change of the stack makes obsolete."""
        for one in self.of(stack):
            if one is not keep:
                del self.by_id[one.id]


def changes_between(stack: Stack, before: Plan | None, after: Plan) -> list[Params]:
    """The changes to a stack's resources, as far as they are known before the execution."""
    old: Mapping[str, Resource] = before.fingerprint()["resources"] if before else {}
    new: Mapping[str, Resource] = after.fingerprint()["resources"]
    replacements: dict[str, str] = {}
    found: list[Params] = []
    for name in [*after.order, *(one for one in old if one not in new)]:
        if name not in old:
            found.append(
                _change("Add", name, new[name][0], Details=[], Scope=[], AfterContext=_context(stack, new[name]))
            )
        elif name not in new:
            more: Params = {
                "Details": [],
                "Scope": [],
                "PolicyAction": "Delete",
                "BeforeContext": _context(stack, old[name]),
            }
            if old[name][3] in {"Retain", "RetainExceptOnCreate"}:
                more["PolicyAction"] = "Retain"
            found.append(_change("Remove", name, old[name][0], stack, **more))
        else:
            details = _details(old[name], new[name])
            follows = any(replacements.get(need, "False") != "False" for need in after.needs[name])
            if details or follows:
                replacements[name] = replacement = _replacement(old[name], new[name], details, follows=follows)
                scope = sorted({one["Target"]["Attribute"] for one in details})
                more = {"Replacement": replacement, "Details": details, "Scope": scope}
                more |= {"BeforeContext": _context(stack, old[name]), "AfterContext": _context(stack, new[name])}
                if replacement == "True":
                    more["PolicyAction"] = "ReplaceAndRetain" if new[name][4] == "Retain" else "ReplaceAndDelete"
                found.append(_change("Modify", name, new[name][0], stack, **more))
    return found


def without_values(change: Params) -> Params:
    """A change as DescribeChangeSet returns it without IncludePropertyValues."""
    shown = {key: value for key, value in change["ResourceChange"].items() if key not in _CONTEXTS}
    return change | {"ResourceChange": shown}


def _context(stack: Stack, resource: Resource) -> str:
    """The properties as text, with the ids of resources that exist; others are known only after the execution."""

    def known(value: Any) -> Any:
        if isinstance(value, Unresolved):
            existing = stack.resources.get(value.get("Ref", ""))
            return existing.physical_id if existing and existing.exists else _KNOWN_LATER
        if isinstance(value, dict):
            return {key: known(item) for key, item in value.items()}
        return [known(item) for item in value] if isinstance(value, list) else value

    return json.dumps({"Properties": known(resource[1])})


def _change(action: str, name: str, type_name: str, stack: Stack | None = None, **more: Any) -> Params:
    change = {"Action": action, "LogicalResourceId": name, "ResourceType": type_name, **more}
    if stack is not None and name in stack.resources and stack.resources[name].physical_id:
        change["PhysicalResourceId"] = stack.resources[name].physical_id
    return {"Type": "Resource", "ResourceChange": change}


def _details(old: Resource, new: Resource) -> list[Params]:
    properties = sorted(key for key in old[1].keys() | new[1].keys() if old[1].get(key) != new[1].get(key))
    targets = [
        {"Attribute": "Properties", "Name": name, "RequiresRecreation": _recreation(new[0], name)}
        for name in properties
    ]
    if new[0] == STACK_TYPE and not targets:  # the file at its TemplateURL may have changed
        target = {"Attribute": "Properties", "RequiresRecreation": "Never"}
        return [{"Target": target, "Evaluation": "Dynamic", "ChangeSource": "Automatic"}]
    for place, attribute in enumerate(_PARTS):
        if attribute not in {"Type", "Properties"} and old[place] != new[place]:
            targets.append({"Attribute": attribute, "RequiresRecreation": "Never"})
    return [{"Target": one, "Evaluation": "Static", "ChangeSource": "DirectModification"} for one in targets]


def _recreation(type_name: str, property_name: str) -> str:
    kind = RESOURCE_TYPES.get(type_name)
    if kind is None:
        return "Conditionally"  # only the upstream knows
    return "Always" if property_name in kind.create_only else "Never"


def _replacement(old: Resource, new: Resource, details: list[Params], *, follows: bool) -> str:
    recreations = {one["Target"]["RequiresRecreation"] for one in details}
    if old[0] != new[0] or "Always" in recreations:
        return "True"
    return "Conditional" if follows or "Conditionally" in recreations else "False"
