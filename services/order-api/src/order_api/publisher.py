"""Telling the world of a command: to SNS as work for a queue, to EventBridge as a fact. Both, or it has failed."""

import asyncio
from dataclasses import dataclass

from orderboard_aws_client.errors import BatcherFullError, EntryRefusedError
from orderboard_aws_client.event_bus import EventBus
from orderboard_contracts.events import Command
from orderboard_contracts.routing import bus_entry

from order_api.aws import AWS_ERRORS, reason
from order_api.orders_topic import OrdersTopic, entry_for


@dataclass(frozen=True)
class Published:
    """What the two services call it."""

    message_id: str
    bus_event_id: str


class NotPublishedError(Exception):
    """Not both have accepted the command, in time or at all. One may have: publish the same command again."""


class Publisher:
    """Publishes commands to the orders topic and the event bus within a deadline."""

    def __init__(self, topic: OrdersTopic, bus: EventBus, *, bus_name: str, deadline_s: float) -> None:
        self._topic = topic
        self._bus = bus
        self._bus_name = bus_name
        self._deadline_s = deadline_s

    async def publish(self, command: Command) -> Published:
        """Return when both have accepted command; raise NotPublishedError as soon as one will not.

        The other one is given up then: what still waits is not sent, and a call under way nobody waits for.
        """
        fact = bus_entry(command, self._bus_name)
        work = entry_for(command, fact["Detail"])  # the same document, so it is written once
        try:
            async with asyncio.timeout(self._deadline_s), asyncio.TaskGroup() as both:
                message_id = both.create_task(self._topic.submit(work))
                bus_event_id = both.create_task(self._bus.submit(fact))
        except TimeoutError as exc:
            raise NotPublishedError(f"no answer within {self._deadline_s:g} s") from exc
        except ExceptionGroup as group:
            expected, unexpected = group.split((BatcherFullError, EntryRefusedError, *AWS_ERRORS))
            if unexpected is not None or expected is None:
                raise
            raise NotPublishedError("; ".join(_in_words(exc) for exc in expected.exceptions)) from group
        return Published(message_id.result(), bus_event_id.result())


def _in_words(exc: Exception) -> str:
    if isinstance(exc, BatcherFullError):
        return f"too many orders wait: {exc}"
    if isinstance(exc, EntryRefusedError):
        return f"refused: {exc}"
    return reason(exc)
