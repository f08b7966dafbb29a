"""What flows over the edges of the board, a second: from the services' counters and from what the queues hold."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from orderboard.console.gauges import Meter, Sample, total

_WINDOW_S: Final = 3.0
_SHORTEST_S: Final = 1.0
_UNSHARP: Final = 10  # a queue and a worker are not read in the same instant,
_READ_APART: Final = 0.25  # so that this share of what a worker does in the window may be in the wrong reading
_WORK_QUEUES: Final = ("work", "express")
# What the worker counts without the message leaving the queue.
_STAYS: Final = ("retried", "poison", "lost")

Reading = dict[str, float | None]


class Rates:
    """Means over the last few seconds, so that they can be read. One that is not known is None."""

    def __init__(self) -> None:
        self.per_s: dict[str, float | None] = {}
        self.api_ms: float | None = None
        self._meter = Meter()
        self._readings: deque[tuple[float, Reading]] = deque()
        self._workers: dict[tuple[int, str], float] = {}

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
        reading = self._of_workers(held, workers) | self._of_api(api)
        reading |= {"recorded": orders, "announced": held["inbox"]}
        self._readings.append((now_s, reading))
        while len(self._readings) > 2 and self._readings[1][0] <= now_s - _WINDOW_S:
            self._readings.popleft()
        began_s, before = self._readings[0]
        if now_s - began_s < _SHORTEST_S:
            return
        grown = {name: _grown(before.get(name), value, _UNSHARP) for name, value in reading.items()}
        for queue in _WORK_QUEUES:
            unsharp = _UNSHARP + (grown.get(f"{queue}_done") or 0.0) * _READ_APART
            name = f"{queue}_in"
            grown[name] = _grown(before.get(name), reading.get(name), unsharp)
        requests, seconds = grown.pop("requests"), grown.pop("request_s")
        self.api_ms = seconds / requests * 1000 if seconds is not None and requests else None
        self.per_s = {name: None if each is None else each / (now_s - began_s) for name, each in grown.items()}

    def _of_api(self, api: Sequence[Sample] | None) -> Reading:
        request = "orderboard_api_request_seconds"
        posts = {"route": "/orders", "method": "POST"}
        values = {
            "accepted": None if api is None else total(api, "orderboard_api_orders_total", result="accepted"),
            "publish": None if api is None else _entries(api, "PublishBatch"),
            "fact": None if api is None else _entries(api, "PutEvents"),
            "requests": None if api is None else total(api, f"{request}_count", **posts),
            "request_s": None if api is None else total(api, f"{request}_sum", **posts),
        }
        return {name: self._meter.total(name, value) for name, value in values.items()}

    def _of_workers(self, held: Mapping[str, int], workers: Mapping[int, Sequence[Sample]]) -> Reading:
        for pid, samples in workers.items():
            self._workers[pid, "outcome"] = _entries(samples, "PutEvents")
            for queue in _WORK_QUEUES:
                self._workers[pid, queue] = _left_queue(samples, queue)
        if not self._workers:
            return {}
        # A worker that has ended keeps its share, so that the sum only grows.
        done = {name: sum(n for (_, each), n in self._workers.items() if each == name) for _, name in self._workers}
        reading: Reading = {"outcome": done["outcome"]}
        for queue in _WORK_QUEUES:
            # SQS does not count what arrives: it is what left, and what is there now.
            reading |= {f"{queue}_done": done[queue], f"{queue}_in": done[queue] + held[queue]}
        return reading


def _grown(before: float | None, now: float | None, unsharp: float) -> float | None:
    """How much more it is. What was taken out of a queue by others, as a purge does, hides what came in."""
    if before is None or now is None or now < before - unsharp:
        return None
    return max(0.0, now - before)


def _entries(samples: Sequence[Sample], operation: str) -> float:
    return total(samples, "orderboard_aws_entries_total", operation=operation)


def _left_queue(samples: Sequence[Sample], queue: str) -> float:
    name = "orderboard_worker_messages_total"
    return total(samples, name, queue=queue) - sum(total(samples, name, queue=queue, outcome=each) for each in _STAYS)
