"""Web pages that use the engine: those of this machine may, others only if allowed."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from localbus.engine import Options
from localbus.pytest_plugin import Localbus

SEND = {"Action": "ListQueues", "Version": "2012-11-05"}


@pytest.fixture
def open_to_shop() -> Iterator[Localbus]:
    """An engine that allows pages of a shop."""
    bus = Localbus(Options(allow_origins=("https://shop.example",))).start()
    yield bus
    bus.stop()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://[::1"])
def test_a_page_from_elsewhere_is_rejected(localbus: Localbus, origin: str) -> None:
    """A form of another site's page has no effect, although browsers send it."""
    answer = httpx.post(
        localbus.url, data=SEND | {"Action": "CreateQueue", "QueueName": "q"}, headers={"Origin": origin}
    )

    assert answer.status_code == 403
    assert "--allow-origin" in answer.text
    assert "QueueUrls" not in localbus.client("sqs").list_queues()


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:5173"])
def test_a_page_of_this_machine(localbus: Localbus, origin: str) -> None:
    """A page of this machine may send a preflight request, and read the answer."""
    preflight = httpx.options(
        localbus.url,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,x-amz-target",
        },
    )
    answer = httpx.post(localbus.url, data=SEND, headers={"Origin": origin})

    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-headers"] == "authorization,x-amz-target"
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin


def test_an_allowed_page(open_to_shop: Localbus) -> None:
    """An allowed origin may wait for its answer; another is rejected."""
    url = open_to_shop.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    wait = SEND | {"Action": "ReceiveMessage", "QueueUrl": url, "WaitTimeSeconds": "1"}

    allowed = httpx.post(open_to_shop.url, data=wait, headers={"Origin": "https://shop.example"})
    rejected = httpx.post(open_to_shop.url, data=SEND, headers={"Origin": "https://other.example"})

    assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
    assert rejected.status_code == 403
