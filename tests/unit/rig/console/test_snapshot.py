"""Queue depths, from one answer of localbus or queue by queue. What is unknown is None."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from orderboard.console import snapshot
from orderboard.console.snapshot import QueueDepths
from orderboard.console.source import Source
from orderboard.orders.browse import BrowseUnavailableError, StoredMessage
from orderboard.orders.queues import Depth

TOPIC = "arn:aws:sns:eu-west-1:000000000000:orders"


def _queue(name: str, *, region: str = "eu-west-1", oldest: float | None = None) -> dict[str, Any]:
    counts = {"visible": 3, "in_flight": 2, "delayed": 1}
    return {"name": name, "account": "000000000000", "region": region, **counts, "oldest_sent_at": oldest}


def _source(queues: dict[str, Any] | None, counts: Iterator[int] | None = None) -> Source:
    def attributes(**_: object) -> dict[str, Any]:
        return {"Attributes": {"ApproximateNumberOfMessages": str(next(counts or iter([0])))}}

    target = SimpleNamespace(
        outputs=SimpleNamespace(orders_topic_arn=TOPIC),
        sqs=SimpleNamespace(get_queue_attributes=attributes),
        endpoint=None,
    )
    engine = SimpleNamespace(queues=lambda: queues)
    found = SimpleNamespace(target=lambda: target, localbus=lambda: engine, queue_url=lambda name: name)
    return cast(Source, found)


def test_localbus_reports_all_queues_at_once() -> None:
    """Counts and ages are of one instant by localbus's clock, and of the stack's region only."""
    queues = {
        "now": 5000.0,
        "queues": [_queue("work", oldest=1400.0), _queue("dlq"), _queue("work", region="us-east-1")],
    }

    found = QueueDepths(_source(queues)).read(["work"], ["dlq"], now_s=9e9)

    assert found["work"] == (Depth(3, 2, 1), 3600)
    assert found["dlq"] == (Depth(3, 2, 1), None)


def test_other_backends_are_read_queue_by_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """The age is that of the oldest visible message; unknown if there is none or the backend shows none."""
    stored = [StoredMessage("m1", "", 90.0, 0, True, {}), StoredMessage("m2", "", 70.0, 0, True, {})]
    monkeypatch.setattr(snapshot, "browse", lambda *_: list(stored))
    depths = QueueDepths(_source(None, iter([2, 2, 2])))

    assert depths.read(["work"], [], now_s=100.0)["work"][1] == 30
    stored.clear()
    assert depths.read(["work"], [], now_s=102.0)["work"][1] is None

    def unavailable(*_: object) -> list[StoredMessage]:
        raise BrowseUnavailableError

    monkeypatch.setattr(snapshot, "browse", unavailable)
    assert depths.read(["work"], [], now_s=200.0)["work"][1] is None


def test_an_old_localbus_is_read_like_others() -> None:
    """One that does not report its queues, or not all of them, is read with SQS's own call."""
    queues = {"now": 5000.0, "queues": [_queue("work")]}

    assert QueueDepths(_source(queues, iter([7]))).read([], ["dlq"], now_s=0)["dlq"][0].visible == 7
