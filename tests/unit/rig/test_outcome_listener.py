"""The events that end an order, and the queue on which they are received."""

from dataclasses import fields

from localbus.pytest_plugin import Localbus
from orderboard.ledger.ledger import Outcome
from orderboard.ledger.outcome_listener import final_outcome, listen_for_outcomes
from orderboard.system.target import Target
from orderboard_contracts.events import Event, OrderRejected, RejectedData, RejectionReason
from orderboard_contracts.identity import new_order_id
from orderboard_stack.backend import Endpoint
from orderboard_stack.outputs import StackOutputs

ORDER_ID = new_order_id()


def _rejected(reason: RejectionReason) -> Event:
    return OrderRejected(
        id="event-1",
        source="orderboard.worker",
        subject=ORDER_ID,
        time="2026-01-01T00:00:00Z",
        data=RejectedData(order_id=ORDER_ID, customer_id="ada", reason=reason, detail="no"),
    )


def test_a_rejection_ends_the_order() -> None:
    """An order that is sold out has ended."""
    assert final_outcome(_rejected("sold_out")) == Outcome("event-1", ORDER_ID, "rejected")


def test_an_idempotency_conflict_ends_nothing() -> None:
    """The conflict rejects another order under the same key; the first keeps its state."""
    assert final_outcome(_rejected("idempotency_conflict")) is None


def test_one_listener_follows_another(localbus: Localbus) -> None:
    """Measurements may follow each other at once, although the name of a deleted queue is not free for a minute."""
    localbus.client("events").create_event_bus(Name="board")
    outputs = StackOutputs(**{field.name: "board" for field in fields(StackOutputs)})
    target = Target(Endpoint("embedded", localbus.url), outputs)

    for _ in range(2):
        with listen_for_outcomes(target):
            pass

    assert localbus.client("sqs").list_queues().get("QueueUrls", []) == []
    assert localbus.client("events").list_rules(EventBusName="board")["Rules"] == []
