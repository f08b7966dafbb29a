"""All stacks by name and id, and the exports between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial

from localbus.cloudformation.plan import Plan
from localbus.cloudformation.stack import CHANGE, EVENT, PLAN, RESOURCE, STACK, UPSTREAM, Operation, Stack
from localbus.cloudformation.stack_resource import StackResource, stored_time
from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.storage.documents import Document
from localbus.storage.storage import Storage

NO_STACK = "Stack [{}] does not exist"
_WITHOUT_RESOURCES = {"DELETE_COMPLETE", "ROLLBACK_COMPLETE"}


class Stacks:
    """The stacks of every account and region. Deleted ones are found by their ids only."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._by_id: dict[str, Stack] = {}

    def add(self, stack: Stack) -> None:
        """Add a stack."""
        self._by_id[stack.id] = stack
        stack.keep_in(self._storage)

    def restore(self, new_stack: Callable[[str, Document], Stack], plan_of: Callable[[Stack, Document], Plan]) -> None:
        """Read all stacks from the storage. `new_stack` makes an empty one of its id and its document."""
        records = {kind: self._owned(kind) for kind in (PLAN, RESOURCE, CHANGE, EVENT, UPSTREAM)}
        for _, stack_id, document in self._storage.records(STACK):
            self._by_id[stack_id] = stack = new_stack(stack_id, document)
            plans = {name: partial(plan_of, stack, one) for name, one in records[PLAN][stack_id].items()}
            stack.restore(document, plans, self._storage)
            resources = records[RESOURCE][stack_id]
            for name in document["resources"]:
                stack.resources[name] = StackResource.restored(resources[name])
            for name, one in records[CHANGE][stack_id].items():
                stack.restore_change(name, one)
            for one in records[EVENT][stack_id].values():
                stack.events.append(one | {"Timestamp": stored_time(one["Timestamp"])})
            if stack.upstream is not None and stack_id in records[UPSTREAM]:
                stack.upstream.restore(records[UPSTREAM][stack_id][""])
            if document["parent"]:  # created before its nested stacks
                stack.parent = self._by_id[document["parent"]]

    def _owned(self, kind: str) -> dict[str, dict[str, Document]]:
        """The documents of a kind by their stacks and keys."""
        found = defaultdict[str, dict[str, Document]](dict)
        for owner, key, document in self._storage.records(kind):
            found[owner][key] = document
        return found

    def unfinished(self) -> list[tuple[Stack, Operation]]:
        """The stacks whose operation is not under way again after a restart."""
        return [(one, one.operation) for one in self._by_id.values() if one.operation is not None and one.task is None]

    def by_id(self, stack_id: str) -> Stack:
        """The stack of an id that exists."""
        return self._by_id[stack_id]

    def nested_in(self, parent: Stack) -> list[Stack]:
        """The nested stacks of a stack."""
        return [one for one in self._by_id.values() if one.parent is parent]

    def of(self, caller: Caller) -> Iterator[Stack]:
        """The stacks of the caller's account and region, the latest first."""
        for stack in reversed(list(self._by_id.values())):
            if (stack.caller.account, stack.caller.region) == (caller.account, caller.region):
                yield stack

    def look_up(self, name: str, caller: Caller) -> Stack | None:
        """The stack of that name or id; None if it does not exist."""
        for stack in self.of(caller):
            if stack.id == name or (stack.name == name and not stack.is_deleted):
                return stack
        return None

    def find(self, name: str, caller: Caller, message: str = "Stack with id {} does not exist") -> Stack:
        """The stack of that name or id. Raises AwsError with this message."""
        found = self.look_up(name, caller)
        if found is None:
            raise AwsError("ValidationError", message.format(name))
        return found

    def check_available(self, name: str, caller: Caller) -> None:
        """Raise AwsError if a stack has that name, or if it is an id, which only an existing stack has."""
        if self.look_up(name, caller) is not None:
            raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
        if name.startswith("arn:"):
            raise AwsError("ValidationError", NO_STACK.format(name))

    def exports(self, caller: Caller) -> list[Params]:
        """The exports of all stacks, by name."""
        found = [
            {"ExportingStackId": stack.id, "Name": output["ExportName"], "Value": output["OutputValue"]}
            for stack in self.of(caller)
            if not stack.is_deleted
            for output in stack.outputs
            if "ExportName" in output
        ]
        return sorted(found, key=lambda export: export["Name"])

    def import_value(self, name: str, caller: Caller) -> str | None:
        """The value of an export; None if there is none."""
        for export in self.exports(caller):
            if export["Name"] == name:
                return str(export["Value"])
        return None

    def importers(self, name: str, caller: Caller) -> list[str]:
        """The names of the stacks that import an export."""
        return [
            stack.name
            for stack in self.of(caller)
            if stack.status not in _WITHOUT_RESOURCES and stack.plan is not None and name in stack.plan.imports
        ]

    def check_exports(self, stack: Stack, outputs: list[Params]) -> None:
        """Raise AwsError if a stack's new outputs export another's name, or change or remove an export in use."""
        exports = {output["ExportName"]: output["OutputValue"] for output in outputs if "ExportName" in output}
        for other in self.exports(stack.caller):
            if other["Name"] in exports and other["ExportingStackId"] != stack.id:
                owner = other["ExportingStackId"].split("/")[1]
                text = f"Export with name {other['Name']} is already exported by stack {owner}."
                raise AwsError("ValidationError", text)
        used = self.export_in_use(stack, outputs)
        if used is not None:
            verb = "updated" if used[0] in exports else "deleted"
            raise AwsError("ValidationError", f"Export {used[0]} cannot be {verb} as it is in use by {used[1]}")

    def export_in_use(self, stack: Stack, outputs: list[Params]) -> tuple[str, str] | None:
        """The first export that a stack's new outputs change or remove although others import it, and their names."""
        exports = {output["ExportName"]: output["OutputValue"] for output in outputs if "ExportName" in output}
        for output in stack.outputs:
            name = output.get("ExportName")
            if name is not None and exports.get(name) != output["OutputValue"]:
                users = self.importers(name, stack.caller)
                if users:
                    return name, ", ".join(users)
        return None
