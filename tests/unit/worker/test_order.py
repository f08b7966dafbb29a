"""The life cycle of an order: new rows, and the resolution of existing ones."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from orderboard_aws_client.order_codec import from_item, to_item
from orderboard_contracts.events import CancellationRefused, OrderCancelled, OrderCompleted, OrderRejected
from unit.worker.commands import ACCEPTED_AT, cancellation, placed
from worker.order import (
    AwaitOrder,
    Emit,
    RecordingContext,
    ReplaceTombstone,
    outcome_of,
    record_of,
    resolve_cancellation,
    resolve_existing,
    tombstone_of,
)

NOW = datetime(2026, 3, 2, 7, 31, 0, 250_000, tzinfo=UTC)
HERE = RecordingContext(recorded_at=NOW, worker_id="worker-1", receive_count=2)
NOTHING: frozenset[str] = frozenset()


def test_an_order_is_recorded_as_it_was_accepted() -> None:
    """The row has the customer's data, the worker, and the receive count."""
    order = placed(quantity=3, note="oat milk 🥛")

    record = record_of(order, NOTHING, HERE)

    assert record.status == "completed"
    assert record.total_cents == 3 * 390
    assert record.note == "oat milk 🥛"
    assert (record.placed_at, record.recorded_at) == (ACCEPTED_AT, NOW)
    assert (record.worker_id, record.receive_count) == ("worker-1", 2)
    assert record.expires_at is None


def test_a_sold_out_item_is_rejected() -> None:
    """The order is rejected with a reason for machines and one for people."""
    record = record_of(placed(sku="cinnamon-bun"), {"cinnamon-bun"}, HERE)

    event = outcome_of(record)

    assert record.status == "rejected"
    assert isinstance(event, OrderRejected)
    assert event.data.reason == "sold_out"
    assert "cinnamon-bun" in event.data.detail


def test_the_outcome_follows_from_the_row_alone() -> None:
    """The event made when the row is written and the one made from the stored row are the same, byte for byte."""
    for record in (
        record_of(placed(), NOTHING, HERE),
        record_of(placed(sku="tea"), {"tea"}, HERE),
        record_of(placed(), NOTHING, HERE).model_copy(update={"status": "cancelled", "cancel_reason": "late"}),
    ):
        stored = from_item(to_item(record))

        assert stored == record
        assert outcome_of(stored).to_json() == outcome_of(record).to_json()


def test_a_redelivered_order_repeats_its_outcome() -> None:
    """With the same digest and a final row, nothing is written, and the event is equal to the first one."""
    order = placed()
    first = record_of(order, NOTHING, HERE)
    later = RecordingContext(NOW + timedelta(hours=1), "worker-2", 3)

    settled = resolve_existing(order, record_of(order, {"flat-white"}, later), first)

    assert settled == Emit(outcome_of(first), "completed")


@pytest.mark.parametrize("status", ["completed", "rejected", "cancelled"])
def test_another_order_under_the_same_id_is_a_conflict(status: str) -> None:
    """A second order with other contents is rejected, with another event id, whatever the first one's final state."""
    order_id = str(uuid.uuid4())
    first, second = placed(order_id), placed(order_id, quantity=2)
    existing = record_of(first, {"flat-white"} if status == "rejected" else NOTHING, HERE).model_copy(
        update={"status": status}
    )

    settled = resolve_existing(second, record_of(second, NOTHING, HERE), existing)

    assert isinstance(settled, Emit)
    assert isinstance(settled.event, OrderRejected)
    assert settled.event.data.reason == "idempotency_conflict"
    assert settled.event.id != outcome_of(existing).id
    assert settled == resolve_existing(second, record_of(second, NOTHING, HERE), existing)


def test_a_tombstone_turns_the_order_into_a_cancelled_one() -> None:
    """An order that comes after its cancellation is recorded in full, as cancelled, and for good."""
    order = placed(sku="tea")
    tombstone = tombstone_of(cancellation(order.subject, "too slow"), HERE)

    settled = resolve_existing(order, record_of(order, {"tea"}, HERE), tombstone)

    assert isinstance(settled, ReplaceTombstone)
    assert settled.record.status == "cancelled"
    assert settled.record.cancel_reason == "too slow"
    assert settled.record.digest == order.data.digest
    assert settled.record.rejection_reason is None
    assert settled.record.expires_at is None
    assert isinstance(outcome_of(settled.record), OrderCancelled)


def test_a_tombstone_outlives_every_queue_and_stays_out_of_the_customer_index() -> None:
    """It expires later than 14 days in a queue plus 14 in its dead-letter queue, and names no customer."""
    tombstone = tombstone_of(cancellation(str(uuid.uuid4())), HERE)

    assert tombstone.expires_at is not None
    assert tombstone.expires_at > (NOW + timedelta(days=28)).timestamp()
    assert set(to_item(tombstone)) == {"order_id", "status", "cancel_reason", "recorded_at", "expires_at"}
    with pytest.raises(ValueError, match="no outcome yet"):
        outcome_of(tombstone)


@pytest.mark.parametrize(("sold_out", "status"), [(NOTHING, "completed"), (frozenset({"cinnamon-bun"}), "rejected")])
def test_a_cancellation_that_comes_too_late_is_refused(sold_out: frozenset[str], status: str) -> None:
    """A final order stays as it is; the refusal names its state and is equal when it is repeated."""
    order = placed(sku="cinnamon-bun")
    existing = record_of(order, sold_out, HERE)

    settled = resolve_cancellation(cancellation(order.subject), existing)

    assert isinstance(settled, Emit)
    assert isinstance(settled.event, CancellationRefused)
    assert settled.event.data.status == status
    assert settled == resolve_cancellation(cancellation(order.subject), existing)


def test_a_cancellation_redelivered_changes_nothing() -> None:
    """A tombstone stays as it is; a cancelled order repeats its outcome."""
    order = placed()
    tombstone = tombstone_of(cancellation(order.subject), HERE)
    cancelled = record_of(order, NOTHING, HERE).model_copy(update={"status": "cancelled"})

    assert resolve_cancellation(cancellation(order.subject), tombstone) == AwaitOrder()
    assert resolve_cancellation(cancellation(order.subject), cancelled) == Emit(outcome_of(cancelled), "cancelled")


def test_a_completion_has_the_fields_that_the_bus_filters_on() -> None:
    """The event has the priority for the express rule, and the trace of the request."""
    event = outcome_of(record_of(placed(priority="express"), NOTHING, HERE))

    assert isinstance(event, OrderCompleted)
    assert event.data.priority == "express"
    assert event.correlationid == "rush-1"
    assert event.time == NOW
