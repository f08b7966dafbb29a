"""Long polls: receives that wait for messages, served in the order of their arrival.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from localbus.clock import Clock, TimerHandle
from localbus.sqs.message import Received

LongPoll = asyncio.Future[list[Received]]


class _Waiting(NamedTuple):
    poll: LongPoll
    limit: int
    visibility_timeout_s: int
    timeout: TimerHandle


class LongPolls:
    """The waiting receives of one queue. Each is a future that ends with messages, or with none at its wait timeout.

    While one waits, `recheck` is called at the time of the queue's next transition. `on_empty` is called for each that
    ends at its wait timeout.
    """

    def __init__(self, clock: Clock, recheck: Callable[[], None], on_empty: Callable[[], None]) -> None:
        self._clock = clock
        self._recheck = recheck
        self._on_empty = on_empty
        self._waiting: OrderedDict[LongPoll, _Waiting] = OrderedDict()
        self._timer: TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, limit: int, visibility_timeout_s: int, wait_s: float) -> LongPoll:
        """Add a receive behind those that wait. Cancel the future to remove it."""
        poll: LongPoll = asyncio.get_running_loop().create_future()
        timeout = self._clock.call_after_wait_timeout(wait_s, lambda: self._time_out(poll))
        self._waiting[poll] = _Waiting(poll, limit, visibility_timeout_s, timeout)
        poll.add_done_callback(self._remove)
        return poll

    def serve_next(self, receive: Callable[[int, int], list[Received]]) -> bool:
        """Serve the first waiting receive. Return False when there was nothing for it."""
        waiting = next(iter(self._waiting.values()))
        if not waiting.poll.done():
            received = receive(waiting.limit, waiting.visibility_timeout_s)
            if not received:
                return False
            waiting.poll.set_result(received)
        self._remove(waiting.poll)
        return True

    def recheck_at(self, when: float | None) -> None:
        """Call `recheck` at this time instead of the one given before."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.call_at(when, self._recheck) if when is not None and self._waiting else None

    def cancel_all(self) -> None:
        """End all waiting receives without messages."""
        self.recheck_at(None)
        for poll in list(self._waiting):
            _end(poll, [])

    def _time_out(self, poll: LongPoll) -> None:
        if not poll.done():
            self._on_empty()
            _end(poll, [])

    def _remove(self, poll: LongPoll) -> None:
        waiting = self._waiting.pop(poll, None)
        if waiting is not None:
            waiting.timeout.cancel()


def _end(poll: LongPoll, result: list[Received]) -> None:
    if not poll.done():
        poll.set_result(result)
