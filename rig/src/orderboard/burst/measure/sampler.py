"""Looks at the queues and at the services' own counts once a second, in a thread. For the picture, and for the cost."""

import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from orderboard.burst.report.cost import Counted
from orderboard.orders.dead_letters import dead_letter_queues
from orderboard.orders.queues import Depth, depth
from orderboard.system.process_stats import CpuSampler
from orderboard.system.services import Service
from orderboard.system.target import AWS_ERRORS, Target

_EVERY_S: Final = 1.0
_ANSWER_WITHIN_S: Final = 0.5
_NAMES: Final = ("orderboard_aws_requests_total", "orderboard_aws_entries_total")  # in the order of _Counts
_past_proxies: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))

_Counts = dict[tuple[str, str], list[int]]  # (service, operation) -> [requests, entries]


@dataclass(frozen=True)
class Sample:
    """The approximate counts of every queue at a moment of time.monotonic(). Queues are named by their role."""

    taken_at: float
    depths: Mapping[str, Depth] = field(default_factory=dict)
    dead_letters: int = 0

    @property
    def backlog(self) -> int:
        """What work and express hold."""
        return sum(self.depths[name].total for name in ("work", "express") if name in self.depths)

    @property
    def idle(self) -> bool:
        """Whether no queue on an order's way holds anything."""
        return bool(self.depths) and all(each.total == 0 for each in self.depths.values())


class Sampler:
    """Samples until it is stopped. What one look could not see keeps its last value."""

    def __init__(
        self, target: Target, witness_queue: str, services: Callable[[], Sequence[Service]], processors: CpuSampler
    ) -> None:
        self._target = target
        self._processors = processors
        self._services = services
        outputs = target.outputs
        names = {
            "work": outputs.work_queue,
            "express": outputs.express_queue,
            "alerts": outputs.alerts_queue,
            "inbox": outputs.inbox_queue,
            "witness": witness_queue,
        }
        self._urls = {role: target.queue_url(name) for role, name in names.items()}
        self._dead_letter_urls = [target.queue_url(name) for name in dead_letter_queues(target)]
        self._counts: dict[str, _Counts] = {}
        self._look_at_services()
        self._before = self._sums()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self.latest = Sample(time.monotonic())

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look at the services once more, and stop."""
        self._stopping.set()
        self._thread.join()
        self._look_at_services()

    def counted(self) -> list[Counted]:
        """The services' requests since the sampler was made. Those of a killed worker's last second are missing."""
        found = []
        for (service, operation), (requests, entries) in self._sums().items():
            requests_before, entries_before = self._before.get((service, operation), (0, 0))
            found.append(Counted(service, operation, requests - requests_before, entries - entries_before))
        return found

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            try:
                taken_at = time.monotonic()
                depths = {role: depth(self._target.sqs, url) for role, url in self._urls.items()}
                dead_letters = sum(depth(self._target.sqs, url).total for url in self._dead_letter_urls)
                self.latest = Sample(taken_at, depths, dead_letters)
            except AWS_ERRORS:  # a busy backend; the next look may see more
                continue
            self._look_at_services()
            self._processors.sample()

    def _look_at_services(self) -> None:
        for service in list(self._services()):
            if not service.process.running():
                continue
            try:
                with _past_proxies.open(f"{service.url}/metrics", timeout=_ANSWER_WITHIN_S) as response:
                    lines = response.read().decode().splitlines()
            except OSError:  # it starts, ends or is frozen
                continue
            self._counts[service.process.name] = _read(line for line in lines if line.startswith(_NAMES))

    def _sums(self) -> dict[tuple[str, str], tuple[int, int]]:
        sums: _Counts = {}
        for counts in self._counts.values():
            for key, (requests, entries) in counts.items():
                total = sums.setdefault(key, [0, 0])
                total[0] += requests
                total[1] += entries
        return {key: (requests, entries) for key, (requests, entries) in sums.items()}


def _read(lines: Iterable[str]) -> _Counts:
    counts: _Counts = {}
    for family in text_string_to_metric_families("\n".join(lines) + "\n"):
        for sample in family.samples:
            key = (sample.labels.get("service", ""), sample.labels.get("operation", ""))
            counts.setdefault(key, [0, 0])[_NAMES.index(sample.name)] = int(sample.value)
    return counts
