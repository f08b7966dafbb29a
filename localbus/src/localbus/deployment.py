"""Brings a stack from what it is to what a plan wants, and back again when that fails.

Resources of this engine are made one after the other, each once what it needs is there. The others go upstream in as
few steps as their dependencies allow: for most templates one.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from localbus.errors import AwsError
from localbus.handler_errors import PlainReasonError, reason_of
from localbus.model import Params
from localbus.resource_type import ResourceType, Site
from localbus.resource_types import RESOURCE_TYPES
from localbus.shadow_stack import ShadowFailedError
from localbus.stack import Stack, StackResource
from localbus.stack_plan import Plan, Value
from localbus.template import Definition
from localbus.template_functions import Left, template_error

Verb = Literal["create", "update"]


class ResourcesFailedError(Exception):
    """Resources could not be made or changed; the message is the stack's reason."""

    def __init__(self, verb: Verb, logical_ids: list[str]) -> None:
        super().__init__(f"The following resource(s) failed to {verb}: [{', '.join(logical_ids)}].")


class AbortedError(Exception):
    """Somebody wants something else of the stack."""


@dataclass(frozen=True)
class Change:
    """What was done with one resource of this engine: `before` is what it was, None when it is new."""

    kind: Literal["created", "updated", "replaced"]
    before: StackResource | None
    after: StackResource


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


class Deployment:
    """One way of a stack to a plan."""

    def __init__(self, stack: Stack, plan: Plan, site: Site) -> None:
        self._stack = stack
        self._plan = plan
        self._site = site
        self._changes: list[Change] = []
        self._shadow_before = stack.shadow.resources if stack.shadow else None
        self._values_before = dict(stack.shadow.values) if stack.shadow else {}
        self._wanted = plan.upstream_values()
        self._flushed: dict[str, Any] = {}
        self._new: set[str] = set()  # of what is being deployed upstream
        self._unchanged: set[str] = set()

    async def apply(self) -> None:
        """Make and change what the plan wants. Raises ResourcesFailedError, and AbortedError when told to stop."""
        waiting, done = list(self._plan.order), set[str]()
        while waiting:
            ready = next((one for one in waiting if self._plan.is_local(one) and self._plan.needs[one] <= done), None)
            batch = [ready] if ready else self._upstream_batch(waiting, done)
            if self._stack.is_aborted:
                raise AbortedError
            if ready:
                await self._apply_local(self._plan.active[ready])
                await asyncio.sleep(0)  # others have requests too
            else:
                await self._apply_upstream(batch)
            done.update(batch)
            waiting = [one for one in waiting if one not in done]

    def _upstream_batch(self, waiting: list[str], done: set[str]) -> list[str]:
        """Everything upstream that needs nothing but what is done and what goes with it."""
        batch: list[str] = []
        for one in waiting:
            if not self._plan.is_local(one) and self._plan.needs[one] <= done | set(batch):
                batch.append(one)
        return batch

    # Resources of this engine

    async def _apply_local(self, definition: Definition) -> None:
        name = definition.logical_id
        before = self._stack.resources.get(name)
        kind = RESOURCE_TYPES[definition.type]
        resource = StackResource(
            name,
            definition.type,
            local=True,
            needs=frozenset(self._plan.needs[name]),
            deletion_policy=self._plan.policy(definition.deletion_policy),
            update_replace_policy=self._plan.policy(definition.update_replace_policy),
        )
        is_update = before is not None and before.is_there and before.type == definition.type
        try:
            resource.properties = self._properties(kind, definition)
            if before is None or not is_update:
                await self._create(kind, resource, before)
            elif before.properties == resource.properties and before.status != "UPDATE_FAILED":
                self._keep(resource, before)
            elif kind.must_replace(before.properties, resource.properties):
                _check_name(kind, before, resource)
                await self._create(kind, resource, before)
            else:
                await self._update(kind, resource, before)
        except Exception as exc:  # the boundary: whatever failed becomes the resource's reason
            verb: Verb = "update" if is_update else "create"
            failed = before if before is not None and is_update else resource
            self._stack.resources[name] = failed
            self._stack.note(failed, f"{verb.upper()}_FAILED", reason_of(name, definition.type, exc))
            raise ResourcesFailedError(verb, [name]) from exc

    def _properties(self, kind: ResourceType, definition: Definition) -> Params:
        functions = self._plan.functions(Values(self._stack, self._plan, leave_upstream=False))
        try:
            properties: Params = functions.resolve(dict(definition.properties))
        except AwsError as exc:
            raise PlainReasonError(exc.message) from exc
        for value in _all_values(properties):
            if isinstance(value, Left):
                raise PlainReasonError(f"{json.dumps(value)} cannot be resolved: the upstream does not say what it is.")
        if kind.takes_tags and self._stack.tags:
            own = {tag["Key"] for tag in properties.get("Tags", []) if isinstance(tag, dict) and "Key" in tag}
            inherited = [tag for tag in self._stack.tags if tag["Key"] not in own]
            properties["Tags"] = [*properties.get("Tags", []), *inherited]
        kind.check(properties)
        return properties

    def _keep(self, resource: StackResource, before: StackResource) -> None:
        before.needs, before.deletion_policy = resource.needs, resource.deletion_policy
        before.update_replace_policy = resource.update_replace_policy

    async def _create(self, kind: ResourceType, resource: StackResource, before: StackResource | None) -> None:
        self._stack.resources[resource.logical_id] = resource
        replaced = before is not None and before.is_there
        verb = "UPDATE" if replaced else "CREATE"
        reason = "Requested update requires the creation of a new physical resource; hence creating one."
        self._stack.note(resource, f"{verb}_IN_PROGRESS", reason if replaced else "")
        try:
            made = await kind.create(replace(self._site, logical_id=resource.logical_id), resource.properties)
        except BaseException:
            if before is not None and replaced:
                self._stack.resources[resource.logical_id] = before
            raise
        resource.attributes = made.attributes
        self._stack.note(resource, f"{verb}_IN_PROGRESS", "Resource creation Initiated", made.physical_id)
        self._stack.note(resource, f"{verb}_COMPLETE")
        self._changes.append(Change("replaced" if replaced else "created", before if replaced else None, resource))
        if replaced and before is not None:
            self._stack.leftovers.append(before)

    async def _update(self, kind: ResourceType, resource: StackResource, before: StackResource) -> None:
        kept = replace(before)
        self._stack.note(before, "UPDATE_IN_PROGRESS")
        # First, since it may fail half-way, and is then taken back from all that was wanted.
        self._changes.append(Change("updated", kept, before))
        before.properties = resource.properties
        site = replace(self._site, logical_id=resource.logical_id)
        before.attributes = (await kind.update(site, kept.made, kept.properties, resource.properties)).attributes
        self._keep(resource, before)
        self._stack.note(before, "UPDATE_COMPLETE")

    # Resources of the upstream

    async def _apply_upstream(self, batch: list[str]) -> None:
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

    # After the plan is carried out, or has failed

    @property
    def unwanted(self) -> list[StackResource]:
        """The resources of this engine that the plan no longer has."""
        return [one for name, one in self._stack.resources.items() if one.local and not self._wants(one, name)]

    def _wants(self, resource: StackResource, name: str) -> bool:
        return name in self._plan.active and self._plan.is_local(name) == resource.local

    async def clean_up_upstream(self) -> None:
        """Delete upstream what the plan no longer has. Raises ShadowFailedError."""
        shadow = self._stack.shadow
        if shadow is None or not shadow.is_there:
            return
        gone = [name for name, one in self._stack.resources.items() if not one.local and not self._wants(one, name)]
        if not self._flushed:
            await shadow.delete(self.tell)
        elif set(self._shadow_before or {}) - set(self._flushed):
            await shadow.deploy(self._flushed, self._wanted, self._stack.tags, self.tell)
        for name in gone:
            del self._stack.resources[name]

    async def take_back(self) -> None:
        """Undo the changes of this engine's resources that can be undone in place, the last first, and the upstream's.

        What was newly made joins the leftovers. Raises ResourcesFailedError.
        """
        failed: list[str] = []
        for change in reversed(self._changes):
            name = change.after.logical_id
            if change.kind == "updated" and change.before is not None:
                if not await self._update_back(change.before, change.after):
                    failed.append(name)
                continue
            self._stack.leftovers.append(change.after)
            if change.before is None:
                del self._stack.resources[name]
            else:
                self._stack.leftovers.remove(change.before)
                self._stack.resources[name] = change.before
        await self._take_back_upstream()
        if failed:
            raise ResourcesFailedError("update", failed)

    async def _update_back(self, before: StackResource, after: StackResource) -> bool:
        self._stack.note(after, "UPDATE_IN_PROGRESS")
        try:
            site = replace(self._site, logical_id=after.logical_id)
            made = await RESOURCE_TYPES[after.type].update(site, after.made, after.properties, before.properties)
        except Exception as exc:  # noqa: BLE001 (the same boundary)
            self._stack.note(after, "UPDATE_FAILED", reason_of(after.logical_id, after.type, exc))
            return False
        after.properties, after.attributes = before.properties, made.attributes
        self._keep(before, after)
        self._stack.note(after, "UPDATE_COMPLETE")
        return True

    async def _take_back_upstream(self) -> None:
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


def _check_name(kind: ResourceType, before: StackResource, after: StackResource) -> None:
    """A name that is given cannot belong to two at once, and the old one goes only when all is done."""
    name = kind.name_property
    if (
        name is not None
        and after.properties.get(name) is not None
        and before.properties.get(name) == after.properties[name]
    ):
        text = (
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
            f"Rename {after.properties[name]} and update the stack again."
        )
        raise PlainReasonError(text)


def _all_values(value: Any) -> list[Any]:
    found = [value]
    if isinstance(value, dict):
        found += [one for item in value.values() for one in _all_values(item)]
    elif isinstance(value, list):
        found += [one for item in value for one in _all_values(item)]
    return found
