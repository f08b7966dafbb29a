"""Samples in a background thread: queue depths for the timeline, and request counts for the cost."""

import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from orderboard.burst.report.cost import RequestCounts
from orderboard.orders.dead_letters import dead_letter_queues
from orderboard.orders.queues import Depth, depth
from orderboard.system.process_stats import CpuSampler
from orderboard.system.services import Service
from orderboard.system.system import System
from orderboard.system.target import AWS_ERRORS

_METRICS_WITHIN_S: Final = 0.5
_REQUESTS, _ENTRIES = "orderboard_aws_requests_total", "orderboard_aws_entries_total"
_Counts = Counter[tuple[str, str, str]]  # (metric, service, operation)
_past_proxies: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Sample:
    """The approximate counts of every queue at a moment of time.monotonic(). Queues are named by their role."""

    taken_at: float
    depths: Mapping[str, Depth] = field(default_factory=dict)
    dead_letters: int = 0

    @property
    def backlog(self) -> int:
        """The number of messages in the work and express queues."""
        return sum(self.depths[name].total for name in ("work", "express") if name in self.depths)

    @property
    def waiting(self) -> int:
        """The number of messages in them that can be received."""
        return sum(self.depths[name].visible for name in ("work", "express") if name in self.depths)

    @property
    def idle(self) -> bool:
        """True when no queue on an order's way holds a message."""
        return bool(self.depths) and all(each.total == 0 for each in self.depths.values())


class Sampler:
    """The latest sample of the queues and the request counts. A failed reading keeps the last value."""

    def __init__(self, system: System, listener_queue: str, cpu: CpuSampler, *, inbox: str) -> None:
        target = system.target
        self._system, self._sqs, self._cpu = system, target.sqs, cpu
        names = {
            "work": target.outputs.work_queue,
            "express": target.outputs.express_queue,
            "alerts": target.outputs.alerts_queue,
            "inbox": inbox,
            "listener": listener_queue,
        }
        self._urls = {role: target.queue_url(name) for role, name in names.items()}
        self._dead_letter_urls = [target.queue_url(name) for name in dead_letter_queues(target)]
        self._counts: dict[int, _Counts] = {}  # by process id
        self._read_counts()
        self._before = self._total()
        self.latest = Sample(time.monotonic())

    def sample(self) -> None:
        """Read everything once."""
        try:
            taken_at = time.monotonic()
            depths = {role: depth(self._sqs, url) for role, url in self._urls.items()}
            dead_letters = sum(depth(self._sqs, url).total for url in self._dead_letter_urls)
            self.latest = Sample(taken_at, depths, dead_letters)
        except AWS_ERRORS:  # a busy backend; the next sample may succeed
            return
        self._read_counts()
        self._cpu.sample()

    def requests(self) -> RequestCounts:
        """Return the services' requests since the start. Those of a killed worker's last second are missing."""
        self._read_counts()
        total = self._total()
        total.subtract(self._before)
        return {
            (service, operation): (total[_REQUESTS, service, operation], total[_ENTRIES, service, operation])
            for _, service, operation in total
        }

    def _read_counts(self) -> None:
        for service in list(self._system.services):
            if not service.process.running():
                continue
            try:
                with _past_proxies.open(self._metrics_of(service), timeout=_METRICS_WITHIN_S) as response:
                    self._counts[service.process.pid] = _parse(response.read().decode())
            except OSError:  # it starts, ends or is frozen
                continue

    def _metrics_of(self, service: Service) -> urllib.request.Request:
        token = self._system.options.services.api_token
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return urllib.request.Request(f"{service.url}/metrics", headers=headers)  # noqa: S310 - a service of ours

    def _total(self) -> _Counts:
        total: _Counts = Counter()
        for counts in self._counts.values():
            total.update(counts)
        return total


@contextmanager
def every(seconds: float, action: Callable[[], None], *, name: str) -> Iterator[None]:
    """Run `action` in a thread every so many seconds until the block ends."""
    stopping = threading.Event()

    def run() -> None:
        while not stopping.wait(seconds):
            action()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _parse(metrics: str) -> _Counts:
    lines = (line for line in metrics.splitlines() if line.startswith((_REQUESTS, _ENTRIES)))
    families = text_string_to_metric_families("\n".join(lines) + "\n")
    return Counter(
        {
            (sample.name, sample.labels.get("service", ""), sample.labels.get("operation", "")): int(sample.value)
            for family in families
            for sample in family.samples
        }
    )
