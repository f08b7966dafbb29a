"""What a worker does before it can work, and how it can be asked how it is."""

import asyncio
from typing import Any

import aiohttp
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from support import eventually
from unit.worker.running import SHORT_RETRY
from worker.aws import NoSuchQueueError, queue_url
from worker.health import Health
from worker.metrics import Metrics
from worker.metrics_server import MetricsAddressError, metrics_server


class Directory:
    """Answers GetQueueUrl, with failures first."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)

    async def get_queue_url(self, *, QueueName: str) -> dict[str, Any]:  # noqa: N803
        """Fail, or answer."""
        if self.failures:
            raise self.failures.pop(0)
        return {"QueueUrl": f"http://sqs.test/{QueueName}"}


async def test_a_backend_that_is_not_there_yet_is_waited_for() -> None:
    """Health names the queue meanwhile; then the URL is found."""
    health = Health()
    directory = Directory(*[EndpointConnectionError(endpoint_url="http://sqs.test")] * 3)

    finding = asyncio.create_task(queue_url(directory, "cafe-work", "ORDERBOARD_WORK_QUEUE", health, SHORT_RETRY))
    await eventually(lambda: "queue cafe-work" in health.problems or finding.done())

    assert await finding == "http://sqs.test/cafe-work"
    assert not health.problems


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"])
async def test_a_queue_that_is_not_there_is_a_mistake_with_a_mend(code: str) -> None:
    """The error names the queue, its setting and the command that makes it."""
    directory = Directory(ClientError({"Error": {"Code": code, "Message": "no"}}, "GetQueueUrl"))

    with pytest.raises(NoSuchQueueError, match=r"'cafe-work'.*orderboard deploy.*ORDERBOARD_WORK_QUEUE"):
        await queue_url(directory, "cafe-work", "ORDERBOARD_WORK_QUEUE", Health(), SHORT_RETRY)


async def test_the_monitor_says_what_ails_the_worker() -> None:
    """/healthz is 200 when all is well, and 503 with each problem's words when not; /metrics counts."""
    health, metrics = Health(), Metrics()
    metrics.handled("work", "completed", 0.01)

    async with (
        metrics_server("127.0.0.1", 0, worker_id="worker-1", health=health, registry=metrics.registry) as address,
        aiohttp.ClientSession(address) as session,
    ):
        async with session.get("/healthz") as well:
            assert (well.status, (await well.json())["status"]) == (200, "ok")
        health.unhealthy("queue work", "connection refused")
        async with session.get("/healthz") as ill:
            assert ill.status == 503
            assert (await ill.json())["problems"] == {"queue work": "connection refused"}
        async with session.get("/metrics") as counted:
            text = await counted.text()

    assert 'orderboard_worker_messages_total{outcome="completed",queue="work"} 1.0' in text
    assert "orderboard_worker_in_hand 0.0" in text


async def test_a_port_that_is_taken_is_named() -> None:
    """The error says which address, and what to do."""
    health, metrics = Health(), Metrics()
    async with metrics_server("127.0.0.1", 0, worker_id="a", health=health, registry=metrics.registry) as address:
        port = int(address.rsplit(":", 1)[1])

        with pytest.raises(MetricsAddressError, match=f"127.0.0.1:{port}.*--metrics-port"):
            async with metrics_server("127.0.0.1", port, worker_id="b", health=health, registry=metrics.registry):
                raise AssertionError("never reached")
