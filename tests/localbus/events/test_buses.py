"""Event buses, their policies and tags, by boto3, with AWS's own words for errors.

Each test names its page of https://docs.aws.amazon.com/eventbridge/latest/APIReference/ .
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from support.localbus import refused

ENTRY = {"Source": "orders", "DetailType": "placed", "Detail": "{}"}
INVALID, MISSING, EXISTS = "ValidationException", "ResourceNotFoundException", "ResourceAlreadyExistsException"
STATEMENT = {"Action": "events:PutEvents", "StatementId": "s"}


@pytest.fixture
def bus(events: Any) -> None:
    """A bus with a rule."""
    events.create_event_bus(Name="bus")
    events.put_rule(Name="r", EventBusName="bus", EventPattern='{"a": ["b"]}')


def bus_names(events: Any) -> list[str]:
    """The names that ListEventBuses returns."""
    return [one["Name"] for one in events.list_event_buses()["EventBuses"]]


def test_buses_are_created_changed_and_deleted(events: Any) -> None:
    """The default bus always exists, and deleting twice succeeds (API_CreateEventBus.html, API_DeleteEventBus.html)."""
    arn = events.create_event_bus(Name="bus", Description="d", Tags=[{"Key": "k", "Value": "v"}])["EventBusArn"]
    events.update_event_bus(Name="bus", Description="other")
    described = events.describe_event_bus(Name=arn)
    listed = bus_names(events)
    events.delete_event_bus(Name="bus")
    events.delete_event_bus(Name="bus")

    assert arn == "arn:aws:events:us-east-1:000000000000:event-bus/bus"
    assert (described["Name"], described["Arn"], described["Description"]) == ("bus", arn, "other")
    assert listed == ["bus", "default"]
    assert events.describe_event_bus()["Name"] == "default"
    assert bus_names(events) == ["default"]


@pytest.mark.parametrize(
    ("action", "params", "code", "message"),
    [
        ("create_event_bus", {"Name": "bus"}, EXISTS, "Event bus bus already exists."),
        ("create_event_bus", {"Name": "default"}, EXISTS, "Event bus default already exists."),
        ("create_event_bus", {"Name": "a/b"}, INVALID, "custom event bus name must not contain '/'"),
        (
            "create_event_bus",
            {"Name": "aws.partner/a/b", "EventSourceName": "aws.partner/a/b"},
            MISSING,
            "Event source aws.partner/a/b does not exist.",
        ),
        ("describe_event_bus", {"Name": "no"}, MISSING, "Event bus no does not exist."),
        ("delete_event_bus", {"Name": "default"}, INVALID, "Cannot delete event bus default."),
        ("delete_event_bus", {"Name": "bus"}, INVALID, "EventBus can't be deleted since it has rules."),
        ("put_permission", {"EventBusName": "no", "Principal": "*", **STATEMENT}, MISSING, "bus no does not exist."),
        ("put_permission", {"Action": "events:PutEvents"}, INVALID, "Reason: Principal is required."),
        ("put_permission", {"Policy": "{"}, INVALID, "Reason: The policy is not valid JSON."),
        ("remove_permission", {"StatementId": "s"}, MISSING, "Statement with the provided id does not exist."),
    ],
)
@pytest.mark.usefixtures("bus")
def test_an_invalid_request_is_rejected(
    events: Any, action: str, params: dict[str, Any], code: str, message: str
) -> None:
    """API_CreateEventBus.html, API_DeleteEventBus.html, API_PutPermission.html."""
    found = refused(getattr(events, action), **params)

    assert found[0] == code
    assert message in found[1]


def test_an_account_has_100_buses(events: Any) -> None:
    """One more is rejected (userguide/eb-quota.html)."""
    for number in range(99):
        events.create_event_bus(Name=f"b{number}")

    assert refused(events.create_event_bus, Name="more")[0] == "LimitExceededException"


@pytest.mark.parametrize("other", [{"account": "111111111111"}, {"region": "eu-west-1"}])
def test_a_bus_belongs_to_an_account_and_a_region(localbus: Localbus, events: Any, other: dict[str, str]) -> None:
    """Those of the credentials; others do not see it."""
    events.create_event_bus(Name="bus")

    assert bus_names(localbus.client("events", **other)) == ["default"]


def test_a_permission_lets_another_account_put_events(localbus: Localbus, events: Any) -> None:
    """Until it is removed (API_PutPermission.html, API_RemovePermission.html)."""
    other = localbus.client("events", account="111111111111")
    bus_arn = events.describe_event_bus()["Arn"]
    entries = [ENTRY | {"EventBusName": bus_arn}]

    denied = refused(other.put_events, Entries=entries)
    events.put_permission(Principal="111111111111", **STATEMENT)
    policy = json.loads(events.describe_event_bus()["Policy"])
    allowed = other.put_events(Entries=entries)
    events.remove_permission(StatementId="s")

    assert denied[0] == "AccessDeniedException"
    statement = {"Sid": "s", "Effect": "Allow", "Action": "events:PutEvents", "Resource": bus_arn}
    statement["Principal"] = {"AWS": "arn:aws:iam::111111111111:root"}
    assert policy == {"Version": "2012-10-17", "Statement": [statement]}
    assert allowed["FailedEntryCount"] == 0
    assert "Policy" not in events.describe_event_bus()


def test_a_policy_replaces_the_statements(events: Any) -> None:
    """Up to ten kilobytes (API_PutPermission.html: Policy)."""
    statement = {"Sid": "x", "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    events.put_permission(Principal="*", **STATEMENT)

    events.put_permission(Policy=json.dumps(policy))

    assert json.loads(events.describe_event_bus()["Policy"]) == policy
    events.remove_permission(RemoveAllPermissions=True)
    assert "Policy" not in events.describe_event_bus()
    statement["Resource"] = "x" * 11_000
    assert refused(events.put_permission, Policy=json.dumps(policy))[0] == "PolicyLengthExceededException"


def test_buses_and_rules_have_tags(events: Any) -> None:
    """Up to 50 (API_TagResource.html, API_UntagResource.html, API_ListTagsForResource.html)."""
    bus_arn = events.create_event_bus(Name="bus", Tags=[{"Key": "a", "Value": "1"}])["EventBusArn"]
    rule = {"Name": "r", "EventBusName": "bus", "EventPattern": '{"a": ["b"]}'}
    rule_arn = events.put_rule(**rule, Tags=[{"Key": "x", "Value": "1"}])["RuleArn"]
    for arn in (bus_arn, rule_arn):
        events.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}])
        events.untag_resource(ResourceARN=arn, TagKeys=["c", "not there"])

    def tags(arn: str) -> dict[str, str]:
        return {one["Key"]: one["Value"] for one in events.list_tags_for_resource(ResourceARN=arn)["Tags"]}

    assert tags(bus_arn) == {"a": "1", "b": "2"}
    assert tags(rule_arn) == {"x": "1", "b": "2"}
    text = "Rule rx does not exist on EventBus bus."
    assert refused(events.list_tags_for_resource, ResourceARN=rule_arn + "x") == (MISSING, text)
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert refused(events.tag_resource, ResourceARN=bus_arn, Tags=many)[0] == INVALID
