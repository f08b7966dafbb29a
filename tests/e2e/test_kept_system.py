"""A system that is ended and started again: it goes on with what it had, unless a clean start is asked for."""

import json
from typing import Any

from e2e.command import Command
from support.waiting import eventually

ORDERS = """\
{"customer_id": "ada", "lines": [{"sku": "tea", "quantity": 2}], "idempotency_key": "tea"}
{"customer_id": "grace", "lines": [{"sku": "tea", "quantity": 1}], "fault": "poison", "idempotency_key": "poison"}
{"customer_id": "edsger", "lines": [{"sku": "catering-box", "quantity": 3}], "idempotency_key": "large"}
"""


def status(orderboard: Command) -> dict[str, Any]:
    """Return the status of a system where everything runs."""
    done = orderboard.run("status", "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def place(orderboard: Command) -> dict[int, str]:
    """Place the orders above and return their ids by line."""
    done = orderboard.run("place", "--json", stdin=ORDERS)
    assert done.returncode == 0, done.stderr
    return {answer["line"]: answer["order_id"] for answer in map(json.loads, done.stdout.splitlines())}


def up(orderboard: Command, *options: str) -> dict[str, Any]:
    """Start the system."""
    done = orderboard.run("up", "--json", "--allow-faults", "--no-console", *options)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


async def test_up_goes_on_after_down_and_fresh_starts_with_nothing(orderboard: Command) -> None:
    """Rows, dead letters, alerts and the stack are there again, and nothing is made twice; --fresh has none of it.

    It takes more than 5 s: a system starts three times.
    """
    try:
        first = up(orderboard)
        ids = place(orderboard)

        def settled() -> None:
            found = status(orderboard)
            assert found["orders"] == 2
            assert found["queues"]["orderboard-work-dlq"]["visible"] == 1
            assert found["queues"]["orderboard-inbox"]["visible"] in {1, 2}  # the alert, and the dead letter's alarm

        await eventually(settled, within_s=60)
        refused = orderboard.run("reset", "--yes")
        assert refused.returncode == 1
        assert "orderboard down" in refused.stderr

        down = orderboard.run("down")
        assert str(orderboard.state_dir / "data") in down.stdout
        second = up(orderboard)

        assert second["environment"].items() >= {
            (name, value) for name, value in first["environment"].items() if name.startswith("ORDERBOARD_")
        }
        settled()
        assert place(orderboard) == ids
        shown = orderboard.run("show", ids[3], "--json")
        assert json.loads(shown.stdout)["record"]["status"] == "completed"

        orderboard.run("down")
        up(orderboard, "--fresh")
        assert status(orderboard)["orders"] == 0
    finally:
        orderboard.run("down")
