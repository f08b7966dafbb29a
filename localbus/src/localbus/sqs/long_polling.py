"""Those who wait for messages at an empty queue, in the order in which they came (long polling).

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from localbus.clock import Clock, Wake
from localbus.sqs.message import Received

Waiting = asyncio.Future[list[Received]]


class _Waiter(NamedTuple):
    future: Waiting
    most: int
    visibility_timeout_s: int
    tired: Wake


class Waiters:
    """A line of futures; each ends with messages, or empty-handed when its client has waited long enough.

    While somebody waits, `look_again` is called when the queue has said that there will be something.
    """

    def __init__(self, clock: Clock, look_again: Callable[[], None]) -> None:
        self._clock = clock
        self._look_again = look_again
        self._waiters: OrderedDict[int, _Waiter] = OrderedDict()
        self._wake: Wake | None = None

    def __len__(self) -> int:
        return len(self._waiters)

    def add(self, most: int, visibility_timeout_s: int, wait_s: float) -> Waiting:
        """Come to the end of the line. Cancel the future to leave it."""
        future: Waiting = asyncio.get_running_loop().create_future()
        tired = self._clock.call_when_tired(wait_s, lambda: _end(future, []))
        self._waiters[id(future)] = _Waiter(future, most, visibility_timeout_s, tired)
        future.add_done_callback(self._leave)
        return future

    def serve_first(self, receive: Callable[[int, int], list[Received]]) -> bool:
        """Serve the first who still waits; False when there is nothing to give."""
        key, waiter = next(iter(self._waiters.items()))
        if not waiter.future.done():
            received = receive(waiter.most, waiter.visibility_timeout_s)
            if not received:
                return False
            waiter.future.set_result(received)
        self._drop(key)
        return True

    def wake_at(self, when: float | None) -> None:
        """Look again at that time and not at the one named before, if somebody still waits then."""
        if self._wake is not None:
            self._wake.cancel()
        self._wake = self._clock.call_at(when, self._woken) if when is not None and self._waiters else None

    def _woken(self) -> None:
        self._wake = None
        self._look_again()

    def send_away(self) -> None:
        """Nobody gets anything any more."""
        for waiter in list(self._waiters.values()):
            _end(waiter.future, [])

    def _leave(self, future: Waiting) -> None:
        self._drop(id(future))

    def _drop(self, key: int) -> None:
        waiter = self._waiters.pop(key, None)
        if waiter is not None:
            waiter.tired.cancel()


def _end(future: Waiting, result: list[Received]) -> None:
    if not future.done():
        future.set_result(result)
