"""The heartbeat: extends the visibility timeout of every message that this worker holds, buffered ones included."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from worker.failures import ReceiptExpiredError, TransientError, UnavailableError
from worker.message import Lease
from worker.sqs_queue import Queue

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Heartbeat:
    """Tracks all leases and extends them every interval_s."""

    queues: Mapping[str, Queue]
    interval_s: float
    visibility_timeout_s: int
    _leases: set[Lease] = field(default_factory=set, init=False)

    @property
    def leases(self) -> frozenset[Lease]:
        """All tracked leases."""
        return frozenset(self._leases)

    def track(self, leases: Iterable[Lease]) -> None:
        """Extend these leases until they are released or lost."""
        self._leases.update(leases)

    def release(self, lease: Lease) -> None:
        """Stop extending this lease."""
        self._leases.discard(lease)

    async def run(self) -> None:
        """Beat until cancelled. A beat that is delayed by a slow backend does not delay the next."""
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(self.interval_s)
                group.create_task(self.beat())

    async def beat(self) -> None:
        """Extend every lease, and drop those that have expired."""
        now = asyncio.get_running_loop().time()
        for lease in [lease for lease in self._leases if lease.expires_at <= now]:
            self.release(lease)
            log.warning("message.lost", extra={**lease.message.log_fields, "reason": "the visibility timeout ended"})
        await asyncio.gather(*(self._extend(lease, now) for lease in self._leases))

    async def _extend(self, lease: Lease, now: float) -> None:
        extension_s = lease.message.extension_s(self.visibility_timeout_s, now)
        if now + extension_s <= lease.expires_at:
            return  # the twelve-hour limit is near: SQS would reject the call, and the lease ends on time
        try:
            await self.queues[lease.message.queue].change_visibility(lease.message, extension_s)
        except ReceiptExpiredError as exc:
            if lease not in self._leases:
                return  # handling finished meanwhile
            self.release(lease)
            lease.revoke()
            log.warning("message.lost", extra={**lease.message.log_fields, "reason": str(exc)})
        except (UnavailableError, TransientError) as exc:
            log.warning("message.heartbeat_failed", extra={**lease.message.log_fields, "reason": str(exc)})
        else:
            if lease in self._leases:
                lease.renew(now + extension_s)
