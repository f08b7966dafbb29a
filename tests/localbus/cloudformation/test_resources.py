"""The resource types that localbus creates: creation, update, deletion and `Ref`.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/ (AWS_SQS, AWS_SNS, AWS_Events)
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from localbus.cloudformation.resources.registry import RESOURCE_TYPES
from localbus.pytest_plugin import Localbus
from support.cloudformation import StackClient
from support.localbus import ACCOUNT, new_queue

ARN = "arn:aws:{}:us-east-1:" + ACCOUNT + ":{}"
QUEUE, TOPIC, SUBSCRIPTION = "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::SNS::Subscription"
BUS, RULE, ARCHIVE = "AWS::Events::EventBus", "AWS::Events::Rule", "AWS::Events::Archive"
TAG_B = [{"Key": "b", "Value": "2"}]
TAGS = [{"Key": "a", "Value": "1"}, *TAG_B]


@pytest.fixture
def events(localbus: Localbus) -> Any:
    """EventBridge of the engine."""
    return localbus.client("events")


def resource(type_name: str, **properties: Any) -> str:
    """A template with one resource."""
    return json.dumps({"Resources": {"It": {"Type": type_name, "Properties": properties}}})


def created(stacks: StackClient, type_name: str, **properties: Any) -> str:
    """Create a stack with one resource; its physical id."""
    status = stacks.create(resource(type_name, **properties))
    assert status == "CREATE_COMPLETE", stacks.reason("It", "CREATE_FAILED")
    return stacks.physical_id("It")


def updated(stacks: StackClient, type_name: str, **properties: Any) -> str:
    """Update the resource; its physical id."""
    status = stacks.update(resource(type_name, **properties))
    assert status == "UPDATE_COMPLETE", stacks.reason("It", "UPDATE_FAILED")
    return stacks.physical_id("It")


def test_queue(stacks: StackClient) -> None:
    """A FIFO queue gets its suffix; attributes that are no longer set get their default, and tags follow."""
    url = created(stacks, QUEUE, FifoQueue=True, DelaySeconds="5", ContentBasedDeduplication="true", Tags=TAGS)
    assert url.endswith(".fifo")
    assert stacks.attributes(url)["DelaySeconds"] == "5"

    assert updated(stacks, QUEUE, FifoQueue="true", VisibilityTimeout=7, Tags=TAG_B) == url

    attributes = stacks.attributes(url)
    assert (attributes["DelaySeconds"], attributes["VisibilityTimeout"]) == ("0", "7")
    assert attributes["ContentBasedDeduplication"] == "false"
    assert stacks.sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"b": "2"}


def test_queue_attributes_that_are_no_longer_set(stacks: StackClient) -> None:
    """CloudFormation has a different default for the size, and keeps some attributes (recorded of AWS)."""
    high_throughput = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    key = {"KmsMasterKeyId": "alias/aws/sqs", "KmsDataKeyReusePeriodSeconds": 200, "SqsManagedSseEnabled": False}
    sizes = {"MaximumMessageSize": 3232, "MessageRetentionPeriod": 13_425, "VisibilityTimeout": 42}
    url = created(stacks, QUEUE, FifoQueue=True, **high_throughput, **key, **sizes)

    assert updated(stacks, QUEUE, FifoQueue=True) == url

    attributes = stacks.attributes(url)
    assert attributes.items() >= high_throughput.items()
    assert [attributes[name] for name in sizes] == ["262144", "345600", "30"]
    assert attributes["SqsManagedSseEnabled"] == "false"
    assert not {"KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"} & set(attributes)


@pytest.mark.parametrize("fifo", [False, "false"])
def test_a_queue_with_fifo_false_is_a_standard_queue(stacks: StackClient, fifo: object) -> None:
    """FifoQueue: false is allowed in a template, though the API accepts only true."""
    assert not created(stacks, QUEUE, FifoQueue=fifo).endswith(".fifo")


def policy(resource_arn: str, action: str) -> dict[str, Any]:
    """A policy that allows everyone one action on a resource."""
    statement = {"Sid": "any", "Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource_arn}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.parametrize("kind", ["AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy"])
def test_queue_policies(localbus: Localbus, stacks: StackClient, kind: str) -> None:
    """The policy moves with the queues that the template names, and is deleted with the stack.

    The physical id of an inline policy is the URL of its queue.
    """
    first, second = (new_queue(localbus, name, open_to=None).url for name in ("first", "second"))
    inline = kind.endswith("InlinePolicy")

    def given(url: str) -> dict[str, Any]:
        return {"PolicyDocument": policy("*", "sqs:SendMessage"), **({"Queue": url} if inline else {"Queues": [url]})}

    physical_id = created(stacks, kind, **given(first))
    assert (physical_id == first) == inline
    assert "Policy" in stacks.attributes(first)
    physical_id = updated(stacks, kind, **given(second))
    assert (physical_id == second) == inline
    assert "Policy" not in stacks.attributes(first)
    assert "Policy" in stacks.attributes(second)
    stacks.delete()
    assert "Policy" not in stacks.attributes(second)


@pytest.mark.parametrize("kind", ["AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy"])
def test_topic_policies(stacks: StackClient, kind: str) -> None:
    """The topic has the policy while the stack exists, and its first policy afterwards."""
    arn = stacks.sns.create_topic(Name="orders")["TopicArn"]
    first = stacks.topic_attributes(arn)["Policy"]
    where = {"Topics": [arn]} if kind.endswith("TopicPolicy") else {"TopicArn": arn}

    created(stacks, kind, **where, PolicyDocument=policy(arn, "sns:Publish"))
    assert json.loads(stacks.topic_attributes(arn)["Policy"])["Statement"][0]["Sid"] == "any"

    stacks.delete()
    assert stacks.topic_attributes(arn)["Policy"] == first


def test_topic(localbus: Localbus, stacks: StackClient) -> None:
    """Attributes, subscriptions, tags and delivery status logging follow the template."""
    first, second = ({"Protocol": "sqs", "Endpoint": new_queue(localbus, name).arn} for name in ("first", "second"))
    logging = [{"Protocol": "sqs", "SuccessFeedbackSampleRate": "50"}]
    arn = created(stacks, TOPIC, DisplayName="Orders", Subscription=[first], DeliveryStatusLogging=logging)
    attributes = stacks.topic_attributes(arn)
    assert (attributes["DisplayName"], attributes["SQSSuccessFeedbackSampleRate"]) == ("Orders", "50")

    assert updated(stacks, TOPIC, SignatureVersion=2, Subscription=[second], Tags=TAGS) == arn

    attributes = stacks.topic_attributes(arn)
    assert (attributes["DisplayName"], attributes["SignatureVersion"]) == ("", "2")
    listed = stacks.sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert [one["Endpoint"] for one in listed] == [second["Endpoint"]]
    assert stacks.sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == TAGS


def test_topic_archive(stacks: StackClient) -> None:
    """A number of days in the template is text in the topic's policy (recorded of AWS)."""
    arn = created(stacks, TOPIC, FifoTopic=True, ArchivePolicy={"MessageRetentionPeriod": 30})

    assert stacks.topic_attributes(arn)["ArchivePolicy"] == '{"MessageRetentionPeriod":"30"}'


def test_subscription(localbus: Localbus, stacks: StackClient) -> None:
    """The scope of its filter changes in place, in both directions; another endpoint replaces it."""
    first, second = (new_queue(localbus, name).arn for name in ("first", "second"))
    where = {"TopicArn": stacks.sns.create_topic(Name="orders")["TopicArn"], "Protocol": "sqs"}
    nested = {"order": {"size": ["small"]}}

    def attributes() -> dict[str, str]:
        found: dict[str, str] = stacks.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        return found

    small = {"FilterPolicy": {"size": ["small"]}, "RawMessageDelivery": "true"}
    arn = created(stacks, SUBSCRIPTION, **where, Endpoint=first, **small)
    body = {"FilterPolicyScope": "MessageBody", "FilterPolicy": nested}
    assert updated(stacks, SUBSCRIPTION, **where, Endpoint=first, **body) == arn
    assert json.loads(attributes()["FilterPolicy"]) == nested
    assert attributes()["RawMessageDelivery"] == "false"
    assert updated(stacks, SUBSCRIPTION, **where, Endpoint=first, FilterPolicy={"size": ["big"]}) == arn
    assert attributes()["FilterPolicyScope"] == "MessageAttributes"
    assert updated(stacks, SUBSCRIPTION, **where, Endpoint=second) != arn
    assert [one["Endpoint"] for one in stacks.sns.list_subscriptions()["Subscriptions"]] == [second]


def test_event_bus(stacks: StackClient, events: Any) -> None:
    """Description, policy and tags follow the template; the physical id is the name."""
    document = policy(ARN.format("events", "event-bus/shop"), "events:PutEvents")

    assert created(stacks, BUS, Name="shop", Description="first", Policy=document) == "shop"
    assert json.loads(events.describe_event_bus(Name="shop")["Policy"])["Statement"][0]["Sid"] == "any"
    updated(stacks, BUS, Name="shop", Tags=TAGS)
    shown = events.describe_event_bus(Name="shop")
    assert shown.get("Description", "") == ""
    assert "Policy" not in shown
    assert events.list_tags_for_resource(ResourceARN=shown["Arn"])["Tags"] == TAGS


def test_event_bus_policy(stacks: StackClient, events: Any) -> None:
    """It is one statement; others stay."""
    arn = events.create_event_bus(Name="shop")["EventBusArn"]
    events.put_permission(EventBusName="shop", StatementId="old", Action="events:PutEvents", Principal="111122223333")
    statement = policy(arn, "events:PutEvents")["Statement"][0]

    def sids() -> list[str]:
        return [one["Sid"] for one in json.loads(events.describe_event_bus(Name="shop")["Policy"])["Statement"]]

    created(stacks, "AWS::Events::EventBusPolicy", EventBusName="shop", StatementId="new", Statement=statement)
    assert sids() == ["old", "new"]
    stacks.delete()
    assert sids() == ["old"]


def test_rule(localbus: Localbus, stacks: StackClient, events: Any) -> None:
    """Pattern and targets follow the template; the physical id has the bus, unless it is the default bus."""
    events.create_event_bus(Name="shop")
    queue = new_queue(localbus, "alerts")
    one = {"Id": "one", "Arn": queue.arn, "RetryPolicy": {"MaximumRetryAttempts": "3"}}
    two = {"Id": "two", "Arn": queue.arn, "Input": {"fixed": 1}}

    name = created(stacks, RULE, EventBusName="shop", EventPattern={"source": ["a"]}, Targets=[one])
    assert name.startswith("shop|shop-It-")
    assert updated(stacks, RULE, EventBusName="shop", EventPattern='{"source": ["b"]}', Targets=[two]) == name
    rule = name.removeprefix("shop|")
    targets = events.list_targets_by_rule(EventBusName="shop", Rule=rule)["Targets"]
    assert targets == [{"Id": "two", "Arn": queue.arn, "Input": '{"fixed":1}'}]
    assert json.loads(events.describe_rule(EventBusName="shop", Name=rule)["EventPattern"]) == {"source": ["b"]}
    moved = updated(stacks, RULE, ScheduleExpression="rate(5 minutes)", State="DISABLED")
    assert "|" not in moved
    assert events.describe_rule(Name=moved)["State"] == "DISABLED"
    assert events.list_rules(EventBusName="shop")["Rules"] == []


def test_archive(stacks: StackClient, events: Any) -> None:
    """It is updated in place; another bus would replace it, which a fixed name prevents."""
    shop, other = (events.create_event_bus(Name=name)["EventBusArn"] for name in ("shop", "other"))

    assert created(stacks, ARCHIVE, ArchiveName="a", SourceArn=shop, RetentionDays="7") == "a"
    updated(stacks, ARCHIVE, ArchiveName="a", SourceArn=shop, EventPattern={"source": ["x"]})
    shown = events.describe_archive(ArchiveName="a")
    assert (shown["RetentionDays"], json.loads(shown["EventPattern"])) == (0, {"source": ["x"]})
    assert stacks.update(resource(ARCHIVE, ArchiveName="a", SourceArn=other)) == "UPDATE_ROLLBACK_COMPLETE"
    assert "custom-named resource requires replacing" in stacks.reason("It", "UPDATE_FAILED")


def test_connection_and_api_destination(stacks: StackClient, events: Any) -> None:
    """A destination refers to its connection; both are updated in place and deleted."""
    template = """
    Parameters: {Key: {Type: String, NoEcho: true}, Rate: {Type: Number, Default: 5}}
    Resources:
      Connection:
        Type: AWS::Events::Connection
        Properties:
          AuthorizationType: API_KEY
          AuthParameters: {ApiKeyAuthParameters: {ApiKeyName: x-key, ApiKeyValue: !Ref Key}}
      Destination:
        Type: AWS::Events::ApiDestination
        Properties:
          ConnectionArn: !GetAtt Connection.Arn
          HttpMethod: POST
          InvocationEndpoint: https://shop.example/orders
          InvocationRateLimitPerSecond: !Ref Rate
    Outputs:
      ForPolicy: {Value: !GetAtt Connection.ArnForPolicy}
    """
    assert stacks.create(template, Key="secret") == "CREATE_COMPLETE"
    connection, destination = stacks.physical_id("Connection"), stacks.physical_id("Destination")
    assert stacks.outputs()["ForPolicy"] == ARN.format("events", f"connection/{connection}")
    assert stacks.stack()["Parameters"][0]["ParameterValue"] == "****"

    assert stacks.update(template, Key="other", Rate="9") == "UPDATE_COMPLETE"

    assert stacks.physical_id("Destination") == destination
    assert events.describe_api_destination(Name=destination)["InvocationRateLimitPerSecond"] == 9
    stacks.delete()
    assert events.list_connections()["Connections"] == []
    assert events.list_api_destinations()["ApiDestinations"] == []


def test_a_function_in_place_of_properties_fails_its_resource(stacks: StackClient) -> None:
    """A function that yields no object is a failure with a reason, never an internal one."""
    template = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {Ref: AWS::NoValue}}}"

    assert stacks.create(template) == "ROLLBACK_COMPLETE"

    assert stacks.reason("Queue", "CREATE_FAILED") == "Properties must be an object."


def test_a_type_that_is_not_implemented_is_rejected(stacks: StackClient) -> None:
    """Nobody would create a global endpoint."""
    error = stacks.rejected(TemplateBody=resource("AWS::Events::Endpoint"))

    assert error == ("NotImplemented", "Resource It: localbus does not implement AWS::Events::Endpoint.")


_SCALARS = st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.sampled_from(["true", "default", ACCOUNT])
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["Id", "Arn", "Key", "Value", "Protocol", "Endpoint", "Sid"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("type_name", sorted(RESOURCE_TYPES))
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_properties_are_accepted_or_rejected_with_a_reason(
    stacks: StackClient, type_name: str, data: st.DataObject
) -> None:
    """No property causes an internal failure: the resource is created, or fails with a reason."""
    kind = RESOURCE_TYPES[type_name]
    known = dict.fromkeys(kind.properties, _VALUES)
    properties = data.draw(
        st.fixed_dictionaries(
            {name: known[name] for name in kind.required},
            optional={name: value for name, value in known.items() if name not in kind.required},
        )
    )

    status = stacks.create(resource(type_name, **properties))

    if status == "ROLLBACK_COMPLETE":
        assert "Internal Failure" not in stacks.reason("It", "CREATE_FAILED")
    assert stacks.delete() == "DELETE_COMPLETE"
