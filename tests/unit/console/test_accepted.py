"""Orders are read from order-api's log as it grows."""

import json
from pathlib import Path

from orderboard.console.accepted import AcceptedOrders


def _line(event: str, order_id: str) -> str:
    return json.dumps({"timestamp": "2026-01-01T08:00:00Z", "message": event, "order_id": order_id}) + "\n"


def test_each_line_is_read_once_and_only_when_it_is_whole(tmp_path: Path) -> None:
    """What is appended is read the next time; half a line waits for its other half; other lines are nothing."""
    path = tmp_path / "order-api.log"
    orders = AcceptedOrders(path)
    assert orders.new() == []

    second = _line("order.accepted", "b")
    path.write_text(
        _line("order.accepted", "a") + _line("cancellation.accepted", "a") + '"order.accepted" no JSON\n' + second[:20]
    )
    assert orders.new() == ["a"]

    with path.open("a") as log:
        log.write(second[20:])
    assert orders.new() == ["b"]
    assert orders.new() == []
