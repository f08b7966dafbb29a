"""Has the upstream make and change its part of a stack, and tells what it says of that as the stack's own events."""

from __future__ import annotations

from typing import Any

from localbus.cloudformation.local_deployment import Change
from localbus.cloudformation.plan import Plan
from localbus.cloudformation.resource_errors import ResourcesFailedError, Verb
from localbus.cloudformation.stack import Stack, StackResource
from localbus.cloudformation.template.template import Definition
from localbus.cloudformation.upstream_stack import ShadowFailedError
from localbus.cloudformation.values import Values
from localbus.protocol.service_model import Params


class UpstreamDeployment:
    """The upstream's part of a stack's way to a plan."""

    def __init__(self, stack: Stack, plan: Plan, changes: list[Change]) -> None:
        self._stack = stack
        self._plan = plan
        self._changes = changes
        self._shadow_before = stack.shadow.resources if stack.shadow else None
        self._values_before = dict(stack.shadow.values) if stack.shadow else {}
        self._wanted = plan.upstream_values()
        self._flushed: dict[str, Any] = {}
        self._new: set[str] = set()  # of what is being deployed
        self._unchanged: set[str] = set()

    async def apply(self, batch: list[str]) -> None:
        """Have these made or changed, in one step. Raises ResourcesFailedError."""
        shadow = self._stack.shadow
        assert shadow is not None  # noqa: S101 (make_plan has seen to it)
        functions = self._plan.functions(Values(self._stack, self._plan, leave_upstream=True))
        failed_before = [one.logical_id for one in self._stack.resources.values() if one.status.endswith("_FAILED")]
        is_update = shadow.is_there
        for name in batch:
            definition = self._plan.active[name]
            self._flushed[name] = self._definition(functions.resolve, definition, batch)
            before = resource = self._stack.resources.get(name)
            if before is None or resource is None or before.local or not before.is_there:
                resource = self._stack.resources[name] = StackResource(name, definition.type, local=False)
            if before is not None and before.local and before.is_there:  # its type was one of ours
                self._stack.leftovers.append(before)
                self._changes.append(Change("replaced", before, resource))
            resource.type, resource.needs = definition.type, frozenset(self._plan.needs[name])
            resource.deletion_policy = self._plan.policy(definition.deletion_policy)
        resources, deployed = dict(self._shadow_before or {}) | self._flushed, shadow.resources or {}
        self._new = set(resources) - set(deployed)
        self._unchanged = {name for name, one in resources.items() if deployed.get(name) == one}
        try:
            await shadow.deploy(resources, self._wanted, self._stack.tags, self.tell)
        except ShadowFailedError as exc:
            raise self._upstream_failure(exc, batch, failed_before, "update" if is_update else "create") from exc
        for name in batch:
            resource = self._stack.resources[name]
            resource.physical_id = shadow.physical_ids.get(name, resource.physical_id)
            if not resource.status.endswith("_COMPLETE"):
                self._stack.note(resource, "CREATE_COMPLETE")

    def _definition(self, resolve: Any, definition: Definition, batch: list[str]) -> Params:
        """The resource as the upstream's template has it."""
        beside = set(batch) | set(self._flushed)
        depends_on = [one for one in definition.depends_on if one in beside]
        found: Params = {"Type": definition.type, **resolve(dict(definition.extras))}
        if definition.properties:
            found["Properties"] = resolve(dict(definition.properties))
        if depends_on:
            found["DependsOn"] = depends_on
        for key, value in (
            ("DeletionPolicy", definition.deletion_policy),
            ("UpdateReplacePolicy", definition.update_replace_policy),
        ):
            if value is not None:
                found[key] = self._plan.policy(value)
        return found

    def tell(self, event: Params) -> None:
        """Take over what the upstream says of one of its resources.

        What its stack calls an update is a creation where our stack has only now come to that resource; and that it
        looks at resources which do not change is nobody's news.
        """
        name, status = event["LogicalResourceId"], event["ResourceStatus"]
        resource = self._stack.resources.get(name)
        if resource is None or resource.local:
            resource = StackResource(name, event["ResourceType"], local=False)
        if name in self._new and status.startswith("UPDATE_"):
            status = status.replace("UPDATE_", "CREATE_", 1)
        elif name in self._unchanged and status in {"UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"}:
            return
        reason, physical_id = event.get("ResourceStatusReason", ""), event.get("PhysicalResourceId") or None
        self._stack.note(resource, status, reason, physical_id)

    def _upstream_failure(
        self, error: ShadowFailedError, batch: list[str], failed_before: list[str], verb: Verb
    ) -> ResourcesFailedError:
        """Which resources failed. Where the upstream refused all of it, those that its words name, or all."""
        resources = self._stack.resources
        failed = [name for name in batch if resources[name].status.endswith("_FAILED") and name not in failed_before]
        if not failed:
            text = str(error)
            failed = [name for name in batch if name in text or resources[name].type in text] or batch
            for name in failed:
                self._stack.note(resources[name], f"{verb.upper()}_FAILED", text)
        return ResourcesFailedError(verb, failed)

    async def clean_up(self) -> None:
        """Delete upstream what the plan no longer has. Raises ShadowFailedError."""
        shadow = self._stack.shadow
        if shadow is None or not shadow.is_there:
            return
        gone = [name for name, one in self._stack.resources.items() if not one.local and name not in self._flushed]
        if not self._flushed:
            await shadow.delete(self.tell)
        elif set(self._shadow_before or {}) - set(self._flushed):
            await shadow.deploy(self._flushed, self._wanted, self._stack.tags, self.tell)
        for name in gone:
            del self._stack.resources[name]

    async def take_back(self) -> None:
        """Bring the upstream's stack back to what it was. Raises ResourcesFailedError."""
        shadow = self._stack.shadow
        if shadow is None or not shadow.is_there:
            return
        shadow.tell_rest(self.tell)
        try:
            if self._shadow_before is None:
                await shadow.delete(self.tell)
            elif shadow.resources != self._shadow_before:
                await shadow.deploy(self._shadow_before, self._values_before, self._stack.tags, self.tell)
        except ShadowFailedError as exc:
            raise ResourcesFailedError("update", sorted(self._flushed)) from exc
        before = self._shadow_before or {}
        for name, one in list(self._stack.resources.items()):
            if not one.local and name not in before:
                del self._stack.resources[name]
