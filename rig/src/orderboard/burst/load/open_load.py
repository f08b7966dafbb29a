"""The orders of an open stream, each at its time: one timer for the next order, and no task for any."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from math import ceil
from typing import Final, NamedTuple

from orderboard.burst.load.mix import PlannedOrder
from orderboard.burst.load.order_api import OrderApi

_AHEAD: Final = 32
_TURN_EVERY_S: Final = 0.005


class Prepared(NamedTuple):
    """An order that can be sent."""

    number: int  # in its stream
    order: PlannedOrder
    request: bytes


class Due(NamedTuple):
    """An order that is sent now. held: connections of the open streams, to be given back."""

    stream: int
    intended_s: float
    number: int
    order: PlannedOrder
    request: bytes
    waited: bool = False
    held: int = 0


class FreeConnections:
    """The connections that all open streams may use together."""

    def __init__(self, count: int) -> None:
        self._count = self._free = count
        self._waiting: deque[OpenLoad] = deque()

    def take(self, load: "OpenLoad") -> bool:
        """Take as many as its next order needs; if there are too few, it is resumed later."""
        if self._waiting or self._free < self._need(load):
            self._waiting.append(load)
            return False
        self._free -= load.needs
        return True

    def give_back(self, count: int) -> None:
        """Let those that wait go on, the first one first."""
        self._free += count
        while self._waiting and self._free >= self._need(self._waiting[0]):
            load = self._waiting.popleft()
            self._free -= load.needs
            load.resume()

    def _need(self, load: "OpenLoad") -> int:
        return min(load.needs, self._count)  # an order that is sent twice also leaves with a single connection


class OpenLoad:
    """Sends the orders of one stream. needs: connections for the next one."""

    def __init__(
        self,
        stream: int,
        orders: Iterator[tuple[float, Prepared]],
        free: FreeConnections,
        send: Callable[[Due], None],
    ) -> None:
        self._stream, self._orders, self._free, self._send = stream, orders, free, send
        self._next: tuple[float, Prepared] | None = None
        self._start_at = self._held_until_s = 0.0
        self._timer: asyncio.Handle | None = None
        self.needs = 1

    async def run(self, start_at: float) -> None:
        """Send every order. start_at: second 0, by time.monotonic()."""
        self._start_at = start_at
        self._loop = asyncio.get_running_loop()
        self._sent_all = self._loop.create_future()
        self._prepare_next()
        self._go_on()
        try:
            await self._sent_all
        finally:
            self.stop()

    def stop(self) -> None:
        """Send no more."""
        self._next = None
        if self._timer is not None:
            self._timer.cancel()

    def resume(self) -> None:
        """Send the order that waited for a connection, and go on."""
        self._held_until_s = time.monotonic() - self._start_at
        self._send_next()
        self._go_on()

    def _go_on(self) -> None:
        """Send what is due, but give answers a turn every few milliseconds."""
        began = now = time.monotonic()
        while self._next is not None:
            intended_s, prepared = self._next
            if (ahead_s := self._start_at + intended_s - now) > 0:
                self._timer = self._loop.call_later(timer_s(ahead_s), self._go_on)
                return
            if now - began > _TURN_EVERY_S:
                self._timer = self._loop.call_soon(self._go_on)
                return
            self.needs = prepared.order.sends
            if not self._free.take(self):
                return
            self._send_next()
            now = time.monotonic()
        if not self._sent_all.done():
            self._sent_all.set_result(None)

    def _send_next(self) -> None:
        if self._next is None:  # stopped
            self._free.give_back(self.needs)
            return
        intended_s, prepared = self._next
        waited = intended_s < self._held_until_s  # itself, or behind one that waited
        self._send(Due(self._stream, intended_s, *prepared, waited, prepared.order.sends))
        self._prepare_next()

    def _prepare_next(self) -> None:
        try:
            self._next = next(self._orders, None)
        except Exception as exc:  # noqa: BLE001 - `run` raises it: a timer has no caller
            self._next = None
            self._sent_all.set_exception(exc)


def timer_s(ahead_s: float) -> float:
    """Return the time for a timer, in whole milliseconds as it counts; it may still fire a little too early."""
    return ceil(ahead_s * 1000) / 1000


def with_requests(api: OrderApi, orders: Iterator[tuple[int, PlannedOrder]]) -> Iterator[Prepared]:
    """Prepare a few orders ahead: prepared one by one between others, each takes several times as long."""
    while ahead := [Prepared(number, order, api.request(order)) for number, order in islice(orders, _AHEAD)]:
        yield from ahead
