"""How much is in each queue, from one answer of localbus or queue by queue. What is not known is None."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from orderboard.console import depths
from orderboard.console.depths import Depths
from orderboard.console.source import Source
from orderboard.orders.browse import BrowseUnavailableError, StoredMessage
from orderboard.orders.queues import Depth

TOPIC = "arn:aws:sns:eu-west-1:000000000000:orders"


def _told(name: str, *, region: str = "eu-west-1", oldest: float | None = None) -> dict[str, Any]:
    counts = {"visible": 3, "in_flight": 2, "delayed": 1}
    return {"name": name, "account": "000000000000", "region": region, **counts, "oldest_sent_at": oldest}


def _source(told: dict[str, Any] | None, counts: Iterator[int] | None = None) -> Source:
    def attributes(**_: object) -> dict[str, Any]:
        return {"Attributes": {"ApproximateNumberOfMessages": str(next(counts or iter([0])))}}

    target = SimpleNamespace(
        outputs=SimpleNamespace(orders_topic_arn=TOPIC),
        sqs=SimpleNamespace(get_queue_attributes=attributes),
        endpoint=None,
    )
    engine = SimpleNamespace(queues=lambda: told)
    found = SimpleNamespace(target=lambda: target, localbus=lambda: engine, queue_url=lambda name: name)
    return cast(Source, found)


def test_localbus_tells_all_at_once() -> None:
    """Counts and ages are those of one instant, by localbus's own clock, of our region and not of another."""
    told = {"now": 5000.0, "queues": [_told("work", oldest=1400.0), _told("dlq"), _told("work", region="us-east-1")]}

    found = Depths(_source(told)).look(["work"], ["dlq"], now_s=9e9)

    assert found["work"].depth == Depth(3, 2, 1)
    assert found["work"].oldest_s == 3600
    assert found["dlq"].oldest_s is None


def test_others_are_asked_queue_by_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """The age is that of the oldest message that is shown; it is unknown where none is, and where none may be."""
    shown: list[StoredMessage] = [
        StoredMessage("m1", "", 90.0, 0, True, {}),
        StoredMessage("m2", "", 70.0, 0, True, {}),
    ]
    monkeypatch.setattr(depths, "browse", lambda *_: list(shown))
    looked = Depths(_source(None, iter([2, 2, 2])))

    assert looked.look(["work"], [], now_s=100.0)["work"].oldest_s == 30
    shown.clear()
    assert looked.look(["work"], [], now_s=102.0)["work"].oldest_s is None

    def refused(*_: object) -> list[StoredMessage]:
        raise BrowseUnavailableError

    monkeypatch.setattr(depths, "browse", refused)
    assert looked.look(["work"], [], now_s=200.0)["work"].oldest_s is None


def test_an_old_localbus_is_asked_like_others() -> None:
    """One that does not tell of its queues, or not of all of them, is asked by SQS's own call."""
    told = {"now": 5000.0, "queues": [_told("work")]}

    assert Depths(_source(told, iter([7]))).look([], ["dlq"], now_s=0)["dlq"].depth.visible == 7
