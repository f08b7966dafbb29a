"""The alert: what the notifier announces on the alerts topic, and what is read from the inbox. Which events make one
is the notifier's own affair.
"""

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from orderboard_contracts.identity import OrderId, event_id_for
from orderboard_contracts.text import PrintableText, first_fault

AlertKind = Literal["large_order", "order_rejected", "idempotency_conflict", "express_ready", "cancellation_refused"]
Severity = Literal["info", "warning", "critical"]
Audience = Literal["barista", "customer", "manager"]

ALERT_TYPE: Final = "orderboard.alert.v1"
SEVERITY_ATTRIBUTE: Final = "severity"
AUDIENCE_ATTRIBUTE: Final = "audience"
KIND_ATTRIBUTE: Final = "kind"
MAX_ALERT_TEXT_CHARACTERS: Final = 500


class Alert(BaseModel):
    """One announcement. parse_alert, which reads them, ignores fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1, description="Follows from the event: an alert seen twice has the same id.")
    kind: AlertKind = Field(description="What is announced.")
    order_id: OrderId
    severity: Severity = Field(description="critical asks a person to act, warning to know, info to be glad.")
    audience: Audience = Field(description="Whom it is for.")
    text: Annotated[PrintableText, StringConstraints(min_length=1, max_length=MAX_ALERT_TEXT_CHARACTERS)] = Field(
        description="The alert in a sentence for people."
    )
    occurred_at: AwareDatetime = Field(description="When the event behind it happened.")
    correlationid: str | None = Field(default=None, description="Follows one request through every service.")

    def to_json(self) -> str:
        """The document that an inbox or a webhook receives."""
        return self.model_dump_json(exclude_none=True)


class NotAnAlert(ValueError):  # noqa: N818 - CloudWatch's alarms come by the same topic, and nobody has made an error
    """The text is no alert that this version knows; the message says which part is wrong."""


def parse_alert(document: str | bytes) -> Alert:
    """Read an alert from the JSON text that an inbox holds; raise NotAnAlert for anything else."""
    try:
        return Alert.model_validate_json(document, extra="ignore")
    except ValidationError as exc:
        raise NotAnAlert(first_fault(exc)) from exc


def alert_id_for(event_id: str) -> str:
    """The id of the alert that this event makes: an event seen twice gives the same alert twice."""
    return event_id_for(ALERT_TYPE, event_id)


def alert_attributes(alert: Alert) -> dict[str, str]:
    """The SNS message attributes that the subscriptions' filter policies look at. All are of type String."""
    return {
        SEVERITY_ATTRIBUTE: alert.severity,
        AUDIENCE_ATTRIBUTE: alert.audience,
        KIND_ATTRIBUTE: alert.kind,
    }
