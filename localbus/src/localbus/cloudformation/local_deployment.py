"""Creates and updates local resources, one at a time, and rolls them back."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

from localbus.cloudformation.plan import Plan
from localbus.cloudformation.resource_errors import PlainReasonError, ResourcesFailedError, Verb, status_reason
from localbus.cloudformation.resources.base import ResourceContext, ResourceType
from localbus.cloudformation.resources.registry import RESOURCE_TYPES
from localbus.cloudformation.stack import Stack, StackValues
from localbus.cloudformation.stack_resource import Change, StackResource
from localbus.cloudformation.template.intrinsic_functions import Unresolved
from localbus.cloudformation.template.template import Definition
from localbus.errors import AwsError
from localbus.protocol.service_model import Params

_REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."


class LocalDeployment:
    """The local part of a deployment. What it has changed is in the stack, so that another can go on with it."""

    def __init__(self, stack: Stack, plan: Plan, context: ResourceContext) -> None:
        self._stack = stack
        self._plan = plan
        self._context = context

    async def apply(self, definition: Definition) -> None:
        """Create or update one resource, if it differs from the plan. Raises ResourcesFailedError."""
        name = definition.logical_id
        existing, change = self._stack.resources.get(name), self._stack.changes.get(name)
        if change is not None and not change.after.is_in_progress:
            return  # done before a restart
        before = existing if existing and existing.exists and existing.type == definition.type else None
        resource = StackResource(
            name,
            definition.type,
            local=True,
            needs=frozenset(self._plan.needs[name]),
            deletion_policy=definition.deletion_policy or "Delete",
            update_replace_policy=definition.update_replace_policy or "Delete",
        )
        kind = RESOURCE_TYPES[definition.type]
        try:
            resource.properties = await self._properties(kind, definition, resource)
            if change is not None and change.kind != "updated":
                await self._stabilize(kind, change)
            elif before is None:
                await self._create(kind, resource, existing)
            elif change is None and _is_unchanged(kind, before, resource):
                _copy_settings(resource, before)
                self._stack.save_resource(name)
            elif kind.must_replace(before.properties, resource.properties):
                _check_custom_name(kind, before, resource)
                await self._create(kind, resource, before)
            else:
                await self._update(kind, resource, before)
        except Exception as exc:  # the boundary: any error becomes the resource's reason
            failed, verb = self._failed(existing if existing and existing.exists else None, resource)
            self._stack.put_resource(failed)
            reason = status_reason(name, definition.type, exc)
            self._stack.set_resource_status(failed, f"{verb.upper()}_FAILED", reason)
            raise ResourcesFailedError(verb, [name]) from exc

    async def _properties(self, kind: ResourceType, definition: Definition, resource: StackResource) -> Params:
        """The properties by the plan. Shows them in the resource, without secrets and values that the plan masks."""
        values = StackValues(self._stack, self._plan)
        functions = self._plan.functions(values)
        try:
            properties: Params = functions.resolve(dict(definition.properties))
            if not isinstance(properties, dict):  # a function in place of the properties
                raise PlainReasonError("Properties must be an object.")
            resource.shown_properties = self._plan.shown_properties(definition, values)
            properties = await self._plan.context.resolve_references(properties)
        except AwsError as exc:
            raise PlainReasonError(exc.message) from exc
        for value in _all_values(properties):
            if isinstance(value, Unresolved):
                raise PlainReasonError(f"The upstream returned no value for {json.dumps(value)}.")
        given = properties.get("Tags", [])
        if kind.takes_tags and self._stack.tags and isinstance(given, list):
            keys = [tag.get("Key") for tag in given if isinstance(tag, dict)]
            properties["Tags"] = [*given, *(tag for tag in self._stack.tags if tag["Key"] not in keys)]
        return kind.validated(properties)

    def _failed(self, before: StackResource | None, resource: StackResource) -> tuple[StackResource, Verb]:
        """The resource that has failed: the new one, or the one before, whose replacement becomes obsolete."""
        change = self._stack.changes.get(resource.logical_id)
        if change is None or change.kind == "updated":
            return before or resource, "update" if before else "create"
        if change.before is None:
            return change.after, "create"
        self._undo(change)
        return change.before, "update"

    async def _create(self, kind: ResourceType, resource: StackResource, before: StackResource | None) -> None:
        replaced = before if before is not None and before.exists else None
        verb = "UPDATE" if replaced else "CREATE"
        if replaced:  # it stays in the stack until there is another
            announced = replace(resource, physical_id=replaced.physical_id)
            self._stack.set_resource_status(announced, "UPDATE_IN_PROGRESS", _REPLACING)
        else:
            self._stack.put_resource(resource)
            self._stack.set_resource_status(resource, "CREATE_IN_PROGRESS")
        context = replace(resource.context(self._context), expect=partial(self._stack.expect, resource))
        try:
            created = await kind.create(context, resource.properties)
        except Exception:  # the types delete what they have made
            self._stack.unfinished = None
            raise
        self._stack.unfinished = None
        resource.attributes = created.attributes
        if replaced:
            self._stack.obsolete_resources.append(replaced)
        self._stack.put_resource(resource)
        change = Change("replaced" if replaced else "created", replaced, resource)
        self._stack.add_change(change)
        initiated = "Resource creation Initiated"
        self._stack.set_resource_status(resource, f"{verb}_IN_PROGRESS", initiated, created.physical_id)
        await self._stabilize(kind, change)

    async def _stabilize(self, kind: ResourceType, change: Change) -> None:
        resource = change.after
        resource.attributes = (await kind.stabilize(resource.context(self._context))).attributes
        self._stack.set_resource_status(resource, "UPDATE_COMPLETE" if change.before else "CREATE_COMPLETE")

    async def _update(self, kind: ResourceType, resource: StackResource, before: StackResource) -> None:
        change = self._stack.changes.get(resource.logical_id)
        old = (change and change.before) or replace(before)
        before.shown_properties = resource.shown_properties
        self._stack.set_resource_status(before, "UPDATE_IN_PROGRESS")
        # Noted first: an update that fails half-way is rolled back from all the new properties.
        self._stack.add_change(Change("updated", old, before))
        before.properties = resource.properties
        updated = await kind.update(old.context(self._context), old.properties, resource.properties)
        before.attributes = updated.attributes
        _copy_settings(resource, before)
        self._stack.set_resource_status(before, "UPDATE_COMPLETE")

    async def roll_back(self) -> list[str]:
        """Undo the changes, the last first. Returns the logical ids whose update could not be undone.

        New resources become obsolete; those that they replaced return to the stack.
        """
        for change in reversed(list(self._stack.changes.values())):
            if change.kind != "updated" or change.before is None:
                self._undo(change)
            elif await self._update_back(change.before, change.after):
                self._stack.remove_change(change.after.logical_id)
        return list(self._stack.changes)

    def _undo(self, change: Change) -> None:
        """Make a new resource obsolete, and return the one that it replaced to the stack."""
        name = change.after.logical_id
        self._stack.obsolete_resources.append(change.after)
        if change.before is None:
            self._stack.remove_resource(name)
        else:
            self._stack.obsolete_resources.remove(change.before)
            self._stack.put_resource(change.before)
        self._stack.remove_change(name)

    async def _update_back(self, before: StackResource, after: StackResource) -> bool:
        after.shown_properties = before.shown_properties
        self._stack.set_resource_status(after, "UPDATE_IN_PROGRESS")
        try:
            context, kind = after.context(self._context), RESOURCE_TYPES[after.type]
            restored = await kind.restore(context, after.properties, before.properties)
        except Exception as exc:  # noqa: BLE001 (the same boundary)
            reason = status_reason(after.logical_id, after.type, exc)
            self._stack.set_resource_status(after, "UPDATE_FAILED", reason)
            return False
        after.properties, after.attributes = before.properties, restored.attributes
        _copy_settings(before, after)
        self._stack.set_resource_status(after, "UPDATE_COMPLETE")
        return True


def _is_unchanged(kind: ResourceType, before: StackResource, after: StackResource) -> bool:
    same = before.properties == after.properties and before.status != "UPDATE_FAILED"
    return same and not kind.always_updates


def _copy_settings(source: StackResource, target: StackResource) -> None:
    target.needs, target.deletion_policy = source.needs, source.deletion_policy
    target.update_replace_policy = source.update_replace_policy


def _check_custom_name(kind: ResourceType, before: StackResource, after: StackResource) -> None:
    """Refuse to replace a resource that keeps its name: the new one is created before the old one is deleted."""
    name = after.properties.get(kind.name_property) if kind.name_property else None
    if name is not None and before.properties.get(kind.name_property or "") == name:
        text = "CloudFormation cannot update a stack when a custom-named resource requires replacing."
        raise PlainReasonError(f"{text} Rename {name} and update the stack again.")


def _all_values(value: Any) -> list[Any]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(one for item in items for one in _all_values(item))]
