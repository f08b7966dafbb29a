"""The start of a worker, and its metrics server."""

import asyncio
from typing import Any, cast

import aiohttp
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from support.waiting import eventually
from unit.worker.running import SHORT_RETRY
from worker.aws import NoSuchQueueError, queue_url
from worker.health import Health
from worker.metrics import Metrics
from worker.metrics_server import MetricsAddressError, metrics_server


class Directory:
    """GetQueueUrl, with failures first."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)

    async def get_queue_url(self, *, QueueName: str) -> dict[str, Any]:  # noqa: N803
        """Fail or respond."""
        if self.failures:
            raise self.failures.pop(0)
        return {"QueueUrl": f"http://sqs.test/{QueueName}"}


async def test_the_start_waits_for_the_backend() -> None:
    """Health names the queue until its URL is found."""
    health = Health()
    directory = Directory(*[EndpointConnectionError(endpoint_url="http://sqs.test")] * 3)

    finding = asyncio.create_task(
        queue_url(cast("Any", directory), "cafe-work", "ORDERBOARD_WORK_QUEUE", health, SHORT_RETRY)
    )
    await eventually(lambda: "queue cafe-work" in health.problems or finding.done())

    assert await finding == "http://sqs.test/cafe-work"
    assert not health.problems


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"])
async def test_a_missing_queue_is_an_error_with_a_fix(code: str) -> None:
    """The error names the queue, its setting and the command that creates it."""
    directory = Directory(ClientError({"Error": {"Code": code, "Message": "no"}}, "GetQueueUrl"))

    with pytest.raises(NoSuchQueueError, match=r"'cafe-work'.*orderboard deploy.*ORDERBOARD_WORK_QUEUE"):
        await queue_url(cast("Any", directory), "cafe-work", "ORDERBOARD_WORK_QUEUE", Health(), SHORT_RETRY)


async def test_the_metrics_server_reports_health() -> None:
    """/healthz is 200, or 503 with the description of each problem; /livez is always 200; /metrics has the counters."""
    health, metrics = Health(), Metrics()
    metrics.handled("work", "completed", 0.01)

    async with (
        metrics_server("127.0.0.1", 0, worker_id="worker-1", health=health, registry=metrics.registry) as address,
        aiohttp.ClientSession(address) as session,
    ):
        async with session.get("/healthz") as healthy:
            assert (healthy.status, (await healthy.json())["status"]) == (200, "ok")
        health.unhealthy("queue work", "connection refused")
        async with session.get("/healthz") as unhealthy:
            assert unhealthy.status == 503
            assert (await unhealthy.json())["problems"] == {"queue work": "connection refused"}
        async with session.get("/livez") as alive:
            assert alive.status == 200
        async with session.get("/metrics") as counted:
            text = await counted.text()

    assert 'orderboard_worker_messages_total{outcome="completed",queue="work"} 1.0' in text
    assert "orderboard_worker_held_messages 0.0" in text


async def test_a_port_in_use_is_named() -> None:
    """The error names the address and the fix."""
    health, metrics = Health(), Metrics()
    async with metrics_server("127.0.0.1", 0, worker_id="a", health=health, registry=metrics.registry) as address:
        port = int(address.rsplit(":", 1)[1])

        with pytest.raises(MetricsAddressError, match=f"127.0.0.1:{port}.*--metrics-port"):
            async with metrics_server("127.0.0.1", port, worker_id="b", health=health, registry=metrics.registry):
                raise AssertionError("never reached")
