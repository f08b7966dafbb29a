"""Metrics: every request counts, and no client can create a label."""

from order_api.metrics import Metrics
from unit.order_api.fakes import ORDER, RunningApi, running_api


async def test_routes_are_labelled_by_template(api: RunningApi) -> None:
    """Labels are route templates, whatever ids and addresses clients request."""
    for number in range(5):
        await api.http.get(f"/orders/1c0e2b8e-6d6f-5a53-9d3e-4f0c8f6a4b1{number}")
        await api.http.get(f"/wp-admin/{number}")
    await api.http.request("BREW", "/orders")

    text = (await api.http.get("/metrics")).text
    count = 'orderboard_api_request_seconds_count{method="GET",route="%s",status="404"} 5.0'
    assert count % "/orders/{order_id}" in text
    assert count % "unmatched" in text
    assert 'method="other"' in text
    assert "wp-admin" not in text
    assert "BREW" not in text


async def test_a_rejected_order_counts_wherever_it_was_rejected() -> None:
    """Orders rejected for token, size, content type or content all count as refused."""
    async with running_api(api_token="t") as api:
        token = {"Authorization": "Bearer t"}
        await api.http.post("/orders", json=ORDER)
        await api.http.post("/orders", content=b"x" * 100_000, headers=token)
        await api.http.post("/orders", content=b"x", headers=token)
        await api.http.post("/orders", json={}, headers=token)

        text = (await api.http.get("/metrics", headers=token)).text

    assert 'orderboard_api_orders_total{result="refused"} 4.0' in text
    assert 'orderboard_api_orders_total{result="accepted"} 0.0' in text


def test_apps_do_not_share_metrics() -> None:
    """Two apps in one process count separately."""
    first, second = Metrics(), Metrics()

    first.orders.labels("accepted").inc()

    assert second.registry.get_sample_value("orderboard_api_orders_total", {"result": "accepted"}) == 0
