"""The metrics of SQS: published each minute for a queue that is active.

A queue is active for six hours after an action on it, and as long as it has messages.
Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from localbus.cloudwatch.metric import Point, Published, point_of
from localbus.cloudwatch.metric_query import Owner
from localbus.sqs.counters import QueueCounters
from localbus.sqs.fifo_queue import FifoQueue
from localbus.sqs.message import Counts
from localbus.sqs.queue import Queue
from localbus.sqs.state import Sqs

NAMESPACE: Final = "AWS/SQS"
ACTIVE_S: Final = 6 * 3_600


class QueueMetrics:
    """The source of the metrics of all queues. It takes their counters."""

    def __init__(self, sqs: Sqs) -> None:
        self._sqs = sqs
        self._active_until: dict[str, float] = {}

    def __call__(self, now: float) -> Iterator[tuple[Owner, str, Published]]:
        """Yield the data points of the minute that has ended."""
        existing = set()
        for record in self._sqs.queues:
            queue = record.queue
            existing.add(queue.arn)
            counters, queue.counters = queue.counters, QueueCounters()
            gauges = queue.counts()
            if counters != QueueCounters() or any(gauges):
                self._active_until[queue.arn] = now + ACTIVE_S
            if self._active_until.get(queue.arn, 0.0) <= now:
                continue
            dimensions = (("QueueName", queue.name),)
            for name, unit, point in (*_of_state(queue, gauges, now), *_of_counters(counters)):
                yield Owner(record.account, record.region), NAMESPACE, Published(name, dimensions, unit, point)
        for arn in self._active_until.keys() - existing:
            del self._active_until[arn]


def _of_state(queue: Queue, gauges: Counts, now: float) -> Iterable[tuple[str, str, Point]]:
    since = queue.oldest_waiting_since()
    yield "ApproximateAgeOfOldestMessage", "Seconds", point_of(float(int(now - since)) if since is not None else 0.0)
    yield "ApproximateNumberOfMessagesVisible", "Count", point_of(float(gauges.visible))
    yield "ApproximateNumberOfMessagesNotVisible", "Count", point_of(float(gauges.in_flight))
    yield "ApproximateNumberOfMessagesDelayed", "Count", point_of(float(gauges.delayed))
    if isinstance(queue, FifoQueue):
        groups = float(queue.groups_in_flight())
        yield "ApproximateNumberOfGroupsWithInflightMessages", "Count", point_of(groups)


def _of_counters(counters: QueueCounters) -> Iterable[tuple[str, str, Point]]:
    yield "NumberOfMessagesSent", "Count", point_of(float(counters.sent))
    yield "NumberOfMessagesReceived", "Count", point_of(float(counters.received))
    yield "NumberOfMessagesDeleted", "Count", point_of(float(counters.deleted))
    yield "NumberOfEmptyReceives", "Count", point_of(float(counters.empty_receives))
    if counters.deduplicated:
        yield "NumberOfDeduplicatedSentMessages", "Count", point_of(float(counters.deduplicated))
    if counters.sizes:
        smallest, largest = float(counters.smallest_bytes), float(counters.largest_bytes)
        size = Point(float(counters.sizes), float(counters.size_bytes), smallest, largest)
        yield "SentMessageSize", "Bytes", size
