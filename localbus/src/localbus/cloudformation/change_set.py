"""A change set: a plan to be executed, and the changes it would make, with and without their values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from localbus.cloudformation.changes import changes_between
from localbus.cloudformation.plan import Plan
from localbus.cloudformation.stack import Stack
from localbus.ids import new_id
from localbus.protocol.service_model import Params

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


@dataclass
class ChangeSet:
    """A change set of a stack. `request` holds the parameters of CreateChangeSet."""

    name: str
    stack: Stack
    kind: Literal["CREATE", "UPDATE"]
    plan: Plan
    request: Params
    created_at: datetime
    has_changes: bool

    def __post_init__(self) -> None:
        caller = self.stack.caller
        self.id = f"arn:aws:cloudformation:{caller.region}:{caller.account}:changeSet/{self.name}/{new_id()}"
        self.execution = "AVAILABLE" if self.has_changes else "UNAVAILABLE"
        self.changes = {
            with_values: changes_between(self.stack, self.stack.plan, self.plan, with_values=with_values)
            for with_values in (False, True)
            if self.has_changes
        }

    @property
    def is_executed(self) -> bool:
        """True once its execution has begun."""
        return self.execution.startswith("EXECUTE_")

    def begin(self) -> None:
        """Follow the stack's task, which the execution has started."""
        self.execution = "EXECUTE_IN_PROGRESS"
        assert self.stack.task is not None  # noqa: S101 (the execution)
        self.stack.task.add_done_callback(lambda _: self._end())

    def _end(self) -> None:
        status = self.stack.status
        self.execution = "EXECUTE_FAILED" if "ROLLBACK" in status or "FAILED" in status else "EXECUTE_COMPLETE"

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
        return [one for one in self.by_id.values() if one.stack is stack and not one.is_executed]

    def find(self, name: str, stack: Stack) -> ChangeSet | None:
        """The stack's change set of that name."""
        return next((one for one in self.of(stack) if one.name == name), None)

    def delete_of(self, stack: Stack, keep: ChangeSet | None = None) -> None:
        """Delete a stack's change sets, which a change of the stack makes obsolete."""
        for one in self.of(stack):
            if one is not keep:
                del self.by_id[one.id]
