"""`Why did it not match?` for a rule, a filter policy and filter criteria, as localbus and as other backends answer."""

import json
from typing import Any

import pytest
from orderboard.errors import UsageError
from orderboard.resources.matching import Matcher, read_attributes, read_event
from unit.rig.resources.account import Account

RULE: dict[str, Any] = {
    "Name": "large",
    "EventPattern": json.dumps({"source": ["shop"], "detail": {"total": [{"numeric": [">=", 100]}]}}),
}
POLICY: dict[str, Any] = {"FilterPolicy": json.dumps({"priority": ["express"], "total": [{"numeric": [">", 5]}]})}
ENTRY = {"Source": "shop", "DetailType": "sold", "Detail": '{"total": 78}'}


@pytest.fixture(params=["localbus", "another backend"])
def matcher(request: pytest.FixtureRequest, account: Account) -> Matcher:
    """By localbus's explanations, and by TestEventPattern alone."""
    return Matcher(account.engine if request.param == "localbus" else None, account.events)


def _matched(matcher: Matcher, kind: str, document: dict[str, Any], given: object) -> bool | None:
    [found] = matcher.resource(kind, document, given if isinstance(given, str) else json.dumps(given))
    return found.matched


def test_a_rule_answers_for_an_entry_of_put_events(matcher: Matcher) -> None:
    """The event may be pasted as it was sent, or as a target gets it; the reason names the field."""
    [found] = matcher.resource("rule", RULE, json.dumps(ENTRY))

    assert found.matched is False
    assert found.why == ("detail.total is 78; wanted: >= 100" if matcher.engine else "Only localbus gives reasons.")
    event = {"source": "shop", "detail-type": "sold", "detail": {"total": 100}}
    assert _matched(matcher, "rule", RULE, event) is True
    assert _matched(matcher, "rule", {**RULE, "State": "DISABLED"}, event) is False


def test_a_filter_policy_answers_for_attributes_or_for_the_body(matcher: Matcher) -> None:
    """Attributes may be plain values, those of Publish, or those of the envelope; a body is JSON."""
    as_published = {
        "priority": {"DataType": "String", "StringValue": "express"},
        "total": {"DataType": "Number", "StringValue": "6"},
    }
    in_envelope = {"MessageAttributes": {"priority": {"Type": "String", "Value": "normal"}}}
    by_body = {**POLICY, "FilterPolicyScope": "MessageBody"}

    assert _matched(matcher, "subscription", POLICY, {"priority": "express", "total": 6}) is True
    assert _matched(matcher, "subscription", POLICY, as_published) is True
    assert _matched(matcher, "subscription", POLICY, in_envelope) is False
    assert _matched(matcher, "subscription", by_body, {"priority": "express", "total": 4}) is False
    assert _matched(matcher, "subscription", {}, {}) is True


def test_filter_criteria_answer_for_a_body(matcher: Matcher) -> None:
    """Each filter has an answer, as one that matches is enough; without filters everything matches."""
    patterns = [{"body": {"kind": ["a"]}}, {"body": {"kind": ["b"]}}]
    mapping = {"FilterCriteria": {"Filters": [{"Pattern": json.dumps(each)} for each in patterns]}}

    found = matcher.resource("mapping", mapping, '{"kind": "b"}')

    assert [(each.name, each.matched) for each in found] == [("Filter 1", False), ("Filter 2", True)]
    assert _matched(matcher, "mapping", {}, "text") is True


def test_a_schedule_has_no_pattern(matcher: Matcher) -> None:
    """A rule that runs by the clock matches no event."""
    assert _matched(matcher, "rule", {"Name": "hourly", "ScheduleExpression": "rate(1 hour)"}, ENTRY) is False


@pytest.mark.parametrize("text", ["", "[]", '{"DetailType": "x", "Detail": "{"}'])
def test_an_event_that_cannot_be_read(text: str) -> None:
    """The message says what is wrong with it."""
    with pytest.raises(UsageError, match=r"not valid JSON|must be a JSON object"):
        read_event(text)


def test_a_number_that_is_not_one() -> None:
    """The attribute is named."""
    with pytest.raises(UsageError, match="The attribute total is a Number, and 'x' is not one"):
        read_attributes('{"total": {"DataType": "Number", "StringValue": "x"}}')
