"""The services' Prometheus metrics, and the rates that the diagram shows on its arrows."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

_TIMEOUT_S: Final = 0.8
_WINDOW_S: Final = 3.0
_SHORTEST_S: Final = 1.0
# A queue and a worker are not read at the same instant, so messages handled in between may be counted twice or not at
# all: up to _TOLERANCE, plus what a worker handles in _READ_APART of the window.
_TOLERANCE: Final = 10
_READ_APART: Final = 0.25
_WORK_QUEUES: Final = ("work", "express")
# Outcomes that the worker counts although the message stays in the queue.
_STAYS: Final = ("retried", "poison", "lost")

Reading = dict[str, float | None]


def parse(text: str) -> list[Sample]:
    """Read the samples of an exposition."""
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def total(samples: Iterable[Sample], name: str, **labels: str) -> float:
    """Sum the samples of this name that have these labels."""
    return sum(each.value for each in samples if each.name == name and labels.items() <= each.labels.items())


def scrape(url: str | None) -> list[Sample] | None:
    """Read a service's /metrics; None if it does not answer with an exposition."""
    if url is None:
        return None
    try:
        response = httpx.get(f"{url}/metrics", timeout=_TIMEOUT_S, trust_env=False)
        response.raise_for_status()
        return parse(response.text)
    except (httpx.HTTPError, ValueError):
        return None


class CumulativeCounters:
    """Counters that keep growing when their process restarts and counts from 0 again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, float]] = {}

    def total(self, name: str, value: float | None) -> float | None:
        """Sum over all processes that had the counter; None without a reading."""
        if value is None:
            return None
        last, before = self._known.get(name, (0.0, 0.0))
        grown = value - last if value >= last else value
        self._known[name] = (value, before + grown)
        return before + grown


class Rates:
    """Means over the last few seconds, steady enough to read. An unknown rate is None."""

    def __init__(self) -> None:
        self.per_s: dict[str, float | None] = {}
        self.api_ms: float | None = None
        self._counters = CumulativeCounters()
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
        """Add a reading. held: messages in each queue and its dead-letter queue together; workers: samples by pid."""
        reading = self._of_workers(held, workers) | self._of_api(api)
        reading |= {"recorded": orders, "announced": held["inbox"]}
        self._readings.append((now_s, reading))
        while len(self._readings) > 2 and self._readings[1][0] <= now_s - _WINDOW_S:
            self._readings.popleft()
        began_s, before = self._readings[0]
        if now_s - began_s < _SHORTEST_S:
            return
        grown = {name: _grown(before.get(name), value, _TOLERANCE) for name, value in reading.items()}
        for queue in _WORK_QUEUES:
            tolerance = _TOLERANCE + (grown.get(f"{queue}_done") or 0.0) * _READ_APART
            name = f"{queue}_in"
            grown[name] = _grown(before.get(name), reading.get(name), tolerance)
        requests, seconds = grown.pop("requests"), grown.pop("request_s")
        self.api_ms = seconds / requests * 1000 if seconds is not None and requests else None
        self.per_s = {name: None if each is None else each / (now_s - began_s) for name, each in grown.items()}

    def _of_api(self, api: Sequence[Sample] | None) -> Reading:
        names = ("accepted", "publish", "fact", "requests", "request_s")
        if api is None:
            return dict.fromkeys(names)
        request, posts = "orderboard_api_request_seconds", {"route": "/orders", "method": "POST"}
        values = (
            total(api, "orderboard_api_orders_total", result="accepted"),
            _entries(api, "PublishBatch"),
            _entries(api, "PutEvents"),
            total(api, f"{request}_count", **posts),
            total(api, f"{request}_sum", **posts),
        )
        return {name: self._counters.total(name, value) for name, value in zip(names, values, strict=True)}

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
            # SQS does not count arrivals: they are what left the queue plus what it holds.
            reading |= {f"{queue}_done": done[queue], f"{queue}_in": done[queue] + held[queue]}
        return reading


def _grown(before: float | None, now: float | None, tolerance: float) -> float | None:
    """Growth between two readings. Unknown if others removed messages, as a purge does: that hides arrivals."""
    if before is None or now is None or now < before - tolerance:
        return None
    return max(0.0, now - before)


def _entries(samples: Sequence[Sample], operation: str) -> float:
    return total(samples, "orderboard_aws_entries_total", operation=operation)


def _left_queue(samples: Sequence[Sample], queue: str) -> float:
    name = "orderboard_worker_messages_total"
    return total(samples, name, queue=queue) - sum(total(samples, name, queue=queue, outcome=each) for each in _STAYS)
