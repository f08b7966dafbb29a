"""The types of resources that localbus makes itself: what each makes, changes and takes away, and what it is called.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/ (AWS_SQS, AWS_SNS, AWS_Events)
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from cloudformation_support import StackClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from localbus.cloudformation.resources.registry import RESOURCE_TYPES
from localbus.pytest_plugin import Localbus
from localbus_support import new_queue, refused

ACCOUNT = "000000000000"
ARN = "arn:aws:{}:us-east-1:" + ACCOUNT + ":{}"


def resource(type_name: str, **properties: Any) -> str:
    """A template with one resource."""
    return json.dumps({"Resources": {"It": {"Type": type_name, "Properties": properties}}})


def made(stacks: StackClient, type_name: str, **properties: Any) -> str:
    """Make a stack of one resource and say what that is called."""
    state = stacks.create(resource(type_name, **properties))
    assert state == "CREATE_COMPLETE", stacks.reason("It", "CREATE_FAILED")
    return stacks.physical_id("It")


def changed(stacks: StackClient, type_name: str, **properties: Any) -> str:
    """Change the stack and say what the resource is called then."""
    state = stacks.update(resource(type_name, **properties))
    assert state == "UPDATE_COMPLETE", stacks.reason("It", "UPDATE_FAILED")
    return stacks.physical_id("It")


def test_queue(stacks: StackClient) -> None:
    """A FIFO queue gets its suffix; what is no longer given has its default again, and tags follow."""
    kind = "AWS::SQS::Queue"
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    url = made(stacks, kind, FifoQueue=True, DelaySeconds="5", ContentBasedDeduplication="true", Tags=tags)
    assert url.endswith(".fifo")
    assert stacks.attributes(url)["DelaySeconds"] == "5"

    assert changed(stacks, kind, FifoQueue="true", VisibilityTimeout=7, Tags=tags[1:]) == url

    attributes = stacks.attributes(url)
    assert (attributes["DelaySeconds"], attributes["VisibilityTimeout"]) == ("0", "7")
    assert attributes["ContentBasedDeduplication"] == "false"
    assert stacks.sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"b": "2"}


def test_what_a_template_no_longer_says_of_a_queue(stacks: StackClient) -> None:
    """CloudFormation has its own default for the size, and leaves some attributes as they are (recorded of AWS)."""
    kind = "AWS::SQS::Queue"
    high_throughput = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    key = {"KmsMasterKeyId": "alias/aws/sqs", "KmsDataKeyReusePeriodSeconds": 200, "SqsManagedSseEnabled": False}
    sizes = {"MaximumMessageSize": 3232, "MessageRetentionPeriod": 13_425, "VisibilityTimeout": 42}
    url = made(stacks, kind, FifoQueue=True, **high_throughput, **key, **sizes)

    assert changed(stacks, kind, FifoQueue=True) == url

    attributes = stacks.attributes(url)
    assert attributes.items() >= high_throughput.items()
    assert [attributes[name] for name in sizes] == ["262144", "345600", "30"]
    assert attributes["SqsManagedSseEnabled"] == "false"
    assert not {"KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"} & set(attributes)


@pytest.mark.parametrize("given", [False, "false"])
def test_a_queue_that_says_it_is_no_fifo(stacks: StackClient, given: object) -> None:
    """FifoQueue: false is a standard queue, though the API knows only true."""
    assert not made(stacks, "AWS::SQS::Queue", FifoQueue=given).endswith(".fifo")


def policy(queue_arn: str, action: str = "sqs:SendMessage") -> dict[str, Any]:
    """Lets anyone do one thing with a queue, a topic or a bus."""
    statement = {"Sid": "any", "Effect": "Allow", "Principal": "*", "Action": action, "Resource": queue_arn}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_queue_policy(localbus: Localbus, stacks: StackClient) -> None:
    """It stands on each queue that is named, leaves one that no longer is, and goes with the stack."""
    first, second = (new_queue(localbus, name, open_to=None) for name in ("first", "second"))
    kind = "AWS::SQS::QueuePolicy"

    made(stacks, kind, Queues=[first.url], PolicyDocument=policy("*"))
    assert "Policy" in stacks.attributes(first.url)
    changed(stacks, kind, Queues=[second.url], PolicyDocument=policy("*"))
    assert "Policy" not in stacks.attributes(first.url)
    assert "Policy" in stacks.attributes(second.url)
    stacks.delete()
    assert "Policy" not in stacks.attributes(second.url)


def test_queue_inline_policy(localbus: Localbus, stacks: StackClient) -> None:
    """It is called as its queue; another queue makes another one."""
    first, second = (new_queue(localbus, name, open_to=None) for name in ("first", "second"))
    kind = "AWS::SQS::QueueInlinePolicy"

    assert made(stacks, kind, Queue=first.url, PolicyDocument=policy("*")) == first.url
    assert changed(stacks, kind, Queue=second.url, PolicyDocument=policy("*")) == second.url
    assert "Policy" not in stacks.attributes(first.url)
    assert "Policy" in stacks.attributes(second.url)


def test_topic(localbus: Localbus, stacks: StackClient) -> None:
    """Attributes, subscriptions that stand in it, tags and the logging of deliveries follow the template."""
    first, second = (new_queue(localbus, name) for name in ("first", "second"))
    kind, one = "AWS::SNS::Topic", {"Protocol": "sqs", "Endpoint": first.arn}
    logging = [{"Protocol": "sqs", "SuccessFeedbackSampleRate": "50"}]
    arn = made(stacks, kind, DisplayName="Orders", Subscription=[one], DeliveryStatusLogging=logging)
    attributes = stacks.sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (attributes["DisplayName"], attributes["SQSSuccessFeedbackSampleRate"]) == ("Orders", "50")

    other = {"Protocol": "sqs", "Endpoint": second.arn}
    assert changed(stacks, kind, SignatureVersion=2, Subscription=[other], Tags=[{"Key": "k", "Value": "v"}]) == arn

    attributes = stacks.sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (attributes["DisplayName"], attributes["SignatureVersion"]) == ("", "2")
    listed = stacks.sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert [each["Endpoint"] for each in listed] == [second.arn]
    assert stacks.sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]


def test_a_topic_s_archive(localbus: Localbus, stacks: StackClient) -> None:
    """The days that a template gives as a number are a text in the topic's policy (recorded of AWS)."""
    arn = made(stacks, "AWS::SNS::Topic", FifoTopic=True, ArchivePolicy={"MessageRetentionPeriod": 30})

    attributes = localbus.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    assert attributes["ArchivePolicy"] == '{"MessageRetentionPeriod":"30"}'


@pytest.mark.parametrize("kind", ["AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy"])
def test_topic_policies(stacks: StackClient, kind: str) -> None:
    """The topic has the policy while the stack has it, and its first one after."""
    arn = stacks.sns.create_topic(Name="orders")["TopicArn"]
    first = stacks.sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
    where = {"Topics": [arn]} if kind.endswith("TopicPolicy") else {"TopicArn": arn}

    made(stacks, kind, **where, PolicyDocument=policy(arn, "sns:Publish"))
    shown = stacks.sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
    assert json.loads(shown)["Statement"][0]["Sid"] == "any"

    stacks.delete()
    assert stacks.sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"] == first


def test_subscription(localbus: Localbus, stacks: StackClient) -> None:
    """Its filter moves from attributes to bodies and back in its place; another endpoint makes another one."""
    first, second = (new_queue(localbus, name) for name in ("first", "second"))
    topic, kind = stacks.sns.create_topic(Name="orders")["TopicArn"], "AWS::SNS::Subscription"
    given = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": first.arn}
    nested = {"order": {"size": ["small"]}}

    arn = made(stacks, kind, **given, FilterPolicy={"size": ["small"]}, RawMessageDelivery="true")
    assert changed(stacks, kind, **given, FilterPolicyScope="MessageBody", FilterPolicy=nested) == arn
    attributes = stacks.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert json.loads(attributes["FilterPolicy"]) == nested
    assert attributes["RawMessageDelivery"] == "false"
    assert changed(stacks, kind, **given, FilterPolicy={"size": ["big"]}) == arn
    attributes = stacks.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes["FilterPolicyScope"] == "MessageAttributes"
    assert changed(stacks, kind, **{**given, "Endpoint": second.arn}) != arn
    listed = stacks.sns.list_subscriptions()["Subscriptions"]
    assert [each["Endpoint"] for each in listed] == [second.arn]


def test_event_bus(localbus: Localbus, stacks: StackClient) -> None:
    """Description, policy and tags follow the template; it is called by its name."""
    events, kind = localbus.client("events"), "AWS::Events::EventBus"
    document = policy(ARN.format("events", "event-bus/shop"), "events:PutEvents")

    assert made(stacks, kind, Name="shop", Description="first", Policy=document) == "shop"
    assert json.loads(events.describe_event_bus(Name="shop")["Policy"])["Statement"][0]["Sid"] == "any"
    changed(stacks, kind, Name="shop", Tags=[{"Key": "k", "Value": "v"}])
    shown = events.describe_event_bus(Name="shop")
    assert shown.get("Description", "") == ""
    assert "Policy" not in shown
    assert events.list_tags_for_resource(ResourceARN=shown["Arn"])["Tags"] == [{"Key": "k", "Value": "v"}]


def test_event_bus_policy(localbus: Localbus, stacks: StackClient) -> None:
    """It is one statement among others, which stay."""
    events, kind = localbus.client("events"), "AWS::Events::EventBusPolicy"
    arn = events.create_event_bus(Name="shop")["EventBusArn"]
    events.put_permission(EventBusName="shop", StatementId="old", Action="events:PutEvents", Principal="111122223333")
    statement = policy(arn, "events:PutEvents")["Statement"][0]

    made(stacks, kind, EventBusName="shop", StatementId="new", Statement=statement)
    shown = json.loads(events.describe_event_bus(Name="shop")["Policy"])["Statement"]
    assert [one["Sid"] for one in shown] == ["old", "new"]
    stacks.delete()
    shown = json.loads(events.describe_event_bus(Name="shop")["Policy"])["Statement"]
    assert [one["Sid"] for one in shown] == ["old"]


def test_rule(localbus: Localbus, stacks: StackClient) -> None:
    """Pattern and targets follow the template; beside the default bus a rule is called with its bus."""
    events, kind = localbus.client("events"), "AWS::Events::Rule"
    events.create_event_bus(Name="shop")
    queue = new_queue(localbus, "alerts")
    one = {"Id": "one", "Arn": queue.arn, "RetryPolicy": {"MaximumRetryAttempts": "3"}}
    two = {"Id": "two", "Arn": queue.arn, "Input": {"fixed": 1}}

    name = made(stacks, kind, EventBusName="shop", EventPattern={"source": ["a"]}, Targets=[one])
    assert name.startswith("shop|shop-It-")
    assert changed(stacks, kind, EventBusName="shop", EventPattern='{"source": ["b"]}', Targets=[two]) == name
    own = name.removeprefix("shop|")
    targets = events.list_targets_by_rule(EventBusName="shop", Rule=own)["Targets"]
    assert targets == [{"Id": "two", "Arn": queue.arn, "Input": '{"fixed":1}'}]
    shown = events.describe_rule(EventBusName="shop", Name=own)
    assert json.loads(shown["EventPattern"]) == {"source": ["b"]}
    moved = changed(stacks, kind, ScheduleExpression="rate(5 minutes)", State="DISABLED")
    assert "|" not in moved
    assert events.describe_rule(Name=moved)["State"] == "DISABLED"
    assert events.list_rules(EventBusName="shop")["Rules"] == []


def test_archive(localbus: Localbus, stacks: StackClient) -> None:
    """It is called by its name; another bus makes another one, for which a fixed name is in the way."""
    events, kind = localbus.client("events"), "AWS::Events::Archive"
    buses = [events.create_event_bus(Name=name)["EventBusArn"] for name in ("shop", "other")]

    assert made(stacks, kind, ArchiveName="a", SourceArn=buses[0], RetentionDays="7") == "a"
    changed(stacks, kind, ArchiveName="a", SourceArn=buses[0], EventPattern={"source": ["x"]})
    shown = events.describe_archive(ArchiveName="a")
    assert (shown["RetentionDays"], json.loads(shown["EventPattern"])) == (0, {"source": ["x"]})
    assert stacks.update(resource(kind, ArchiveName="a", SourceArn=buses[1])) == "UPDATE_ROLLBACK_COMPLETE"
    assert "custom-named resource requires replacing" in stacks.reason("It", "UPDATE_FAILED")


def test_connection_and_api_destination(localbus: Localbus, stacks: StackClient) -> None:
    """A destination refers to its connection's ARN; both are called by their names and change in their places."""
    events = localbus.client("events")
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


def test_what_is_known_and_not_built_is_refused(stacks: StackClient) -> None:
    """A nested stack would be made upstream whole, and a global endpoint nowhere."""
    for kind in ("AWS::CloudFormation::Stack", "AWS::Events::Endpoint"):
        code, message = refused(stacks.client.create_stack, StackName="shop", TemplateBody=resource(kind))
        assert code == "NotImplemented"
        assert message == f"Resource It: localbus does not implement {kind}."


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
def test_whatever_the_properties_are_the_reason_is_told(
    localbus: Localbus, stacks: StackClient, type_name: str, data: st.DataObject
) -> None:
    """No property makes the engine stumble: the resource is made, or fails for a reason that names what is wrong."""
    del localbus
    kind = RESOURCE_TYPES[type_name]
    known = dict.fromkeys(kind.properties, _VALUES)
    wanted = data.draw(
        st.fixed_dictionaries(
            {name: known[name] for name in kind.required},
            optional={name: value for name, value in known.items() if name not in kind.required},
        )
    )

    state = stacks.create(resource(type_name, **wanted))

    if state == "ROLLBACK_COMPLETE":
        assert "Internal Failure" not in stacks.reason("It", "CREATE_FAILED")
    assert stacks.delete() == "DELETE_COMPLETE"
