"""The alert that an event causes: its urgency, audience and text. Pure."""

from typing import Final, NamedTuple

from orderboard_contracts.alert import MAX_ALERT_TEXT_CHARACTERS, Alert, AlertKind, Audience, Severity, alert_id_for
from orderboard_contracts.events import CancellationRefused, Event, OrderCompleted, OrderPlaced, OrderRejected

from notifier.text import money, printable, shortened


class AlertPolicy(NamedTuple):
    """Urgency and audience of a kind of alert."""

    severity: Severity
    audience: Audience


POLICIES: Final[dict[AlertKind, AlertPolicy]] = {
    "large_order": AlertPolicy("info", "barista"),
    "order_rejected": AlertPolicy("warning", "customer"),
    "idempotency_conflict": AlertPolicy("critical", "manager"),
    "express_ready": AlertPolicy("info", "customer"),
    "cancellation_refused": AlertPolicy("warning", "customer"),
}


def alert_for(event: Event) -> Alert | None:
    """Return the alert for this event, or None.

    The bus rule alone defines a large order: no smaller OrderPlaced event reaches this function.
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
        case OrderCompleted():
            return None  # the customer waits at the counter
        case OrderCompleted(data=data) if data.priority == "express":
            return _alert(event, "express_ready", f"Express order of {data.customer_id} is ready")
        case CancellationRefused(data=data):
            return _alert(event, "cancellation_refused", f"Too late to cancel, order is {data.status}: {data.detail}")
        case _:
            return None


def _alert(event: Event, kind: AlertKind, text: str) -> Alert:
    severity, audience = POLICIES[kind]
    return Alert(
        id=alert_id_for(event.id),
        kind=kind,
        order_id=event.subject,
        severity=severity,
        audience=audience,
        text=shortened(printable(text), MAX_ALERT_TEXT_CHARACTERS),
        occurred_at=event.time,
        traceparent=event.traceparent,
        tracestate=event.tracestate,
        correlationid=event.correlationid,
    )
