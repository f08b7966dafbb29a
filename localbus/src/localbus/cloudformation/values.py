"""What the resources of a stack have for those that refer to them."""

from __future__ import annotations

from typing import Any

from localbus.cloudformation.plan import Plan, Value
from localbus.cloudformation.stack import Stack
from localbus.cloudformation.template.intrinsic_functions import template_error


class Values:
    """What `Ref` and `Fn::GetAtt` give for the resources of a stack, as far as they are there."""

    def __init__(self, stack: Stack, plan: Plan, *, leave_upstream: bool) -> None:
        self._stack = stack
        self._plan = plan
        self._leave_upstream = leave_upstream

    def ref(self, logical_id: str) -> Any:
        """The physical id, or what the upstream says."""
        if self._plan.is_local(logical_id):
            return self._stack.resources[logical_id].physical_id
        return self._upstream((logical_id, None))

    def attribute(self, logical_id: str, name: str) -> Any:
        """The attribute, as the type or the upstream knows it."""
        if not self._plan.is_local(logical_id):
            return self._upstream((logical_id, name))
        attributes = self._stack.resources[logical_id].attributes
        if name not in attributes:
            raise template_error(f"resource {logical_id} does not support attribute type {name} in Fn::GetAtt")
        return attributes[name]

    def _upstream(self, value: Value) -> str | None:
        shadow = self._stack.shadow
        return None if self._leave_upstream or shadow is None else shadow.values.get(value)
