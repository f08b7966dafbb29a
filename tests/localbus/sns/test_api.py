"""Topics, subscriptions and publishing as boto3 sees them, and AWS's own words for what is wrong.

Pages are those of https://docs.aws.amazon.com/sns/latest/api/ unless another is named; error messages were recorded of
AWS.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from localbus.pytest_plugin import Localbus
from localbus_support import ACCOUNT, new_queue, refused

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
KIB = 1024


@pytest.fixture
def sns(localbus: Localbus) -> Any:
    """A client of the engine."""
    return localbus.client("sns")


@pytest.fixture
def topic(sns: Any) -> str:
    """The ARN of a standard topic."""
    return str(sns.create_topic(Name="t")["TopicArn"])


@pytest.fixture
def fifo_topic(sns: Any) -> str:
    """The ARN of a FIFO topic without content-based deduplication."""
    return str(sns.create_topic(Name="t.fifo", Attributes={"FifoTopic": "true"})["TopicArn"])


# Topics


def test_a_topic_and_its_attributes(sns: Any, topic: str, fifo_topic: str) -> None:
    """A new topic lets its owner do everything, and tries HTTP endpoints three times more (API_GetTopicAttributes)."""
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]

    assert topic == f"arn:aws:sns:us-east-1:{ACCOUNT}:t"
    assert set(attributes) == {
        *("TopicArn", "Owner", "DisplayName", "Policy", "EffectiveDeliveryPolicy"),
        *("SubscriptionsConfirmed", "SubscriptionsDeleted", "SubscriptionsPending"),
    }
    [statement] = json.loads(attributes["Policy"])["Statement"]
    assert statement["Condition"] == {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}
    assert json.loads(attributes["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]["numRetries"] == 3
    attributes = sns.get_topic_attributes(TopicArn=fifo_topic)["Attributes"]
    assert (attributes["FifoTopic"], attributes["ContentBasedDeduplication"]) == ("true", "false")


def test_a_topic_is_made_once(sns: Any) -> None:
    """Asking again finds it, unless something differs (API_CreateTopic)."""
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    made = sns.create_topic(Name="t", Tags=tags, Attributes={"DisplayName": "T"})["TopicArn"]

    assert sns.create_topic(Name="t")["TopicArn"] == made
    assert sns.create_topic(Name="t", Tags=tags[:1], Attributes={"DisplayName": "T"})["TopicArn"] == made
    assert refused(sns.create_topic, Name="t", Tags=[{"Key": "a", "Value": "2"}]) == (
        "InvalidParameter",
        "Invalid parameter: Tags Reason: Topic already exists with different tags",
    )
    assert refused(sns.create_topic, Name="t", Attributes={"DisplayName": "U"}) == (
        "InvalidParameter",
        "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
    )


@pytest.mark.parametrize("name", ["", "a" * 257, "bad:name", "bad name", "t.fifo"])
def test_what_a_topic_may_not_be_called(sns: Any, name: str) -> None:
    """1 to 256 letters, digits, hyphens and underscores (API_CreateTopic)."""
    assert refused(sns.create_topic, Name=name) == ("InvalidParameter", "Invalid parameter: Topic Name")
    assert sns.create_topic(Name="a" * 256)["TopicArn"]


@pytest.mark.parametrize(
    ("arn", "code", "message"),
    [
        ("none", "InvalidParameter", "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"),
        (f"arn:aws:sns:us-east-1:{ACCOUNT}:none", "NotFound", "Topic does not exist"),
        (f"arn:aws:sns:eu-west-1:{ACCOUNT}:t", "InvalidParameter", "Invalid parameter: TopicArn"),
    ],
)
def test_topics_that_are_not_there(sns: Any, arn: str, code: str, message: str) -> None:
    """Every action says so alike; only DeleteTopic finds it right."""
    assert refused(sns.get_topic_attributes, TopicArn=arn) == (code, message)
    assert refused(sns.publish, TopicArn=arn, Message="m") == (code, message)
    assert refused(sns.subscribe, TopicArn=arn, Protocol="sqs", Endpoint=QUEUE) == (code, message)
    if code == "NotFound":
        sns.delete_topic(TopicArn=arn)


def test_a_topic_with_an_archive_is_not_deleted(sns: Any, fifo_topic: str) -> None:
    """Its archive policy must be taken away first (message-archiving-and-replay-topic-owner, in the guide)."""
    given = {"TopicArn": fifo_topic, "AttributeName": "ArchivePolicy"}
    sns.set_topic_attributes(**given, AttributeValue='{"MessageRetentionPeriod": "30"}')
    told = ("InvalidState", "Invalid state: Cannot delete a topic with an ArchivePolicy")
    assert refused(sns.delete_topic, TopicArn=fifo_topic) == told

    sns.set_topic_attributes(**given, AttributeValue="{}")
    sns.delete_topic(TopicArn=fifo_topic)

    assert refused(sns.get_topic_attributes, TopicArn=fifo_topic)[0] == "NotFound"


def test_topics_are_listed_in_pages(sns: Any, localbus: Localbus) -> None:
    """A hundred at a time, those of the own account and region (API_ListTopics)."""
    for number in range(120):
        sns.create_topic(Name=f"t{number}")
    localbus.client("sns", region="eu-west-1").create_topic(Name="elsewhere")
    localbus.client("sns", account="111111111111").create_topic(Name="others")

    pages = [page["Topics"] for page in sns.get_paginator("list_topics").paginate()]

    assert [len(page) for page in pages] == [100, 20]
    assert len({one["TopicArn"] for page in pages for one in page}) == 120


def test_tags(sns: Any, topic: str) -> None:
    """They are set, listed and taken away (API_TagResource)."""
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "k1", "Value": "v1"}, {"Key": "k2", "Value": "v2"}])
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "k2", "Value": "v2b"}])
    sns.untag_resource(ResourceArn=topic, TagKeys=["k1"])

    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "k2", "Value": "v2b"}]
    assert refused(sns.tag_resource, ResourceArn=topic, Tags=[{"Key": "a", "Value": "b"}] * 2) == (
        "InvalidParameter",
        "Invalid parameter: Duplicated keys are not allowed.",
    )
    many = [{"Key": str(number), "Value": "v"} for number in range(50)]
    assert refused(sns.tag_resource, ResourceArn=topic, Tags=many)[0] == "TagLimitExceeded"
    assert refused(sns.list_tags_for_resource, ResourceArn=f"{topic}2") == (
        "ResourceNotFound",
        "Resource does not exist",
    )


def test_a_topic_s_delivery_policy(sns: Any, fifo_topic: str) -> None:
    """AWS keeps what was given, fills in the rest in the effective one, and forgets it for an empty text."""

    def put(policy: Any) -> dict[str, Any]:
        text = json.dumps(policy) if policy else ""
        sns.set_topic_attributes(TopicArn=fifo_topic, AttributeName="DeliveryPolicy", AttributeValue=text)
        attributes: dict[str, Any] = sns.get_topic_attributes(TopicArn=fifo_topic)["Attributes"]
        return attributes

    policy = {"minDelayTarget": 5, "maxDelayTarget": 6, "numRetries": 1}
    attributes = put({"http": {"defaultHealthyRetryPolicy": policy}})
    assert json.loads(attributes["DeliveryPolicy"]) == {
        "http": {"defaultHealthyRetryPolicy": policy, "disableSubscriptionOverrides": False}
    }
    effective = json.loads(attributes["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]
    assert effective == policy | {
        "numMaxDelayRetries": 0,
        "numNoDelayRetries": 0,
        "numMinDelayRetries": 0,
        "backoffFunction": "linear",
    }
    attributes = put({"http": {"defaultHealthyRetryPolicy": None}})
    assert json.loads(attributes["DeliveryPolicy"]) == {"http": {"disableSubscriptionOverrides": False}}
    assert "DeliveryPolicy" not in put(None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FifoTopic", "true"),
        ("NoSuch", "x"),
        ("ContentBasedDeduplication", "true"),
        ("SignatureVersion", "3"),
        ("MaximumMessageSize", "1023"),
        ("Policy", "{}"),
        ("DeliveryPolicy", "{"),
        ("DisplayName", "x" * 101),
    ],
)
def test_what_an_attribute_may_not_be(sns: Any, topic: str, name: str, value: str) -> None:
    """Each is InvalidParameter (API_SetTopicAttributes)."""
    code, message = refused(sns.set_topic_attributes, TopicArn=topic, AttributeName=name, AttributeValue=value)

    assert code == "InvalidParameter"
    assert message.startswith("Invalid parameter: ")


# Subscriptions


def test_a_subscription_and_its_attributes(sns: Any, topic: str) -> None:
    """A queue of the own account needs no confirmation (API_GetSubscriptionAttributes)."""
    arn = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE)["SubscriptionArn"]

    assert sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"] == {
        "ConfirmationWasAuthenticated": "true",
        "Endpoint": QUEUE,
        "Owner": ACCOUNT,
        "PendingConfirmation": "false",
        "Protocol": "sqs",
        "RawMessageDelivery": "false",
        "SubscriptionArn": arn,
        "SubscriptionPrincipal": f"arn:aws:iam::{ACCOUNT}:root",
        "TopicArn": topic,
    }
    sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="FilterPolicyScope", AttributeValue="MessageBody"
    )
    assert "FilterPolicyScope" not in sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue='{"a": ["b"]}')
    assert sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["FilterPolicyScope"] == "MessageBody"
    [listed] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == arn


def test_subscribing_twice(sns: Any, topic: str) -> None:
    """The same endpoint has one subscription, unless attributes are asked for that it has not (recorded of AWS)."""
    given = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": QUEUE}
    raw, default = {"RawMessageDelivery": "true"}, {"FilterPolicyScope": "MessageAttributes"}
    first = sns.subscribe(**given, Attributes=raw)["SubscriptionArn"]

    for attributes in (raw, default, raw | default, {}):
        assert sns.subscribe(**given, Attributes=attributes)["SubscriptionArn"] == first
    assert sns.subscribe(**given)["SubscriptionArn"] == first
    assert refused(sns.subscribe, **given, Attributes={"RawMessageDelivery": "false"}) == (
        "InvalidParameter",
        "Invalid parameter: Attributes Reason: Subscription already exists with different attributes",
    )


@pytest.mark.parametrize(
    ("protocol", "endpoint", "message"),
    [
        ("test", "x", "Invalid parameter: Amazon SNS does not support this protocol string: test"),
        ("sqs", "http://localhost/000000000000/q", "Invalid parameter: SQS endpoint ARN"),
        ("sms", "NAA+15551234567", "Invalid SMS endpoint: NAA+15551234567"),
        ("http", "https://example.com", "Invalid parameter: Endpoint must match the specified protocol"),
        (
            "sqs",
            f"{QUEUE}.fifo",
            "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard "
            "SNS topics",
        ),
    ],
)
def test_what_an_endpoint_may_not_be(sns: Any, topic: str, protocol: str, endpoint: str, message: str) -> None:
    """Each protocol has endpoints of its own form (API_Subscribe)."""
    given = {"TopicArn": topic, "Protocol": protocol, "Endpoint": endpoint}

    assert refused(sns.subscribe, **given) == ("InvalidParameter", message)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("NoSuch", "x", "AttributeName"),
        ("RawMessageDelivery", "ValUe", "RawMessageDelivery: Invalid value [ValUe]. Must be true or false."),
        ("RawMessageDelivery", "", "RawMessageDelivery: Invalid value []. Must be true or false."),
        (
            "FilterPolicyScope",
            "RandomValue",
            "FilterPolicyScope: Invalid value [RandomValue]. Please use either MessageBody or MessageAttributes",
        ),
        (
            "RedrivePolicy",
            '{"deadLetterTargetArn": "fake"}',
            "RedrivePolicy: deadLetterTargetArn is an invalid arn",
        ),
        (
            "RedrivePolicy",
            "{invalid",
            "RedrivePolicy: failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to "
            "start field name\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: "
            "1, column: 2]",
        ),
        (
            "FilterPolicy",
            '{"object":{"key":["a"]}}',
            "Filter policy scope MessageAttributes does not support nested filter policy",
        ),
        (
            "FilterPolicy",
            '{"key_a":"value_one"}',
            'FilterPolicy: "key_a" must be an object or an array\n at [Source: REDACTED '
            "(`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 11]",
        ),
    ],
)
def test_what_an_attribute_of_a_subscription_may_not_be(
    sns: Any, topic: str, name: str, value: str, reason: str
) -> None:
    """In the same words with Subscribe, which says Attributes (recorded of AWS)."""
    given = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": QUEUE}
    if name != "NoSuch":
        told = f"Invalid parameter: Attributes Reason: {reason}"
        assert refused(sns.subscribe, **given, Attributes={name: value}) == ("InvalidParameter", told)
    arn = sns.subscribe(**given)["SubscriptionArn"]

    told = f"Invalid parameter: {reason}"
    answer = refused(sns.set_subscription_attributes, SubscriptionArn=arn, AttributeName=name, AttributeValue=value)
    assert answer == ("InvalidParameter", told)


def test_a_dead_letter_queue_is_of_the_subscription_s_kind(sns: Any, fifo_topic: str) -> None:
    """FIFO for FIFO (sns-dead-letter-queues, in the guide)."""
    policy = json.dumps({"deadLetterTargetArn": QUEUE})
    given = {"TopicArn": fifo_topic, "Protocol": "sqs", "Endpoint": f"{QUEUE}.fifo"}
    reason = "RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."

    assert refused(sns.subscribe, **given, Attributes={"RedrivePolicy": policy})[1].endswith(reason)


@pytest.mark.parametrize(
    ("arn", "reason"),
    [
        ("x", "SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"),
        ("arn:aws:sns:us-east-1:000000000000", "SubscriptionArn Reason: An ARN must have at least 6 elements, not 5"),
        (f"arn:aws:sns:us-east-1:{ACCOUNT}:t:not-an-id", "SubscriptionId"),
        ("", "SubscriptionArn Reason: no value for required parameter"),
    ],
)
def test_what_is_no_subscription(sns: Any, arn: str, reason: str) -> None:
    """What could not be one is refused (API_Unsubscribe)."""
    told = ("InvalidParameter", f"Invalid parameter: {reason}")

    assert refused(sns.unsubscribe, SubscriptionArn=arn) == told
    assert refused(sns.get_subscription_attributes, SubscriptionArn=arn) == told


def test_a_missing_parameter_is_told_by_its_name(localbus: Localbus) -> None:
    """As recorded of AWS for Unsubscribe without anything."""
    answer = httpx.post(localbus.url, data={"Action": "Unsubscribe", "Version": "2010-03-31"})

    assert answer.status_code == 400
    reason = "Invalid parameter: SubscriptionArn Reason: no value for required parameter"
    assert f"<Code>InvalidParameter</Code><Message>{reason}</Message>" in answer.text.replace("\n", "")


def test_ending_a_subscription(sns: Any, topic: str) -> None:
    """Ending it twice is no error, asking for it then is; it goes with its topic as well (API_Unsubscribe)."""
    first = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE)["SubscriptionArn"]
    for _ in range(2):
        sns.unsubscribe(SubscriptionArn=first)
    told = ("NotFound", "Subscription does not exist")
    assert refused(sns.get_subscription_attributes, SubscriptionArn=first) == told
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsDeleted"] == "1"

    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE)
    sns.delete_topic(TopicArn=topic)

    assert sns.list_subscriptions()["Subscriptions"] == []


def test_a_token_confirms(localbus: Localbus, sns: Any, topic: str) -> None:
    """A mail address confirms by its token, within two days (API_ConfirmSubscription)."""
    given = {"TopicArn": topic, "Protocol": "email", "Endpoint": "a@example.com"}
    pending = sns.subscribe(**given, ReturnSubscriptionArn=True)["SubscriptionArn"]
    [listed] = sns.list_subscriptions()["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    [letter] = httpx.get(f"{localbus.url}/_localbus/outbox").json()["letters"]
    token = letter["link"].rpartition("Token=")[2]
    confirm = sns.confirm_subscription
    assert refused(confirm, TopicArn=topic, Token="random") == ("InvalidParameter", "Invalid token")
    assert refused(confirm, TopicArn=topic, Token="abc123") == ("InvalidParameter", "Invalid parameter: Token")

    assert confirm(TopicArn=topic, Token=token, AuthenticateOnUnsubscribe="true")["SubscriptionArn"] == pending

    attributes = sns.get_subscription_attributes(SubscriptionArn=pending)["Attributes"]
    assert (attributes["PendingConfirmation"], attributes["ConfirmationWasAuthenticated"]) == ("false", "true")
    unsigned = httpx.get(localbus.url, params={"Action": "Unsubscribe", "SubscriptionArn": pending})
    assert unsigned.status_code == 403
    assert "AuthorizationError" in unsigned.text


def test_of_a_topic_only_its_region_must_be_right_to_confirm(localbus: Localbus, sns: Any, topic: str) -> None:
    """The link confirms whatever the topic is called, and without a signature (recorded of AWS)."""
    given = {"TopicArn": topic, "Protocol": "email", "Endpoint": "a@example.com"}
    pending = sns.subscribe(**given, ReturnSubscriptionArn=True)["SubscriptionArn"]
    [letter] = httpx.get(f"{localbus.url}/_localbus/outbox").json()["letters"]
    for wrong in ("not-an-arn", topic.replace("us-east-1", "eu-central-1")):
        refusal = httpx.get(letter["link"].replace(topic, wrong))
        assert refusal.status_code == 400
        assert "<Message>Invalid parameter: Topic</Message>" in refusal.text

    confirmed = httpx.get(letter["link"].replace(topic, f"{topic}x"))

    assert f"<SubscriptionArn>{pending}</SubscriptionArn>" in confirmed.text
    attributes = sns.get_subscription_attributes(SubscriptionArn=pending)["Attributes"]
    assert (attributes["PendingConfirmation"], attributes["ConfirmationWasAuthenticated"]) == ("false", "false")


def test_who_does_not_confirm_is_forgotten(localbus: Localbus, sns: Any, topic: str) -> None:
    """After two days (API_ConfirmSubscription)."""
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    assert len(sns.list_subscriptions()["Subscriptions"]) == 1

    localbus.advance(2 * 86_400)

    assert sns.list_subscriptions()["Subscriptions"] == []


def test_subscriptions_are_listed_in_pages(sns: Any, topic: str) -> None:
    """A hundred at a time (API_ListSubscriptionsByTopic)."""
    for number in range(101):
        sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint=f"+1555{number:07}")

    for name, given in (("list_subscriptions", {}), ("list_subscriptions_by_topic", {"TopicArn": topic})):
        pages = [page["Subscriptions"] for page in sns.get_paginator(name).paginate(**given)]
        assert [len(page) for page in pages] == [100, 1]


# Publishing


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Message": ""}, "Invalid parameter: Empty message"),
        ({"Subject": ""}, "Invalid parameter: Subject"),
        ({"Subject": "x" * 101}, "Invalid parameter: Subject"),
        ({"Subject": "a\nb"}, "Invalid parameter: Subject"),
        ({"Message": "x" * (256 * KIB + 1)}, "Invalid parameter: Message too long"),
        (
            {
                "Message": "x" * (256 * KIB - 8),
                "MessageAttributes": {"name": {"DataType": "String", "StringValue": "v"}},
            },
            "Invalid parameter: Message too long",
        ),
        (
            {"MessageStructure": "json", "Message": '{"sqs": "x"}'},
            "Invalid parameter: Message Structure - No default entry in JSON message body",
        ),
        (
            {"MessageStructure": "json", "Message": '{"default": {"a": 1}}'},
            "Invalid parameter: Message Structure - No default entry in JSON message body",
        ),
        (
            {"MessageStructure": "json", "Message": "{"},
            "Invalid parameter: Message Structure - JSON message body failed to parse",
        ),
        (
            {"MessageDeduplicationId": "x"},
            "Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter "
            "that is not valid for this topic type",
        ),
    ],
)
def test_what_a_message_may_not_be(sns: Any, topic: str, given: Any, message: str) -> None:
    """Each limit is told in AWS's words (API_Publish)."""
    assert refused(sns.publish, **({"TopicArn": topic, "Message": "m"} | given)) == ("InvalidParameter", message)


def test_what_a_fifo_topic_asks_for(sns: Any, fifo_topic: str) -> None:
    """A group, and an id unless the content is one (fifo-message-dedup, in the guide)."""
    group = "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
    identity = (
        "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
        "provided explicitly"
    )
    given: dict[str, Any] = {"TopicArn": fifo_topic, "Message": "m"}
    assert refused(sns.publish, **given) == ("InvalidParameter", group)
    assert refused(sns.publish, **given, MessageGroupId="g") == ("InvalidParameter", identity)
    entries = [{"Id": "1", "Message": "m", "MessageGroupId": "g", "MessageDeduplicationId": "d"}]
    entries.append({"Id": "2", "Message": "m", "MessageGroupId": "g"})
    assert refused(sns.publish_batch, TopicArn=fifo_topic, PublishBatchRequestEntries=entries) == (
        "InvalidParameter",
        identity,
    )

    assert sns.publish(**given, MessageGroupId="g", MessageDeduplicationId="d")["SequenceNumber"]


@pytest.mark.parametrize(
    ("name", "attribute", "message"),
    [
        (
            "attr1",
            {"DataType": "String", "StringValue": ""},
            "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type "
            "'String'.",
        ),
        (
            "attr1",
            {"DataType": "String"},
            "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type "
            "'String'.",
        ),
        (
            "attr1",
            {"DataType": "Binary", "BinaryValue": b""},
            "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type "
            "'Binary'.",
        ),
        (
            "attr1",
            {"DataType": "Number", "BinaryValue": b"1"},
            "The message attribute 'attr1' with type 'Number' must use field 'String'.",
        ),
        (
            "attr1",
            {"DataType": "Binary", "StringValue": "x"},
            "The message attribute 'attr1' with type 'Binary' must use field 'Binary'.",
        ),
        (
            "attr1",
            {"DataType": "string.prefix", "StringValue": "x"},
            "The message attribute 'attr1' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String.",
        ),
        ("a" * 257, {}, "Length of message attribute name must be less than 256 bytes."),
        (
            "a^b",
            {},
            "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include "
            "alphanumeric characters, hyphens, underscores, or dots.",
        ),
        (".a", {}, "Invalid message attribute name starting with character '.' was found."),
        ("a.", {}, "Invalid message attribute name ending with character '.' was found."),
        ("a..b", {}, "Message attribute name can not have successive '.' character."),
    ],
)
def test_what_an_attribute_of_a_message_may_not_be(
    sns: Any, topic: str, name: str, attribute: Any, message: str
) -> None:
    """With Publish, and for the whole of a PublishBatch (recorded of AWS)."""
    attributes = {name: attribute or {"DataType": "String", "StringValue": "x"}}
    told = ("ParameterValueInvalid", message)

    assert refused(sns.publish, TopicArn=topic, Message="m", MessageAttributes=attributes) == told
    entry = {"Id": "1", "Message": "m", "MessageAttributes": attributes}
    assert refused(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=[entry]) == told


def test_a_missing_member_is_told_by_its_path(localbus: Localbus, topic: str) -> None:
    """As recorded of AWS, with `member` after a number and after a name in a map."""
    form = {"Action": "PublishBatch", "Version": "2010-03-31", "TopicArn": topic}
    entry = "PublishBatchRequestEntries.member.1"
    form |= {f"{entry}.Id": "1", f"{entry}.Message": "m"}
    form |= {f"{entry}.MessageAttributes.entry.1.Name": "attr1"}
    form |= {f"{entry}.MessageAttributes.entry.1.Value.StringValue": "x"}

    answer = httpx.post(localbus.url, data=form)

    assert answer.status_code == 400
    assert "<Code>ValidationError</Code>" in answer.text
    path = "publishBatchRequestEntries.1.member.messageAttributes.attr1.member.dataType"
    constraint = "failed to satisfy constraint: Member must not be null"
    assert f"1 validation error detected: Value null at '{path}' {constraint}" in answer.text


@pytest.mark.parametrize(
    ("ids", "code", "message"),
    [
        ([], "EmptyBatchRequest", "The batch request doesn't contain any entries."),
        (range(11), "TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible."),
        ([1, 1], "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id."),
        (
            ["a b"],
            "InvalidBatchEntryId",
            "The Id of a batch entry in the batch request contains an impermissible character: a b",
        ),
        (
            ["a" * 81],
            "InvalidBatchEntryId",
            f"The Id of a batch entry in the batch request is too long: {'a' * 81}",
        ),
    ],
)
def test_what_a_batch_may_not_be(sns: Any, topic: str, ids: Any, code: str, message: str) -> None:
    """One to ten entries, each with an id of its own (API_PublishBatch)."""
    entries = [{"Id": str(one), "Message": "m"} for one in ids]

    assert refused(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=entries) == (code, message)


def test_a_batch_has_256_kib_in_all(sns: Any, topic: str) -> None:
    """Its attributes count (API_PublishBatch)."""
    entries: list[dict[str, Any]] = [{"Id": str(n), "Message": "x" * (128 * KIB)} for n in range(2)]
    assert len(sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)["Successful"]) == 2
    entries[0]["MessageAttributes"] = {"a": {"DataType": "String", "StringValue": "v"}}

    assert refused(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=entries) == (
        "BatchRequestTooLong",
        "The length of all the messages put together is more than the limit.",
    )


def test_a_topic_for_large_messages(localbus: Localbus, sns: Any, topic: str) -> None:
    """Up to a mebibyte, to queues and functions (large-message-payloads, in the guide)."""
    queue = new_queue(localbus, "q")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="MaximumMessageSize", AttributeValue="1048576")

    sns.publish(TopicArn=topic, Message="x" * (1024 * KIB))

    assert len(queue.bodies()[0]) == 1024 * KIB
    given = {"TopicArn": topic, "Protocol": "email", "Endpoint": "a@example.com"}
    assert refused(sns.subscribe, **given)[0] == "InvalidParameter"


def test_an_entry_fails_alone(localbus: Localbus, sns: Any, topic: str) -> None:
    """What is wrong with one message does not keep the others (API_PublishBatch)."""
    queue = new_queue(localbus, "q")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
    entries = [{"Id": "good", "Message": "m"}, {"Id": "bad", "Message": ""}]

    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)

    assert [one["Id"] for one in answer["Successful"]] == ["good"]
    assert answer["Failed"] == [
        {
            "Id": "bad",
            "Code": "InvalidParameter",
            "Message": "Invalid parameter: Empty message",
            "SenderFault": True,
        }
    ]
    assert queue.bodies() == ["m"]


def test_attributes_for_phones_and_devices(sns: Any, topic: str) -> None:
    """Of the names that begin with AWS, those that push services and text messages know are taken (sms_publish)."""
    attribute = {"DataType": "String", "StringValue": "Transactional"}

    for name in ("AWS.SNS.SMS.SMSType", "AWS.SNS.MOBILE.APNS.TTL", "AWS.MM.SMS.EntityId"):
        assert sns.publish(TopicArn=topic, Message="m", MessageAttributes={name: attribute})["MessageId"]
        assert sns.publish(PhoneNumber="+15551234567", Message="m", MessageAttributes={name: attribute})["MessageId"]
    wrong = {"TopicArn": topic, "Message": "m", "MessageAttributes": {"AWS.other": attribute}}
    assert refused(sns.publish, **wrong)[0] == "ParameterValueInvalid"


@pytest.mark.parametrize("number", ["+1a234", "NAA+15551234567"])
def test_a_number_that_is_none(sns: Any, number: str) -> None:
    """It must be of E.164's form (API_Publish)."""
    told = f"Invalid parameter: PhoneNumber Reason: {number} is not valid to publish to"

    assert refused(sns.publish, PhoneNumber=number, Message="m") == ("InvalidParameter", told)


def test_where_to_publish(sns: Any, topic: str) -> None:
    """TargetArn takes a topic as well, and no device that is not there (API_Publish)."""
    assert sns.publish(TargetArn=topic, Message="m")["MessageId"]
    endpoint = f"arn:aws:sns:us-east-1:{ACCOUNT}:endpoint/GCM/app/0"
    told = "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified"
    assert refused(sns.publish, TargetArn=endpoint, Message="m") == ("InvalidParameter", told)
    assert refused(sns.publish, Message="m")[0] == "InvalidParameter"


def test_what_is_not_built_says_so(sns: Any) -> None:
    """Data protection is known to AWS and not there, and never pretends to be."""
    code, message = refused(sns.put_data_protection_policy, ResourceArn="a", DataProtectionPolicy="{}")

    assert (code, message) == (
        "NotImplemented",
        "sns PutDataProtectionPolicy is an action of AWS that localbus does not implement.",
    )


def test_text_message_settings(sns: Any) -> None:
    """They are kept, and nobody has opted out (API_SetSMSAttributes, API_CheckIfPhoneNumberIsOptedOut)."""
    sns.set_sms_attributes(attributes={"DefaultSMSType": "Transactional"})

    assert sns.get_sms_attributes()["attributes"] == {"DefaultSMSType": "Transactional", "MonthlySpendLimit": "1"}
    assert sns.get_sms_attributes(attributes=["MonthlySpendLimit"])["attributes"] == {"MonthlySpendLimit": "1"}
    sns.opt_in_phone_number(phoneNumber="+15551234567")
    assert sns.check_if_phone_number_is_opted_out(phoneNumber="+15551234567")["isOptedOut"] is False
    told = ("InvalidParameter", "Invalid parameter: PhoneNumber Reason: input incorrectly formatted")
    assert refused(sns.check_if_phone_number_is_opted_out, phoneNumber="x") == told
    assert refused(sns.opt_in_phone_number, phoneNumber="x") == told
    told = ("InvalidParameter", "NoSuch is not a valid attribute")
    assert refused(sns.set_sms_attributes, attributes={"NoSuch": "x"}) == told
    told = ("InvalidParameter", "DefaultSMSType is invalid")
    assert refused(sns.set_sms_attributes, attributes={"DefaultSMSType": "x"}) == told
