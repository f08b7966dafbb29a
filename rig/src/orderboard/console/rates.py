"""What flows over the edges of the board, a second: from the services' counters and from what the queues hold."""

from collections.abc import Mapping, Sequence
from typing import Final

from orderboard.console.gauges import Meter, Sample, total

_WINDOW_S: Final = 3.0
_WORK_QUEUES: Final = ("work", "express")
# What the worker counts without the message leaving the queue.
_STAYS: Final = ("retried", "poison", "lost")


class Rates:
    """Measured anew every few seconds, so that they can be read. One that is not known is None."""

    def __init__(self) -> None:
        self.per_s: dict[str, float | None] = {}
        self.api_ms: float | None = None
        self._meter = Meter()
        self._measured_at_s = float("-inf")
        self._done: dict[tuple[int, str], float] = {}

    def measure(
        self,
        held: Mapping[str, int],
        workers: Mapping[int, Sequence[Sample]],
        api: Sequence[Sample] | None,
        orders: int | None,
        *,
        now_s: float,
    ) -> None:
        """Take a reading. held: what each queue and its dead-letter queue hold together; workers: by pid."""
        for pid, samples in workers.items():
            for queue in _WORK_QUEUES:
                self._done[pid, queue] = _left_queue(samples, queue)
        if now_s - self._measured_at_s < _WINDOW_S:
            return
        self._measured_at_s = now_s
        rate = self._meter.rate
        accepted = None if api is None else total(api, "orderboard_api_orders_total", result="accepted")
        self.per_s["accepted"] = rate("accepted", accepted, now_s)
        self.per_s["recorded"] = rate("recorded", orders, now_s)
        self.per_s["announced"] = rate("announced", held["inbox"], now_s)
        for queue in _WORK_QUEUES:
            # A worker that has ended keeps its share, so that the sum only grows.
            done = sum(count for (_, name), count in self._done.items() if name == queue) if self._done else None
            self.per_s[f"{queue}_done"] = rate(f"{queue}_done", done, now_s)
            # SQS does not count what arrives: it is what left, and what is there now.
            self.per_s[f"{queue}_in"] = rate(f"{queue}_in", None if done is None else done + held[queue], now_s)
        self.api_ms = self._mean_ms(api, now_s)

    def _mean_ms(self, api: Sequence[Sample] | None, now_s: float) -> float | None:
        if api is None:
            return None
        name = "orderboard_api_request_seconds"
        seconds = self._meter.rate("s", total(api, f"{name}_sum", route="/orders", method="POST"), now_s)
        requests = self._meter.rate("n", total(api, f"{name}_count", route="/orders", method="POST"), now_s)
        return seconds / requests * 1000 if seconds is not None and requests else None


def _left_queue(samples: Sequence[Sample], queue: str) -> float:
    name = "orderboard_worker_messages_total"
    return total(samples, name, queue=queue) - sum(total(samples, name, queue=queue, outcome=each) for each in _STAYS)
