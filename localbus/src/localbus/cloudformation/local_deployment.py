"""Makes and changes the resources of this engine, one at a time, and changes them back."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from localbus.cloudformation.plan import Plan
from localbus.cloudformation.resource_errors import PlainReasonError, ResourcesFailedError, Verb, reason_of
from localbus.cloudformation.resources.base import ResourceType, Site
from localbus.cloudformation.resources.registry import RESOURCE_TYPES
from localbus.cloudformation.stack import Stack, StackResource
from localbus.cloudformation.template.intrinsic_functions import Left
from localbus.cloudformation.template.template import Definition
from localbus.cloudformation.values import Values
from localbus.errors import AwsError
from localbus.protocol.service_model import Params


@dataclass(frozen=True)
class Change:
    """What was done with one resource: `before` is what it was, None when it is new."""

    kind: Literal["created", "updated", "replaced"]
    before: StackResource | None
    after: StackResource


class LocalDeployment:
    """This engine's part of a stack's way to a plan. `changes` is what has been done, in its order."""

    def __init__(self, stack: Stack, plan: Plan, site: Site) -> None:
        self._stack = stack
        self._plan = plan
        self._site = site
        self.changes: list[Change] = []

    async def apply(self, definition: Definition) -> None:
        """Make or change one resource, where it is not as it should be. Raises ResourcesFailedError."""
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
            given = properties.get("Tags", [])
            own = {tag.get("Key") for tag in given if isinstance(tag, dict)} if isinstance(given, list) else set()
            inherited = [tag for tag in self._stack.tags if tag["Key"] not in own]
            properties["Tags"] = [*given, *inherited] if isinstance(given, list) else given
        return kind.checked(properties)

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
        self.changes.append(Change("replaced" if replaced else "created", before if replaced else None, resource))
        if replaced and before is not None:
            self._stack.leftovers.append(before)

    async def _update(self, kind: ResourceType, resource: StackResource, before: StackResource) -> None:
        kept = replace(before)
        self._stack.note(before, "UPDATE_IN_PROGRESS")
        # First, since it may fail half-way, and is then taken back from all that was wanted.
        self.changes.append(Change("updated", kept, before))
        before.properties = resource.properties
        site = replace(self._site, logical_id=resource.logical_id)
        before.attributes = (await kind.update(site, kept.made, kept.properties, resource.properties)).attributes
        self._keep(resource, before)
        self._stack.note(before, "UPDATE_COMPLETE")

    async def take_back(self) -> list[str]:
        """Change back what was changed in its place, the last first, and say what could not be.

        What was newly made joins the leftovers; what it replaced is the stack's again.
        """
        failed: list[str] = []
        for change in reversed(self.changes):
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
        return failed

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
