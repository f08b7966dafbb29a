"""The heartbeat: keeps every message in hand invisible to others, also one that only waits in this process."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from worker.failures import ReceiptExpiredError, TransientError, UnavailableError
from worker.message import Held
from worker.metrics import Metrics
from worker.sqs_queue import Queue

log = logging.getLogger(__name__)


class Heartbeat:
    """Knows all that is in hand, and extends its visibility every interval_s."""

    def __init__(
        self, queues: Mapping[str, Queue], *, interval_s: float, visibility_timeout_s: int, metrics: Metrics
    ) -> None:
        self._queues = queues
        self._interval_s = interval_s
        self._visibility_timeout_s = visibility_timeout_s
        self._in_hand: set[Held] = set()
        metrics.in_hand.set_function(lambda: len(self._in_hand))

    @property
    def in_hand(self) -> frozenset[Held]:
        """Every message that is kept now."""
        return frozenset(self._in_hand)

    def keep(self, messages: Iterable[Held]) -> None:
        """Keep these until they are let go or lost."""
        self._in_hand.update(messages)

    def let_go(self, held: Held) -> None:
        """Keep this no longer."""
        self._in_hand.discard(held)

    async def run(self) -> None:
        """Beat until cancelled. A beat that hangs on a slow backend does not hold up the next."""
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(self._interval_s)
                group.create_task(self.beat())

    async def beat(self) -> None:
        """Extend all that is in hand, and forget what is no longer ours by the clock."""
        now = asyncio.get_running_loop().time()
        for held in [held for held in self._in_hand if held.until <= now]:
            self.let_go(held)
            log.warning("message.lost", extra={**held.message.log_fields, "reason": "its visibility timeout ran out"})
        await asyncio.gather(*(self._extend(held, now) for held in self._in_hand))

    async def _extend(self, held: Held, now: float) -> None:
        extension_s = held.message.extension_s(self._visibility_timeout_s, now)
        if now + extension_s <= held.until:
            return  # twelve hours are nearly over: SQS would refuse, and the hold ends by itself
        try:
            await self._queues[held.message.queue].change_visibility(held.message, extension_s)
        except ReceiptExpiredError as exc:
            if held not in self._in_hand:
                return  # it was finished meanwhile
            self.let_go(held)
            held.lose()
            log.warning("message.lost", extra={**held.message.log_fields, "reason": str(exc)})
        except (UnavailableError, TransientError) as exc:
            log.warning("message.heartbeat_failed", extra={**held.message.log_fields, "reason": str(exc)})
        else:
            if held in self._in_hand:
                held.hold_until(now + extension_s)
