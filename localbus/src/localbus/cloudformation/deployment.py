"""The deployment of a plan: brings a stack's resources to a plan, and back if that fails.

Local resources are created one after the other, each after those it needs. The others go upstream in as few steps as
their dependencies allow: one for most templates.
"""

from __future__ import annotations

import asyncio

from localbus.cloudformation.local_deployment import LocalDeployment
from localbus.cloudformation.plan import Plan
from localbus.cloudformation.resource_errors import AbortedError, ResourcesFailedError
from localbus.cloudformation.resources.base import ResourceContext
from localbus.cloudformation.stack import Stack
from localbus.cloudformation.upstream_deployment import UpstreamDeployment
from localbus.errors import AwsError


class Deployment:
    """The deployment of one plan to one stack."""

    def __init__(self, stack: Stack, plan: Plan, context: ResourceContext) -> None:
        self._stack = stack
        self._plan = plan
        self._local = LocalDeployment(stack, plan, context)
        self.upstream = UpstreamDeployment(stack, plan)

    async def apply(self) -> None:
        """Create and update the plan's resources.

        Raises ResourcesFailedError, AbortedError if aborted, and AwsError for a missing export or a late creation.
        """
        self._plan.check_imports()
        waiting, done = list(self._plan.order), set[str]()
        while waiting:
            ready = next((one for one in waiting if self._plan.is_local(one) and self._plan.needs[one] <= done), None)
            batch = [ready] if ready else self._upstream_batch(waiting, done)
            if self._stack.is_aborted:
                raise AbortedError
            if ready:
                await self._local.apply(self._plan.active[ready])
                await asyncio.sleep(0)  # let other requests run
            else:
                await self.upstream.apply(batch)
            if self._stack.status == "CREATE_IN_PROGRESS" and self._stack.is_late:
                raise AwsError("ValidationError", "Stack creation time exceeded the specified timeout.")
            done.update(batch)
            waiting = [one for one in waiting if one not in done]

    def _upstream_batch(self, waiting: list[str], done: set[str]) -> list[str]:
        """The upstream resources that need only completed resources and each other."""
        batch: list[str] = []
        for one in waiting:
            if not self._plan.is_local(one) and self._plan.needs[one] <= done | set(batch):
                batch.append(one)
        return batch

    def detach_removed(self) -> None:
        """Move the local resources that the plan no longer has to the obsolete ones."""
        kept = {name for name in self._plan.active if self._plan.is_local(name)}
        for name, one in list(self._stack.resources.items()):
            if one.local and name not in kept:
                self._stack.obsolete_resources.append(self._stack.remove_resource(name))

    async def roll_back(self) -> None:
        """Undo updates in place, and mark new resources as obsolete. Raises ResourcesFailedError."""
        failed = await self._local.roll_back()
        await self.upstream.roll_back()
        if failed:
            raise ResourcesFailedError("update", failed)
