"""Parsing and attributes of alerts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orderboard_contracts.alert import NotAnAlert, alert_attributes, alert_id_for, parse_alert
from support.golden_samples import ALERT_SAMPLES, EVENT_SAMPLES

GARBAGE = ["", "{}", "[]", "\ud800", b"\xff", '{"AlarmName": "backlog", "NewStateValue": "OK"}']


@pytest.mark.parametrize("text", [*GARBAGE, *(pytest.param(each.read_text(), id=each.stem) for each in EVENT_SAMPLES)])
def test_anything_but_an_alert_is_rejected(text: str | bytes) -> None:
    """Garbage, CloudWatch's alarms, which arrive by the same topic, and events raise NotAnAlert."""
    with pytest.raises(NotAnAlert):
        parse_alert(text)


@given(st.text() | st.binary())
def test_arbitrary_text_is_rejected_as_not_an_alert(text: str | bytes) -> None:
    """No text raises another error."""
    with pytest.raises(NotAnAlert):
        parse_alert(text)


@pytest.mark.parametrize("sample", ALERT_SAMPLES, ids=lambda path: path.stem)
def test_the_attributes_are_those_for_filters(sample: Path) -> None:
    """The message attributes are severity, audience and kind."""
    alert = parse_alert(sample.read_text())

    assert alert_attributes(alert) == {"severity": alert.severity, "audience": alert.audience, "kind": alert.kind}


def test_an_alert_id_is_derived_from_its_event() -> None:
    """A repeated event gives the same alert id."""
    assert alert_id_for("e1") == alert_id_for("e1") != alert_id_for("e2")
