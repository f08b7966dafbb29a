"""Publishing of a command: to SNS as work for a queue, and to EventBridge as a fact. Both must accept it."""

import asyncio
from dataclasses import dataclass

from orderboard_aws_client.errors import AWS_ERRORS, BatcherFullError, EntryRefusedError, summary
from orderboard_aws_client.event_bus import EventBus
from orderboard_contracts.events import Command
from orderboard_contracts.routing import bus_entry

from order_api.orders_topic import OrdersTopic, entry_for


@dataclass(frozen=True)
class Published:
    """Ids that the two services gave to a command."""

    message_id: str
    bus_event_id: str


class NotPublishedError(Exception):
    """The command was not accepted by both services in time. One may have accepted it: publish it again."""


@dataclass(frozen=True)
class Publisher:
    """Publishes commands to the orders topic and the event bus within a deadline."""

    topic: OrdersTopic
    bus: EventBus
    bus_name: str
    deadline_s: float

    async def publish(self, command: Command) -> Published:
        """Return when both services have accepted command; raise NotPublishedError as soon as one fails.

        The other entry is then withdrawn if it still waits for a call; a call under way is not awaited.
        """
        fact = bus_entry(command, self.bus_name)
        work = entry_for(command, fact["Detail"])  # the same document, serialised once
        try:
            async with asyncio.timeout(self.deadline_s), asyncio.TaskGroup() as both:
                message_id = both.create_task(self.topic.submit(work))
                bus_event_id = both.create_task(self.bus.submit(fact))
        except TimeoutError as exc:
            raise NotPublishedError(f"no response within {self.deadline_s:g} s") from exc
        except ExceptionGroup as group:
            expected, unexpected = group.split((BatcherFullError, EntryRefusedError, *AWS_ERRORS))
            if unexpected is not None or expected is None:
                raise
            raise NotPublishedError("; ".join(_reason(exc) for exc in expected.exceptions)) from group
        return Published(message_id.result(), bus_event_id.result())


def _reason(exc: Exception) -> str:
    if isinstance(exc, BatcherFullError):
        return f"too many orders are waiting: {exc}"
    if isinstance(exc, EntryRefusedError):
        return f"rejected: {exc}"
    return summary(exc)
