"""The alert that the notifier announces and the inbox holds."""

from pathlib import Path

import pytest
from golden import ALERT_SAMPLES, EVENT_SAMPLES
from hypothesis import given
from hypothesis import strategies as st
from orderboard_contracts.alert import NotAnAlert, alert_attributes, alert_id_for, parse_alert


@pytest.mark.parametrize("text", ["", "{}", "[]", "\ud800", b"\xff", '{"AlarmName": "backlog", "NewStateValue": "OK"}'])
def test_what_is_no_alert_is_refused(text: str | bytes) -> None:
    """CloudWatch's alarms come by the same topic, and strangers may send anything: NotAnAlert, and nothing else."""
    with pytest.raises(NotAnAlert):
        parse_alert(text)


@given(st.text() | st.binary())
def test_whatever_arrives_is_an_alert_or_none(text: str | bytes) -> None:
    """No text makes reading an inbox fail in another way."""
    with pytest.raises(NotAnAlert):
        parse_alert(text)


@pytest.mark.parametrize("sample", EVENT_SAMPLES, ids=lambda path: path.stem)
def test_an_event_is_no_alert(sample: Path) -> None:
    """An event that lands in the inbox by mistake is not taken for an announcement."""
    with pytest.raises(NotAnAlert):
        parse_alert(sample.read_text())


@pytest.mark.parametrize("sample", ALERT_SAMPLES, ids=lambda path: path.stem)
def test_the_attributes_say_what_filters_look_at(sample: Path) -> None:
    """Severity, audience and kind go along as message attributes, none of them empty, as SNS wants."""
    alert = parse_alert(sample.read_text())

    assert alert_attributes(alert) == {"severity": alert.severity, "audience": alert.audience, "kind": alert.kind}


def test_an_alert_id_follows_from_its_event() -> None:
    """An event that arrives twice makes the same alert twice."""
    assert alert_id_for("e1") == alert_id_for("e1") != alert_id_for("e2")
