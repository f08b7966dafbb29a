"""Which events make an alert, how urgent it is, whom it is for and what it says. A pure function of the event."""

from typing import Final, NamedTuple

from orderboard_contracts.alert import MAX_ALERT_TEXT_CHARACTERS, Alert, AlertKind, Audience, Severity, alert_id_for
from orderboard_contracts.events import (
    CancellationRefused,
    Event,
    OrderCompleted,
    OrderPlaced,
    OrderRejected,
)

from notifier.wording import money, printable, shortened


class _Call(NamedTuple):
    severity: Severity
    audience: Audience


CALLS: Final[dict[AlertKind, _Call]] = {
    "large_order": _Call("info", "barista"),
    "order_rejected": _Call("warning", "customer"),
    "idempotency_conflict": _Call("critical", "manager"),
    "express_ready": _Call("info", "customer"),
    "cancellation_refused": _Call("warning", "customer"),
}


def alert_for(event: Event) -> Alert | None:
    """The alert that this event makes, or None.

    How large a large order is, the bus rule alone decides: of an order placed, nothing less comes this far.
    """
    match event:
        case OrderPlaced(data=data):
            pieces = sum(line.quantity for line in data.lines)
            total = money(data.total_cents, data.currency)
            return _alert(event, "large_order", f"Large order from {data.customer_id}: {pieces} pieces for {total}")
        case OrderRejected(data=data) if data.reason == "idempotency_conflict":
            return _alert(event, "idempotency_conflict", f"Two orders under one key: {data.detail}")
        case OrderRejected(data=data):
            return _alert(event, "order_rejected", f"Order of {data.customer_id} rejected: {data.detail}")
        case OrderCompleted(data=data) if data.priority == "express":
            return _alert(event, "express_ready", f"Express order of {data.customer_id} is ready")
        case CancellationRefused(data=data):
            return _alert(event, "cancellation_refused", f"Too late to cancel, order is {data.status}: {data.detail}")
        case _:
            return None


def _alert(event: Event, kind: AlertKind, text: str) -> Alert:
    severity, audience = CALLS[kind]
    return Alert(
        id=alert_id_for(event.id),
        kind=kind,
        order_id=event.subject,
        severity=severity,
        audience=audience,
        text=shortened(printable(text), MAX_ALERT_TEXT_CHARACTERS),
        occurred_at=event.time,
        correlationid=event.correlationid,
    )
