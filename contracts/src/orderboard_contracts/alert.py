"""The alert that the notifier publishes to the alerts topic, and that consumers read from the inbox."""

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from orderboard_contracts.envelope import Traceparent
from orderboard_contracts.identity import OrderId, event_id_for
from orderboard_contracts.untrusted_text import PrintableText, first_error

AlertKind = Literal["large_order", "order_rejected", "idempotency_conflict", "express_ready", "cancellation_refused"]
Severity = Literal["info", "warning", "critical"]
Audience = Literal["barista", "customer", "manager"]

ALERT_TYPE: Final = "orderboard.alert.v1"
SEVERITY_ATTRIBUTE: Final = "severity"
AUDIENCE_ATTRIBUTE: Final = "audience"
KIND_ATTRIBUTE: Final = "kind"
MAX_ALERT_TEXT_CHARACTERS: Final = 500


class Alert(BaseModel):
    """An alert. parse_alert ignores unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1, description="Derived from the event: a repeated alert has the same id.")
    kind: AlertKind = Field(description="The kind of alert.")
    order_id: OrderId
    severity: Severity = Field(description="critical needs action, warning needs attention, info needs neither.")
    audience: Audience = Field(description="The intended recipient.")
    text: Annotated[PrintableText, StringConstraints(min_length=1, max_length=MAX_ALERT_TEXT_CHARACTERS)] = Field(
        description="The alert as a sentence for people."
    )
    occurred_at: AwareDatetime = Field(description="The time of the event that caused it.")
    traceparent: Traceparent | None = Field(default=None, description="W3C trace context of the notification.")
    tracestate: str | None = Field(default=None, description="W3C trace context, as other systems amended it.")
    correlationid: str | None = Field(default=None, description="Identifies one request in every service.")

    def to_json(self) -> str:
        """Return the document that an inbox or a webhook receives."""
        return self.model_dump_json(exclude_none=True)


class NotAnAlert(ValueError):  # noqa: N818 - CloudWatch's alarms arrive by the same topic; they are not errors
    """Text that is not an alert of a known version. The message names the invalid part."""


def parse_alert(document: str | bytes) -> Alert:
    """Parse the JSON text of an alert. Raises NotAnAlert for anything else."""
    try:
        return Alert.model_validate_json(document, extra="ignore")
    except ValidationError as exc:
        raise NotAnAlert(first_error(exc)) from exc


def alert_id_for(event_id: str) -> str:
    """Return the id of the alert for an event. A repeated event gives the same id."""
    return event_id_for(ALERT_TYPE, event_id)


def alert_attributes(alert: Alert) -> dict[str, str]:
    """Return the SNS message attributes for filter policies. All are of type String."""
    return {SEVERITY_ATTRIBUTE: alert.severity, AUDIENCE_ATTRIBUTE: alert.audience, KIND_ATTRIBUTE: alert.kind}
