"""All change sets, by their ids and by their names in a stack."""

from __future__ import annotations

from localbus.cloudformation.change_set import ChangeSet
from localbus.cloudformation.stack import Stack


class ChangeSets:
    """The change sets of all stacks."""

    def __init__(self) -> None:
        self._by_id: dict[str, ChangeSet] = {}

    def add(self, change_set: ChangeSet) -> None:
        """Remember one."""
        self._by_id[change_set.id] = change_set

    def remove(self, change_set: ChangeSet) -> None:
        """Forget one."""
        del self._by_id[change_set.id]

    def by_id(self, change_set_id: str) -> ChangeSet | None:
        """The one of that id."""
        return self._by_id.get(change_set_id)

    def of(self, stack: Stack) -> list[ChangeSet]:
        """Those of a stack."""
        return [one for one in self._by_id.values() if one.stack is stack]

    def look_up(self, name: str, stack: Stack) -> ChangeSet | None:
        """The one of that name, if the stack has it."""
        return next((one for one in self.of(stack) if one.name == name), None)

    def forget(self, stack: Stack, but: ChangeSet | None = None) -> None:
        """Forget those of a stack, which no longer is what they would have changed."""
        for one in self.of(stack):
            if one is not but:
                self.remove(one)
