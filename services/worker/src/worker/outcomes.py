"""Outcome events on the bus, ten in a PutEvents call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orderboard_aws_client.event_bus import EventBus
from orderboard_contracts.events import OutcomeEvent
from orderboard_contracts.routing import bus_entry

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

    async def emit(self, event: OutcomeEvent) -> None:
        """Publish event."""
        with translated():
            await self.bus.submit(bus_entry(event, self.name))

    async def emit_many(self, events: Sequence[OutcomeEvent]) -> list[bool]:
        """Publish events; return for each whether it was accepted for sure. If not, emit says why."""
        results = await self.bus.submit_many([bus_entry(event, self.name) for event in events])
        return [not isinstance(result, Exception) for result in results]
