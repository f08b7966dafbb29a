"""The event source mappings of queues, each with its poller. Functions and other mappings are at the upstream.

The execution role of a function is not checked for access to the queue: the upstream has no such check either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from localbus.background_tasks import BackgroundTasks
from localbus.clock import Clock
from localbus.journal import Journal
from localbus.lambda_.mapping import EventSourceMapping, Settings
from localbus.lambda_.poller import Poller
from localbus.lambda_.upstream_lambda import UpstreamLambda
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sqs.state import Sqs
from localbus.upstream.client import UpstreamClient

_MAPPING = "lambda.mapping"  # the kind of its record


class EventSourceMappings:
    """The mappings of every account and region."""

    def __init__(
        self, clock: Clock, journal: Journal, sqs: Sqs, upstream: UpstreamClient, tasks: BackgroundTasks
    ) -> None:
        self.clock = clock
        self.sqs = sqs
        self.storage = sqs.storage
        self.upstream = UpstreamLambda(upstream)
        self._journal = journal
        self._calls = upstream
        self._tasks = tasks
        self.before_upstream: Callable[[Params, Caller], Awaitable[None]] = _nothing  # called with each of its mappings
        self._mappings: dict[str, EventSourceMapping] = {}
        self._pollers: dict[str, Poller] = {}
        sqs.queues.on_change.append(self._queue_changed)

    def __iter__(self) -> Iterator[EventSourceMapping]:
        return iter(list(self._mappings.values()))

    def find(self, uuid: str, caller: Caller) -> EventSourceMapping | None:
        """Return the caller's mapping of that id."""
        mapping = self._mappings.get(uuid)
        if mapping is None or (mapping.account, mapping.region) != (caller.account, caller.region):
            return None
        return mapping

    def find_by_arn(self, arn: str, caller: Caller) -> EventSourceMapping | None:
        """Return the caller's mapping of that ARN."""
        mapping = self.find(arn.rpartition(":")[2], caller)
        return mapping if mapping is not None and mapping.arn == arn else None

    def add(self, mapping: EventSourceMapping, *, enabled: bool) -> None:
        """Add a mapping and start its poller, unless it is disabled."""
        self._with_poller(mapping)
        if enabled:
            self._end_transition(mapping, enabled=True)
        else:
            mapping.state = "Disabled"
        self.save(mapping)

    def _with_poller(self, mapping: EventSourceMapping) -> Poller:
        self._mappings[mapping.uuid] = mapping
        poller = Poller(mapping, self._journal, self.sqs, self._calls, self._tasks)
        self._pollers[mapping.uuid] = poller
        return poller

    def save(self, mapping: EventSourceMapping) -> None:
        """Store what has changed of a mapping."""
        self.storage.save(_MAPPING, mapping.uuid, mapping.stored)

    def restore(self) -> None:
        """Read all mappings from the storage, when the engine starts, and start their pollers."""
        for _, uuid, stored in self.storage.records(_MAPPING):
            mapping = EventSourceMapping.restored(uuid, stored)
            poller = self._with_poller(mapping)
            if mapping.is_enabled:
                poller.start()

    async def change(
        self, mapping: EventSourceMapping, settings: Settings, function_arn: str, *, enabled: bool
    ) -> None:
        """Apply settings and function from the next batch on."""
        was_enabled = mapping.state == "Enabled"
        mapping.state = ("Updating" if was_enabled else "Enabling") if enabled else "Disabling"
        mapping.modified_at = self.clock.now()
        try:
            await self._pollers[mapping.uuid].stop()
        finally:  # also when the caller has disconnected
            mapping.settings, mapping.function_arn = settings, function_arn
            self._end_transition(mapping, enabled=enabled)
            self.save(mapping)

    async def remove(self, mapping: EventSourceMapping) -> None:
        """Remove the mapping. Invocations that are under way are completed."""
        mapping.state = "Deleting"
        mapping.modified_at = self.clock.now()
        try:
            await self._pollers[mapping.uuid].stop()
        finally:
            del self._mappings[mapping.uuid], self._pollers[mapping.uuid]
            self.storage.delete(_MAPPING, mapping.uuid)

    def _end_transition(self, mapping: EventSourceMapping, *, enabled: bool) -> None:
        """Set the final state in the next turn, when the answer shows the transition."""
        poller = self._pollers[mapping.uuid]

        def end() -> None:
            if mapping.uuid in self._mappings and mapping.is_in_transition:
                mapping.state = "Enabled" if enabled else "Disabled"
                if enabled:
                    poller.start()

        asyncio.get_running_loop().call_soon(end)

    def _queue_changed(self, arn: str) -> None:
        """Resume receiving from a queue that was deleted and created again."""
        for mapping in self:
            if mapping.queue_arn == arn:
                self._pollers[mapping.uuid].wake()


async def _nothing(_params: Params, _caller: Caller) -> None:
    return
