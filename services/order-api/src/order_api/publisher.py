"""Publishing of a command: to SNS as work for a queue, and to EventBridge as a fact. Both must accept it."""

import asyncio
from dataclasses import dataclass

from orderboard_aws_client.errors import AWS_ERRORS, BatcherFullError, EntryRefusedError, summary
from orderboard_aws_client.event_bus import EventBus
from orderboard_contracts.events import Command
from orderboard_contracts.routing import bus_entry
from orderboard_contracts.tracing import Tracing, end_with

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
    topic_name: str
    bus_name: str
    deadline_s: float
    tracing: Tracing | None = None

    async def publish(self, command: Command) -> Published:
        """Return when both services have accepted command; raise NotPublishedError as soon as one fails.

        The other entry is then withdrawn if it still waits for a call; a call under way is not awaited.
        """
        if self.tracing is None:
            return await self._publish(command)
        with self.tracing.creation(command, command.subject, command.type) as created:
            return await self._publish(created)

    async def _publish(self, command: Command) -> Published:
        fact = bus_entry(command, self.bus_name)
        started: list[asyncio.Future[str]] = []
        try:
            started.append(self.topic.start(entry_for(command, fact["Detail"])))  # the same document, serialised once
            started.append(self.bus.start(fact))
            if self.tracing is not None:
                end_with(self.tracing.sending("aws.sns", self.topic_name), started[0], "messaging.message.id")
                end_with(self.tracing.sending("aws.eventbridge", self.bus_name), started[1], "messaging.message.id")
            await asyncio.wait(started, timeout=self.deadline_s, return_when=asyncio.FIRST_EXCEPTION)
            failures = [failure for each in started if each.done() and (failure := each.exception()) is not None]
            if failures:
                raise _unexpected(failures) or NotPublishedError("; ".join(map(_reason, failures))) from failures[0]
            if not all(each.done() for each in started):
                raise NotPublishedError(f"no response within {self.deadline_s:g} s")
        except BatcherFullError as exc:
            raise NotPublishedError(_reason(exc)) from exc
        finally:
            for each in started:
                each.cancel()
        return Published(started[0].result(), started[1].result())


def _unexpected(failures: list[BaseException]) -> BaseException | None:
    return next((failure for failure in failures if not isinstance(failure, (EntryRefusedError, *AWS_ERRORS))), None)


def _reason(exc: BaseException) -> str:
    if isinstance(exc, BatcherFullError):
        return f"too many orders are waiting: {exc}"
    if isinstance(exc, EntryRefusedError):
        return f"rejected: {exc}"
    return summary(exc)
