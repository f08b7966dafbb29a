"""Failing backends: the errors, their timing, and retries that succeed."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from orderboard_contracts.identity import order_id_for
from support.waiting import eventually
from unit.order_api.fakes import (
    ORDER,
    FakeService,
    RunningApi,
    assert_problem,
    broken_responses,
    running_api,
    throttled,
    unreachable,
)

PERMANENT_ERROR = {"Code": "InvalidParameter", "SenderFault": True, "Message": "no"}
TRANSIENT_ERROR = {"Code": "InternalError", "SenderFault": False, "Message": "sorry"}


async def assert_unavailable(api: RunningApi, key: str) -> None:
    """An order with this key gets a 503 with Retry-After."""
    response = await api.place(key=key)
    assert_problem(response, 503, "not-published")
    assert response.headers["retry-after"] == "1"


@pytest.mark.parametrize("down", ["sns", "events"])
@pytest.mark.parametrize("failure", [unreachable, lambda: throttled("Publish")], ids=["unreachable", "throttled"])
async def test_a_half_done_publish_is_a_503_that_a_retry_completes(
    api: RunningApi, down: str, failure: Callable[[], Exception]
) -> None:
    """One service accepts, the other fails: 503. The same request again publishes the same order to both."""
    service: FakeService = getattr(api, down)
    service.failures.append(failure())

    await assert_unavailable(api, "heal")
    healed = await api.place(key="heal")

    assert healed.status_code == 202
    assert healed.json()["order_id"] == order_id_for("heal")
    assert {event.id for event in api.sns.events} == {event.id for event in api.events.events}
    assert len({event.id for event in api.sns.events}) == 1


@pytest.mark.parametrize("silent", ["sns", "events"])
async def test_a_lost_response_is_a_503_and_a_retry_repeats_the_event(api: RunningApi, silent: str) -> None:
    """The service accepted without a timely response: the repeat has the same event id, so it can be detected."""
    service: FakeService = getattr(api, silent)
    service.responses_to_lose = 1

    await assert_unavailable(api, "lost")
    repeated = await api.place(key="lost")

    events = getattr(api, silent).events
    assert repeated.status_code == 202
    assert len(events) == 2
    assert len({event.id for event in events}) == 1


@pytest.mark.parametrize("broken", ["sns", "events"])
@pytest.mark.parametrize("kind", broken_responses())
async def test_a_cut_off_or_garbled_response_is_a_503(api: RunningApi, broken: str, kind: str) -> None:
    """The order may have been published, so the client gets a retryable error instead of a 500."""
    service: FakeService = getattr(api, broken)
    service.failures.append(broken_responses()[kind])

    await assert_unavailable(api, "broken")
    healed = await api.place(key="broken")

    assert healed.status_code == 202


async def test_after_a_failure_the_key_stays_claimed(api: RunningApi) -> None:
    """A failed publish may have succeeded, so its key is accepted with the first body only."""
    api.sns.failures.append(unreachable())
    await assert_unavailable(api, "bound")

    other = await api.place({**ORDER, "note": "another"}, key="bound")
    same = await api.place(key="bound")

    assert_problem(other, 422, "idempotency-key-reused")
    assert same.status_code == 202


@pytest.mark.parametrize("hanging", ["sns", "events"])
async def test_a_service_that_hangs_is_a_503_in_time(hanging: str) -> None:
    """No request waits longer than the deadline."""
    async with running_api(api_publish_deadline_s=0.2) as api:
        service: FakeService = getattr(api, hanging)
        service.gate.clear()
        began = time.perf_counter()

        await assert_unavailable(api, "hang")

        assert 0.15 < time.perf_counter() - began < 1.5


async def test_a_full_buffer_is_a_503_at_once() -> None:
    """One order more than may wait is rejected without waiting for the deadline."""
    async with running_api(api_publish_slots=1, api_publish_max_waiting=10, api_publish_deadline_s=5) as api:
        api.sns.gate.clear()
        concurrent = [asyncio.create_task(api.place(key=f"concurrent-{number}")) for number in range(30)]
        await eventually(lambda: any(order.done() for order in concurrent))
        began = time.perf_counter()

        await assert_unavailable(api, "too-many")
        seconds = time.perf_counter() - began
        api.sns.gate.set()
        responses = await asyncio.gather(*concurrent)

        assert seconds < 0.5
        assert [response.status_code for response in responses].count(202) >= 10


async def test_only_the_rejected_entry_fails(api: RunningApi) -> None:
    """Of orders that share a call, only the one that SNS rejects gets a 503."""
    api.sns.rejections.append(PERMANENT_ERROR)

    responses = await asyncio.gather(*(api.place(key=f"shared-{number}") for number in range(10)))

    assert sorted(response.status_code for response in responses) == [202] * 9 + [503]
    refused = next(number for number, response in enumerate(responses) if response.status_code == 503)
    assert order_id_for(f"shared-{refused}") not in {event.subject for event in api.sns.events}


async def test_a_transient_error_of_an_entry_is_retried(api: RunningApi) -> None:
    """An entry with a retryable error is sent again; the client only sees a 202."""
    api.sns.rejections.append(TRANSIENT_ERROR)
    api.events.rejections.append({"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"})

    response = await api.place()

    assert response.status_code == 202
    assert (len(api.sns.calls), len(api.events.calls)) == (2, 2)


async def test_an_unexpected_error_is_a_500_without_details(api: RunningApi) -> None:
    """An unexpected error is a 500 problem that does not reveal the cause, and the next request succeeds."""
    api.sns.failures.append(RuntimeError("secret detail"))

    broken = await api.place()
    next_one = await api.place()

    assert "secret" not in broken.text
    assert_problem(broken, 500, "internal-error")
    assert broken.headers["x-correlation-id"]
    assert broken.headers["x-content-type-options"] == "nosniff"
    assert next_one.status_code == 202


async def test_a_client_that_leaves_withdraws_its_waiting_order() -> None:
    """A request that is cancelled before its call leaves nothing behind, and the next order is served."""
    async with running_api(api_publish_slots=1) as api:
        api.sns.gate.clear()
        first = asyncio.create_task(api.place(key="first"))
        await api.sns.called.wait()
        leaving = asyncio.create_task(api.place(key="gone"))
        await eventually(lambda: api.waiting("sns") == 1)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        assert api.waiting("sns") == 0

        api.sns.gate.set()
        responses = await asyncio.gather(first, api.place(key="stays"))

        assert [response.status_code for response in responses] == [202, 202]
        assert [event.subject for event in api.sns.events] == [order_id_for("first"), order_id_for("stays")]


@pytest.mark.parametrize(
    ("prepare", "result"),
    [
        (lambda api: None, "accepted"),
        (lambda api: api.sns.failures.append(unreachable()), "unavailable"),
    ],
    ids=["accepted", "unavailable"],
)
async def test_orders_are_counted_by_response(
    api: RunningApi, prepare: Callable[[RunningApi], Any], result: str
) -> None:
    """The counter distinguishes accepted from unavailable."""
    prepare(api)

    await api.place()

    assert await api.metric(f'orderboard_api_orders_total{{result="{result}"}}') == 1
    assert await api.metric("orderboard_api_orders_total") == 1
