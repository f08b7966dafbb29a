"""Brings a stack from what it is to what a plan wants, and back again when that fails.

Resources of this engine are made one after the other, each once what it needs is there. The others go upstream in as
few steps as their dependencies allow: for most templates one.
"""

from __future__ import annotations

import asyncio

from localbus.cloudformation.local_deployment import LocalDeployment
from localbus.cloudformation.plan import Plan
from localbus.cloudformation.resource_errors import AbortedError, ResourcesFailedError
from localbus.cloudformation.resources.base import Site
from localbus.cloudformation.stack import Stack, StackResource
from localbus.cloudformation.upstream_deployment import UpstreamDeployment


class Deployment:
    """One way of a stack to a plan."""

    def __init__(self, stack: Stack, plan: Plan, site: Site) -> None:
        self._stack = stack
        self._plan = plan
        self._local = LocalDeployment(stack, plan, site)
        self.upstream = UpstreamDeployment(stack, plan, self._local.changes)

    async def apply(self) -> None:
        """Make and change what the plan wants. Raises ResourcesFailedError, and AbortedError when told to stop."""
        waiting, done = list(self._plan.order), set[str]()
        while waiting:
            ready = next((one for one in waiting if self._plan.is_local(one) and self._plan.needs[one] <= done), None)
            batch = [ready] if ready else self._upstream_batch(waiting, done)
            if self._stack.is_aborted:
                raise AbortedError
            if ready:
                await self._local.apply(self._plan.active[ready])
                await asyncio.sleep(0)  # others have requests too
            else:
                await self.upstream.apply(batch)
            done.update(batch)
            waiting = [one for one in waiting if one not in done]

    def _upstream_batch(self, waiting: list[str], done: set[str]) -> list[str]:
        """Everything upstream that needs nothing but what is done and what goes with it."""
        batch: list[str] = []
        for one in waiting:
            if not self._plan.is_local(one) and self._plan.needs[one] <= done | set(batch):
                batch.append(one)
        return batch

    @property
    def unwanted(self) -> list[StackResource]:
        """The resources of this engine that the plan no longer has."""
        wanted = {name for name in self._plan.active if self._plan.is_local(name)}
        return [one for name, one in self._stack.resources.items() if one.local and name not in wanted]

    async def take_back(self) -> None:
        """Undo what was done in its place; what was newly made joins the leftovers. Raises ResourcesFailedError."""
        failed = await self._local.take_back()
        await self.upstream.take_back()
        if failed:
            raise ResourcesFailedError("update", failed)
