"""All stacks, by their names and ids, and what they export to each other."""

from __future__ import annotations

from collections.abc import Iterator

from localbus.cloudformation.stack import Stack
from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params


class Stacks:
    """The stacks of every account and region, the deleted ones too: these are found by their ids only."""

    def __init__(self) -> None:
        self._by_id: dict[str, Stack] = {}

    def add(self, stack: Stack) -> None:
        """Remember a stack."""
        self._by_id[stack.id] = stack

    def of(self, caller: Caller) -> Iterator[Stack]:
        """The caller's stacks, the latest first."""
        for stack in reversed(list(self._by_id.values())):
            if (stack.caller.account, stack.caller.region) == (caller.account, caller.region):
                yield stack

    def look_up(self, name: str, caller: Caller) -> Stack | None:
        """The stack of that name or id, if there is one."""
        for stack in self.of(caller):
            if stack.id == name or (stack.name == name and not stack.is_deleted):
                return stack
        return None

    def find(self, name: str, caller: Caller, words: str = "Stack with id {} does not exist") -> Stack:
        """The stack of that name or id; raises AwsError in these words."""
        found = self.look_up(name, caller)
        if found is None:
            raise AwsError("ValidationError", words.format(name))
        return found

    # Exports

    def exports(self, caller: Caller) -> list[Params]:
        """What is exported, by name."""
        found = [
            {"ExportingStackId": stack.id, "Name": output["ExportName"], "Value": output["OutputValue"]}
            for stack in self.of(caller)
            if not stack.is_deleted
            for output in stack.outputs
            if "ExportName" in output
        ]
        return sorted(found, key=lambda export: export["Name"])

    def import_value(self, name: str, caller: Caller) -> str:
        """The value of an export; raises AwsError when there is none."""
        for export in self.exports(caller):
            if export["Name"] == name:
                value: str = export["Value"]
                return value
        raise AwsError("ValidationError", f"No export named {name} found.")

    def importers(self, name: str, caller: Caller) -> list[str]:
        """The names of the stacks that import it."""
        return [
            stack.name
            for stack in self.of(caller)
            if not stack.is_deleted and stack.plan is not None and name in stack.plan.imports
        ]

    def check_exports(self, stack: Stack, outputs: list[Params]) -> None:
        """Raise AwsError where a stack exports what another does, or takes away what another uses."""
        exports = {output["ExportName"]: output["OutputValue"] for output in outputs if "ExportName" in output}
        for other in self.exports(stack.caller):
            if other["Name"] in exports and other["ExportingStackId"] != stack.id:
                owner = other["ExportingStackId"].split("/")[1]
                raise AwsError(
                    "ValidationError", f"Export with name {other['Name']} is already exported by stack {owner}."
                )
        for output in stack.outputs:
            name = output.get("ExportName")
            if name is not None and exports.get(name) != output["OutputValue"]:
                users = self.importers(name, stack.caller)
                if users:
                    verb = "updated" if name in exports else "deleted"
                    text = f"Export {name} cannot be {verb} as it is in use by {', '.join(users)}"
                    raise AwsError("ValidationError", text)
