"""Probes: health, and readiness that names missing services."""

import asyncio
import time

import pytest
from order_api import health
from order_api.health import Readiness
from support.waiting import eventually
from unit.order_api.fakes import FakeService, RunningApi, assert_problem, throttled, unreachable


async def test_ready_when_all_respond(api: RunningApi) -> None:
    """Topic, bus and table are there."""
    response = await api.http.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"status": "ready", "checks": {"sns": "ok", "events": "ok", "dynamodb": "ok"}}


@pytest.mark.parametrize("down", ["sns", "events"])
async def test_a_service_that_is_down_is_named(api: RunningApi, down: str) -> None:
    """503 that names the service and its error; the process itself stays healthy."""
    service: FakeService = getattr(api, down)
    service.failures.append(throttled("Describe"))

    response = await api.http.get("/readyz")

    [error] = assert_problem(response, 503, "not-ready")["errors"]
    assert (error["source"], error["field"], error["detail"]) == ("dependency", down, "Describe: Throttling")
    assert response.headers["retry-after"] == "1"
    assert (await api.http.get("/healthz")).json() == {"status": "ok"}


async def test_without_the_table_the_api_is_degraded(api: RunningApi) -> None:
    """Orders can be accepted, so the API is ready; the report says that reading fails."""
    api.dynamodb.failures.append(unreachable())

    response = await api.http.get("/readyz")

    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["checks"]["dynamodb"] == "EndpointConnectionError"


async def test_services_that_hang_are_named_in_time(api: RunningApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three services that hang still give a response within the deadline: they are checked concurrently."""
    monkeypatch.setattr(health, "PROBE_DEADLINE_S", 0.2)
    for service in (api.sns, api.events, api.dynamodb):
        service.gate.clear()
    began = time.perf_counter()

    response = await api.http.get("/readyz")

    assert {error["field"] for error in assert_problem(response, 503, "not-ready")["errors"]} == {
        "sns",
        "events",
        "dynamodb",
    }
    assert time.perf_counter() - began < 1.5


async def test_concurrent_requests_share_one_check(api: RunningApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many requests come, each service is called once at a time: all get the one failure, the next is fine."""
    api.sns.gate.clear()
    api.sns.failures.append(unreachable())
    check, checks = Readiness.check, []

    async def counted(readiness: Readiness) -> dict[str, str]:
        checks.append(readiness)
        return await check(readiness)

    monkeypatch.setattr(Readiness, "check", counted)
    callers = [asyncio.create_task(api.http.get("/readyz")) for _ in range(20)]
    await eventually(lambda: len(checks) == 20)

    api.sns.gate.set()
    responses = await asyncio.gather(*callers)

    assert {response.status_code for response in responses} == {503}
    assert (await api.http.get("/readyz")).status_code == 200
