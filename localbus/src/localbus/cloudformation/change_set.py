"""A change set: a plan that waits to be carried out, and what it would change.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from localbus.cloudformation.plan import Plan
from localbus.cloudformation.resources.registry import RESOURCE_TYPES
from localbus.cloudformation.stack import Stack
from localbus.ids import new_id
from localbus.protocol.service_model import Params

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
_PARTS = ("Type", "Properties", "Metadata", "DeletionPolicy", "UpdateReplacePolicy")

Resource = list[Any]  # as Plan.essence has it


@dataclass
class ChangeSet:
    """One change set of a stack."""

    name: str
    stack: Stack
    kind: Literal["CREATE", "UPDATE"]
    plan: Plan
    given: Params
    created_at: datetime
    changes: list[Params]
    has_changes: bool
    id: str = field(default="")
    execution: str = ""

    def __post_init__(self) -> None:
        caller = self.stack.caller
        self.id = f"arn:aws:cloudformation:{caller.region}:{caller.account}:changeSet/{self.name}/{new_id()}"
        self.execution = "AVAILABLE" if self.has_changes else "UNAVAILABLE"

    def summary(self) -> Params:
        """The change set in a list."""
        return {
            "StackId": self.stack.id,
            "StackName": self.stack.name,
            "ChangeSetId": self.id,
            "ChangeSetName": self.name,
            "ExecutionStatus": self.execution,
            "Status": "CREATE_COMPLETE" if self.has_changes else "FAILED",
            "StatusReason": None if self.has_changes else NO_CHANGES,
            "CreationTime": self.created_at,
            "Description": self.given.get("Description"),
            "IncludeNestedStacks": False,
        }


def changes_between(stack: Stack, before: Plan | None, after: Plan) -> list[Params]:
    """What a stack's resources would go through, as far as that can be said beforehand."""
    old: Mapping[str, Resource] = before.essence()["resources"] if before else {}
    new: Mapping[str, Resource] = after.essence()["resources"]
    replacements: dict[str, str] = {}
    found: list[Params] = []
    for name in [*after.order, *(one for one in old if one not in new)]:
        if name not in old:
            found.append(_change("Add", name, new[name][0]))
        elif name not in new:
            found.append(_change("Remove", name, old[name][0], _physical_id(stack, name)))
        else:
            details = _details(old[name], new[name])
            follows = any(replacements.get(need, "False") != "False" for need in after.needs[name])
            if details or follows:
                replacements[name] = replacement = _replacement(old[name], new[name], details, follows=follows)
                change = _change("Modify", name, new[name][0], _physical_id(stack, name))
                change["ResourceChange"] |= {"Replacement": replacement, "Details": details}
                change["ResourceChange"]["Scope"] = sorted({one["Target"]["Attribute"] for one in details})
                found.append(change)
    return found


def _change(action: str, name: str, type_name: str, physical_id: str | None = None) -> Params:
    shown = {"Action": action, "LogicalResourceId": name, "ResourceType": type_name}
    return {"Type": "Resource", "ResourceChange": shown | ({"PhysicalResourceId": physical_id} if physical_id else {})}


def _physical_id(stack: Stack, name: str) -> str | None:
    return stack.resources[name].physical_id if name in stack.resources else None


def _details(old: Resource, new: Resource) -> list[Params]:
    properties = sorted(key for key in old[1].keys() | new[1].keys() if old[1].get(key) != new[1].get(key))
    targets = [
        {"Attribute": "Properties", "Name": name, "RequiresRecreation": _recreation(new[0], name)}
        for name in properties
    ]
    for place, attribute in enumerate(_PARTS):
        if attribute not in {"Type", "Properties"} and old[place] != new[place]:
            targets.append({"Attribute": attribute, "RequiresRecreation": "Never"})
    return [{"Target": one, "Evaluation": "Static", "ChangeSource": "DirectModification"} for one in targets]


def _recreation(type_name: str, property_name: str) -> str:
    kind = RESOURCE_TYPES.get(type_name)
    if kind is None:
        return "Conditionally"  # the upstream knows
    return "Always" if property_name in kind.replacing else "Never"


def _replacement(old: Resource, new: Resource, details: list[Params], *, follows: bool) -> str:
    recreations = {one["Target"]["RequiresRecreation"] for one in details}
    if old[0] != new[0] or "Always" in recreations:
        return "True"
    return "Conditional" if follows or "Conditionally" in recreations else "False"
