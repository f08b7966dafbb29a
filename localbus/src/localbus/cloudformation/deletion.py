"""The deletion of a stack's resources: all of them, or those that an update left obsolete."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from localbus.cloudformation.resource_errors import status_reason
from localbus.cloudformation.resources.base import ResourceContext
from localbus.cloudformation.resources.registry import RESOURCE_TYPES
from localbus.cloudformation.stack import Stack
from localbus.cloudformation.stack_resource import StackResource
from localbus.cloudformation.template.dependencies import in_order
from localbus.cloudformation.upstream_stack import UpstreamStackError
from localbus.errors import AwsError


@dataclass(frozen=True)
class Deletion:
    """A deletion. The resources with logical ids in `retained` are left as they are."""

    stack: Stack
    context: ResourceContext
    retained: Collection[str] = ()
    after_failed_creation: bool = False

    async def delete_all(self) -> list[str]:
        """Delete every resource, dependents first. Returns the logical ids that could not be deleted."""
        resources = self.stack.resources
        failed = await self.delete_obsolete()
        order = _creation_order(resources)[::-1]
        dependents = _dependents_of_upstream(resources)
        failed += await self._delete_each([one for one in order if one.logical_id in dependents], failed)
        if self.stack.upstream is None:
            failed += self._upstream_failed("Start localbus with --upstream URL, the engine that has this resource.")
        elif self.stack.upstream.exists:
            retained = [name for name in self.retained if name not in resources or not resources[name].local]
            try:
                await self.stack.upstream.delete(retained)
            except UpstreamStackError as exc:
                failed += self._upstream_failed(str(exc))
            else:
                self._upstream_deleted(retained)
        failed += await self._delete_each([one for one in order if one.logical_id not in dependents], failed)
        return failed

    async def delete_obsolete(self) -> list[str]:
        """Delete the replaced and removed resources. Returns the logical ids that could not be deleted."""
        failed = []
        obsolete = self.stack.obsolete_resources
        while obsolete:
            one = obsolete[-1]
            one.shown_properties = ""  # AWS does not show those that the stack no longer has
            policy = one.update_replace_policy if one.logical_id in self.stack.resources else one.deletion_policy
            if one.local and one.exists and not await self._delete(one, policy):
                failed.append(one.logical_id)
            obsolete.remove(one)
            self.stack.save()
            await asyncio.sleep(0)  # let other requests run
        return failed

    async def _delete_each(self, resources: list[StackResource], failed_before: list[str]) -> list[str]:
        failed: list[str] = []
        for one in resources:
            dependents = {other.logical_id for other in self.stack.resources.values() if one.logical_id in other.needs}
            if not one.local or dependents.intersection([*failed_before, *failed]):
                continue
            if not one.exists:
                if one.status in {"CREATE_FAILED", "CREATE_IN_PROGRESS"}:
                    self.stack.set_resource_status(one, "DELETE_COMPLETE")
            elif not await self._delete(one, one.deletion_policy):
                failed.append(one.logical_id)
            await asyncio.sleep(0)
        return failed

    async def _delete(self, resource: StackResource, policy: str) -> bool:
        kept = policy == "Retain" or (policy == "RetainExceptOnCreate" and not self.after_failed_creation)
        if kept or resource.logical_id in self.retained:
            self.stack.set_resource_status(resource, "DELETE_SKIPPED")
            return True
        self.stack.set_resource_status(resource, "DELETE_IN_PROGRESS")
        try:
            await RESOURCE_TYPES[resource.type].delete(resource.context(self.context), resource.properties)
        except Exception as exc:  # noqa: BLE001 (the boundary: any error becomes the resource's reason)
            reason = status_reason(resource.logical_id, resource.type, exc)
            self.stack.set_resource_status(resource, "DELETE_FAILED", reason)
            return False
        self.stack.set_resource_status(resource, "DELETE_COMPLETE")
        return True

    def _upstream_deleted(self, retained: list[str]) -> None:
        """Complete the deletion of resources that the upstream had lost, and so has no events of."""
        for one in self.stack.resources.values():
            if not one.local and one.exists and one.logical_id not in retained and one.status != "DELETE_SKIPPED":
                self.stack.set_resource_status(one, "DELETE_COMPLETE")

    def _upstream_failed(self, reason: str) -> list[str]:
        others = [one for one in self.stack.resources.values() if not one.local and one.exists]
        failed = [one.logical_id for one in others if one.status == "DELETE_FAILED"]
        if failed:
            return failed
        for one in others:
            self.stack.set_resource_status(one, "DELETE_FAILED", reason)
        return [one.logical_id for one in others]


def _creation_order(resources: dict[str, StackResource]) -> list[StackResource]:
    needs = {name: set(one.needs & resources.keys()) for name, one in resources.items()}
    try:
        return [resources[name] for name in in_order(needs)]
    except AwsError:  # an update that failed half-way may leave old and new needs that form a circle
        return list(resources.values())


def _dependents_of_upstream(resources: dict[str, StackResource]) -> set[str]:
    """The resources that depend on upstream resources, directly or indirectly."""
    upstream = {name for name, one in resources.items() if not one.local}
    dependents: set[str] = set()
    while True:
        more = {name for name, one in resources.items() if one.needs & (upstream | dependents)} - dependents
        if not more:
            return dependents
        dependents |= more
