"""Telling outcomes to the event bus. ."""

from orderboard_aws_client.event_bus import EventBus
from orderboard_contracts.events import OutcomeEvent
from orderboard_contracts.routing import bus_entry

from worker.aws_errors import translated


class Outcomes:
    """PutEvents for outcome events; concurrent callers share calls."""

    def __init__(self, bus: EventBus, bus_name: str) -> None:
        self._bus = bus
        self._bus_name = bus_name

    async def emit(self, event: OutcomeEvent) -> None:
        """Return once the bus has accepted event; raises PoisonError, TransientError or UnavailableError."""
        with translated():
            await self._bus.submit(bus_entry(event, self._bus_name))
