"""Outcome events on the bus, ten in a PutEvents call."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orderboard_aws_client.event_bus import EventBus
from orderboard_contracts.events import OutcomeEvent
from orderboard_contracts.routing import bus_entry
from orderboard_contracts.tracing import Tracing, end_with

from worker.failures import translated


class Outcomes(Protocol):
    """The destination of outcome events."""

    async def emit(self, event: OutcomeEvent) -> None:
        """Publish event."""

    async def emit_many(self, events: Sequence[OutcomeEvent]) -> list[bool]:
        """Publish events; return for each whether it was accepted for sure. If not, emit says why."""


@dataclass(frozen=True)
class OutcomeBus:
    """Outcomes on EventBridge. emit raises PoisonError, TransientError or UnavailableError."""

    bus: EventBus
    name: str
    tracing: Tracing | None = None

    async def emit(self, event: OutcomeEvent) -> None:
        """Publish event."""
        with translated():
            await self._submit(event)

    async def emit_many(self, events: Sequence[OutcomeEvent]) -> list[bool]:
        """Publish events; return for each whether it was accepted for sure. If not, emit says why."""
        if self.tracing is None:
            results = await self.bus.submit_many([bus_entry(event, self.name) for event in events])
            return [not isinstance(result, Exception) for result in results]
        traced = await asyncio.gather(*map(self._submit, events), return_exceptions=True)
        return [not isinstance(result, BaseException) for result in traced]

    async def _submit(self, event: OutcomeEvent) -> str:
        if self.tracing is None:
            return await self.bus.submit(bus_entry(event, self.name))
        with self.tracing.creation(event, event.subject, event.type) as created:
            sent = self.bus.start(bus_entry(created, self.name))
            end_with(self.tracing.sending("aws.eventbridge", self.name), sent, "messaging.message.id")
            return await sent
