"""Creates and updates the upstream's part of a stack, and records the upstream's events as the stack's own."""

from __future__ import annotations

from typing import Any

from localbus.cloudformation.plan import Plan
from localbus.cloudformation.resource_errors import ResourcesFailedError, Verb
from localbus.cloudformation.stack import Stack, StackValues
from localbus.cloudformation.stack_resource import Change, StackResource
from localbus.cloudformation.template.template import Definition
from localbus.cloudformation.upstream_stack import UpstreamStackError
from localbus.protocol.service_model import Params


class UpstreamDeployment:
    """The upstream part of a deployment, as far as the stack's operation has come."""

    def __init__(self, stack: Stack, plan: Plan) -> None:
        self._stack = stack
        self._plan = plan
        self._wanted = plan.upstream_values()
        self._deployed: dict[str, Any] = {}
        if stack.upstream is not None and stack.upstream.resources is not None:
            present = stack.upstream.resources
            self._deployed = {name: present[name] for name in stack.upstream.deployed if name in present}

    async def apply(self, batch: list[str]) -> None:
        """Create and update these resources in one step. Raises ResourcesFailedError."""
        upstream = self._stack.upstream
        assert upstream is not None  # noqa: S101 (make_plan checks it)
        functions = self._plan.functions(StackValues(self._stack, self._plan, local_only=True))
        values = StackValues(self._stack, self._plan)
        failed_before = [one.logical_id for one in self._stack.resources.values() if one.status.endswith("_FAILED")]
        is_update = upstream.exists
        for name in batch:
            definition = self._plan.active[name]
            self._deployed[name] = self._definition(functions.resolve, definition, batch)
            before = resource = self._stack.resources.get(name)
            if before is None or resource is None or before.local or not before.exists:
                resource = StackResource(name, definition.type, local=False)
                self._stack.put_resource(resource)
            if before is not None and before.local and before.exists:  # its type was a local one
                self._stack.obsolete_resources.append(before)
                self._stack.add_change(Change("replaced", before, resource))
            resource.type, resource.needs = definition.type, frozenset(self._plan.needs[name])
            resource.deletion_policy = definition.deletion_policy or "Delete"
            resource.shown_properties = self._plan.shown_properties(definition, values)
            self._stack.save_resource(name)
        resources = dict(upstream.resources_before or {}) | self._deployed
        upstream.deployed = list(self._deployed)
        try:
            await upstream.deploy(resources, self._wanted, self._stack.tags)
        except UpstreamStackError as exc:
            raise self._upstream_failure(exc, batch, failed_before, "update" if is_update else "create") from exc
        for name in batch:
            resource = self._stack.resources[name]
            resource.physical_id = upstream.physical_ids.get(name, resource.physical_id)
            self._stack.save_resource(name)
            if not resource.status.endswith("_COMPLETE"):
                self._stack.set_resource_status(resource, "CREATE_COMPLETE")

    def _definition(self, resolve: Any, definition: Definition, batch: list[str]) -> Params:
        """The resource in the upstream stack's template."""
        deployed = set(batch) | set(self._deployed)
        depends_on = [one for one in definition.depends_on if one in deployed]
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
                found[key] = value
        return found

    def _upstream_failure(
        self, error: UpstreamStackError, batch: list[str], failed_before: list[str], verb: Verb
    ) -> ResourcesFailedError:
        """The failed resources. If the upstream rejected the whole stack: those that its message names, or all."""
        resources = self._stack.resources
        failed = [name for name in batch if resources[name].status.endswith("_FAILED") and name not in failed_before]
        if not failed:
            text = str(error)
            failed = [name for name in batch if name in text or resources[name].type in text] or batch
            for name in failed:
                self._stack.set_resource_status(resources[name], f"{verb.upper()}_FAILED", text)
        return ResourcesFailedError(verb, failed)

    async def clean_up(self) -> None:
        """Delete the upstream resources that the plan no longer has. Raises UpstreamStackError."""
        upstream = self._stack.upstream
        if upstream is None or not upstream.exists:
            return
        gone = [name for name, one in self._stack.resources.items() if not one.local and name not in self._deployed]
        if not self._deployed:
            await upstream.delete()
        elif set(upstream.resources_before or {}) - set(self._deployed):
            await upstream.deploy(self._deployed, self._wanted, self._stack.tags)
        for name in gone:
            self._stack.remove_resource(name)

    async def roll_back(self) -> None:
        """Restore the upstream stack. Raises ResourcesFailedError."""
        upstream = self._stack.upstream
        if upstream is None or not (upstream.exists or upstream.resources_before):
            return
        upstream.publish_rollback_events()
        before = upstream.resources_before
        try:
            if before is None:
                await upstream.delete()
            elif upstream.differs_from_before:
                await upstream.deploy(before, upstream.values_before, self._stack.tags)
        except UpstreamStackError as exc:
            raise ResourcesFailedError("update", sorted(self._deployed)) from exc
        for name, one in list(self._stack.resources.items()):
            if not one.local and name not in (before or {}):
                self._stack.remove_resource(name)
