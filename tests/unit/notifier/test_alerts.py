"""Events that cause an alert, and the text that SNS and people get."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notifier.alert_publisher import publish_request
from notifier.alerts import alert_for
from notifier.text import money, printable, subject_line
from orderboard_contracts.alert import MAX_ALERT_TEXT_CHARACTERS, Alert, NotAnAlert, parse_alert
from orderboard_contracts.events import Event, parse_event
from unit.notifier.events import (
    ORDER_ID,
    TIME,
    cancellation_refused,
    cancellation_requested,
    cancelled,
    completed,
    placed,
    rejected,
)
from unit.notifier.fakes import TOPIC_ARN

SAMPLES = sorted((Path(__file__).parents[3] / "contracts" / "samples").rglob("*.json"))
HOSTILE = "Zo\u00eb \U0001f469\u200d\U0001f373 <script>\r\nBcc: all@cafe.test\x1b[2J\u202egnp.exe\x00" + "x" * 1000


@pytest.mark.parametrize(
    ("event", "kind", "severity", "audience", "text"),
    [
        (placed(), "large_order", "info", "barista", "Large order from ada: 12 pieces for 1068.00 EUR"),
        (rejected(), "order_rejected", "warning", "customer", "Order of ada rejected: cinnamon-bun is sold out"),
        (
            rejected("idempotency_conflict", "the first one stands"),
            "idempotency_conflict",
            "critical",
            "manager",
            "Two orders under one key: the first one stands",
        ),
        (completed("express"), "express_ready", "info", "customer", "Express order of ada is ready"),
        (
            cancellation_refused(),
            "cancellation_refused",
            "warning",
            "customer",
            "Too late to cancel, order is completed: the order is made",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "_" in value else "",
)
def test_event_causes_its_alert(event: Event, kind: str, severity: str, audience: str, text: str) -> None:
    """Each of these events causes the alert of its kind, for its audience."""
    alert = alert_for(event)

    assert alert is not None
    assert (alert.kind, alert.severity, alert.audience, alert.text) == (kind, severity, audience, text)
    assert (alert.order_id, alert.occurred_at, alert.correlationid) == (ORDER_ID, TIME, "corr-1")


@pytest.mark.parametrize("event", [completed("normal"), cancelled(), cancellation_requested()], ids=lambda e: e.type)
def test_everyday_event_causes_no_alert(event: Event) -> None:
    """Ordinary events of an order are not published."""
    assert alert_for(event) is None


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_golden_sample_is_understood(sample: Path) -> None:
    """Every golden sample event can be read, and its alert survives the way to the inbox."""
    alert = alert_for(parse_event(sample.read_text()))

    assert alert is None or parse_alert(alert.to_json()) == alert


def test_alert_id_follows_from_the_event() -> None:
    """The same event causes the same alert, and another event another id."""
    first, again, other = (alert_for(completed(event_id=event_id)) for event_id in ("e1", "e1", "e2"))

    assert first == again
    assert first is not None
    assert other is not None
    assert first.id != other.id


@pytest.mark.parametrize("event", [placed(HOSTILE), rejected(detail=HOSTILE)], ids=["customer", "detail"])
def test_hostile_text_becomes_harmless(event: Event) -> None:
    """Untrusted text cannot control a terminal, forge an e-mail header, or be rejected by SNS."""
    alert = alert_for(event)
    assert alert is not None
    subject = publish_request(alert, TOPIC_ARN)["Subject"]

    assert len(alert.text) <= MAX_ALERT_TEXT_CHARACTERS
    assert not set(alert.text) & set("\r\n\x1b\u202e\x00")
    assert subject.startswith("[")
    assert "Zoe ? ? <script> Bcc: all@cafe.test [2J" in subject
    assert len(subject) <= 99


@given(st.text())
def test_any_text_becomes_a_valid_subject(text: str) -> None:
    """Whatever the text, the subject is one line of 1 to 99 printable ASCII characters."""
    subject = subject_line(text)

    assert subject.isascii()
    assert subject.isprintable()
    assert 1 <= len(subject) <= 99
    assert subject == subject.strip()


@given(st.text(min_size=1).filter(lambda text: printable(text) != ""))
def test_any_printable_text_is_an_alert(text: str) -> None:
    """The contract accepts any result of `printable`."""
    alert = alert_for(rejected(detail=text))

    assert alert is not None
    assert parse_alert(alert.to_json()) == alert


def test_publish_fans_out_by_attribute_and_protocol() -> None:
    """Queues and webhooks get JSON, telephones plain text, and filter policies three attributes."""
    alert = alert_for(rejected())
    assert alert is not None
    request = publish_request(alert, TOPIC_ARN)
    bodies = json.loads(str(request["Message"]))

    assert request["TopicArn"] == TOPIC_ARN
    assert request["Subject"] == "[warning] Order of ada rejected: cinnamon-bun is sold out"
    assert request["MessageStructure"] == "json"
    assert bodies["sms"] == alert.text
    assert "email" not in bodies
    assert parse_alert(bodies["default"]) == alert
    assert request["MessageAttributes"] == {
        "severity": {"DataType": "String", "StringValue": "warning"},
        "audience": {"DataType": "String", "StringValue": "customer"},
        "kind": {"DataType": "String", "StringValue": "order_rejected"},
    }


def test_alert_of_a_newer_notifier_is_read() -> None:
    """A reader ignores unknown fields, and rejects any other document."""
    alert = alert_for(rejected())
    assert alert is not None
    newer = json.loads(alert.to_json()) | {"colour": "red"}

    assert parse_alert(json.dumps(newer)) == alert
    with pytest.raises(NotAnAlert, match="id"):
        parse_alert('{"AlarmName": "work-backlog"}')
    with pytest.raises(ValueError, match="colour"):
        Alert.model_validate(newer)


@pytest.mark.parametrize(("cents", "text"), [(0, "0.00 EUR"), (5, "0.05 EUR"), (106_800, "1068.00 EUR")])
def test_money_is_exact(cents: int, text: str) -> None:
    """An amount keeps its cents, without a float in between."""
    assert money(cents, "EUR") == text
