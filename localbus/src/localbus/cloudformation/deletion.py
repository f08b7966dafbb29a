"""Takes the resources of a stack away: all of them, or what a change has left over."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from localbus.cloudformation.resource_errors import reason_of
from localbus.cloudformation.resources.base import Site
from localbus.cloudformation.resources.registry import RESOURCE_TYPES
from localbus.cloudformation.stack import Stack, StackResource
from localbus.cloudformation.template.dependencies import in_order
from localbus.cloudformation.upstream_stack import ShadowFailedError
from localbus.errors import AwsError
from localbus.protocol.service_model import Params


@dataclass(frozen=True)
class Removal:
    """One removal. `retained` are resources to leave as they are, by logical id."""

    stack: Stack
    site: Site
    retained: Collection[str] = ()
    after_failed_creation: bool = False

    async def remove_all(self, tell: Callable[[Params], None]) -> list[str]:
        """Delete everything, what needs others before these; say what could not be deleted."""
        failed = await self.remove_leftovers()
        order = _order(self.stack.resources)[::-1]
        users = _users_of_upstream(self.stack.resources)
        failed += await self._remove([one for one in order if one.logical_id in users], failed)
        shadow = self.stack.shadow
        if shadow is not None and shadow.is_there:
            try:
                await shadow.delete(tell, [name for name in self.retained if not self._is_local(name)])
            except ShadowFailedError as exc:
                failed += self._failed_upstream(str(exc))
        failed += await self._remove([one for one in order if one.logical_id not in users], failed)
        return failed

    async def remove_leftovers(self) -> list[str]:
        """Delete what was replaced or is no longer wanted; say what could not be deleted."""
        failed = []
        leftovers, self.stack.leftovers = self.stack.leftovers[::-1], []
        for one in leftovers:
            policy = one.update_replace_policy if one.logical_id in self.stack.resources else one.deletion_policy
            if one.local and one.is_there and not await self._delete(one, policy):
                failed.append(one.logical_id)
        return failed

    async def _remove(self, resources: list[StackResource], failed_before: list[str]) -> list[str]:
        failed: list[str] = []
        kept = set(failed_before)
        for one in resources:
            needed_by = {other.logical_id for other in self.stack.resources.values() if one.logical_id in other.needs}
            if not one.local or needed_by & kept:
                continue
            if not one.is_there:
                if one.status == "CREATE_FAILED":
                    self.stack.note(one, "DELETE_COMPLETE")
            elif not await self._delete(one, one.deletion_policy):
                failed.append(one.logical_id)
                kept.add(one.logical_id)
        return failed

    async def _delete(self, resource: StackResource, policy: str) -> bool:
        kept = policy == "Retain" or (policy == "RetainExceptOnCreate" and not self.after_failed_creation)
        if kept or resource.logical_id in self.retained:
            self.stack.note(resource, "DELETE_SKIPPED")
            return True
        self.stack.note(resource, "DELETE_IN_PROGRESS")
        site = replace(self.site, logical_id=resource.logical_id)
        try:
            await RESOURCE_TYPES[resource.type].delete(site, resource.made, resource.properties)
        except Exception as exc:  # noqa: BLE001 (the boundary: whatever failed becomes the resource's reason)
            self.stack.note(resource, "DELETE_FAILED", reason_of(resource.logical_id, resource.type, exc))
            return False
        self.stack.note(resource, "DELETE_COMPLETE")
        return True

    def _is_local(self, name: str) -> bool:
        return name in self.stack.resources and self.stack.resources[name].local

    def _failed_upstream(self, reason: str) -> list[str]:
        others = [one for one in self.stack.resources.values() if not one.local and one.is_there]
        failed = [one for one in others if one.status == "DELETE_FAILED"]
        for one in others:
            if not failed:
                self.stack.note(one, "DELETE_FAILED", reason)
        return [one.logical_id for one in failed or others]


def _order(resources: dict[str, StackResource]) -> list[StackResource]:
    """Each after what it needs, as far as that is still so."""
    try:
        return [
            resources[name]
            for name in in_order({name: set(one.needs & resources.keys()) for name, one in resources.items()})
        ]
    except AwsError:  # a change that failed half-way may leave old and new needs side by side
        return list(resources.values())


def _users_of_upstream(resources: dict[str, StackResource]) -> set[str]:
    """The resources that need something of the upstream, themselves or through others."""
    users: set[str] = set()
    while True:
        more = {
            name
            for name, one in resources.items()
            if name not in users
            and any(need in users or (need in resources and not resources[need].local) for need in one.needs)
        }
        if not more:
            return users
        users |= more
