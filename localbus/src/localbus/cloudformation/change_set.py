"""A change set: a plan to be executed, and the changes it would make, with and without their values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from localbus.cloudformation.changes import changes_between
from localbus.cloudformation.plan import Plan
from localbus.cloudformation.stack import Stack
from localbus.cloudformation.stack_resource import stored_time, time_document
from localbus.ids import new_id
from localbus.protocol.service_model import Params
from localbus.storage.documents import Document
from localbus.storage.storage import Storage

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
CHANGE_SET = "cloudformation.change_set"  # a kind of records: change sets by id
_PLAIN = ("name", "kind", "request", "id", "execution", "changes")


@dataclass
class ChangeSet:
    """A change set of a stack. `request` holds the parameters of CreateChangeSet.

    `changes` are those without and those with the values of properties; there are none if nothing changes.
    """

    name: str
    stack: Stack
    kind: Literal["CREATE", "UPDATE"]
    get_plan: Callable[[], Plan]
    request: Params
    created_at: datetime
    id: str
    execution: str
    changes: list[list[Params]]

    @property
    def plan(self) -> Plan:
        """The plan that its execution applies."""
        return self.get_plan()

    @property
    def has_changes(self) -> bool:
        """True if it can be executed."""
        return bool(self.changes)

    @property
    def is_executed(self) -> bool:
        """True once its execution has begun."""
        return self.execution.startswith("EXECUTE_")

    def document(self) -> Document:
        """The change set for the storage."""
        found = {name: getattr(self, name) for name in _PLAIN}
        created_at = time_document(self.created_at)
        return found | {"stack": self.stack.id, "plan": self.plan.document(), "created_at": created_at}

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


def new_change_set(
    stack: Stack, kind: Literal["CREATE", "UPDATE"], plan: Plan, request: Params, *, has_changes: bool
) -> ChangeSet:
    """A change set by the parameters of CreateChangeSet."""
    name, caller = request["ChangeSetName"], stack.caller
    return ChangeSet(
        name,
        stack,
        kind,
        lambda: plan,
        {key: value for key, value in request.items() if key != "TemplateBody"},
        stack.now(),
        f"arn:aws:cloudformation:{caller.region}:{caller.account}:changeSet/{name}/{new_id()}",
        "AVAILABLE" if has_changes else "UNAVAILABLE",
        [changes_between(stack, stack.plan, plan, with_values=one) for one in (False, True) if has_changes],
    )


class ChangeSets:
    """The change sets of all stacks."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.by_id: dict[str, ChangeSet] = {}

    def add(self, change_set: ChangeSet) -> None:
        """Add a change set."""
        self.by_id[change_set.id] = change_set
        self._save(change_set)

    def _save(self, change_set: ChangeSet) -> None:
        self._storage.save(CHANGE_SET, change_set.id, change_set.document)

    def delete(self, change_set: ChangeSet) -> None:
        """Delete a change set."""
        del self.by_id[change_set.id]
        self._storage.delete(CHANGE_SET, change_set.id)

    def restore(self, document: Document, stack: Stack, get_plan: Callable[[], Plan]) -> None:
        """Add the change set of a document."""
        created_at = stored_time(document["created_at"]) or stack.created_at
        plain = {name: document[name] for name in _PLAIN}
        found = ChangeSet(stack=stack, get_plan=get_plan, created_at=created_at, **plain)
        self.by_id[found.id] = found

    def resume(self) -> None:
        """Follow the executions that a restart has interrupted."""
        for one in self.by_id.values():
            if one.execution == "EXECUTE_IN_PROGRESS":
                self.begin(one)

    def begin(self, change_set: ChangeSet) -> None:
        """Follow the stack's task, which the execution has started, to its end."""
        change_set.execution = "EXECUTE_IN_PROGRESS"
        self._save(change_set)
        task = change_set.stack.task
        if task is None:  # it had ended before a restart
            self._end(change_set)
        else:
            task.add_done_callback(lambda _: self._end(change_set))

    def _end(self, change_set: ChangeSet) -> None:
        status = change_set.stack.status
        if status.endswith("_IN_PROGRESS"):  # the engine stops
            return
        change_set.execution = "EXECUTE_FAILED" if "ROLLBACK" in status or "FAILED" in status else "EXECUTE_COMPLETE"
        self._save(change_set)

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
                self.delete(one)
