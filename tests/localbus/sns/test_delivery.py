"""Delivery to SQS queues: the envelope, filters, policies, dead letters, FIFO topics, replay; and captured messages."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import httpx
import pytest
from localbus.engine import Options
from localbus.pytest_plugin import Localbus
from support.localbus import ACCOUNT, QueueOf, journal, new_queue, refused

RAW = {"RawMessageDelivery": "true"}
EVENTS_MAY_PUBLISH = json.dumps(
    {"Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish"}]}
)
ATTRIBUTES = {
    "text": {"DataType": "String", "StringValue": "grüße"},
    "number": {"DataType": "Number", "StringValue": "99.12"},
    "bytes": {"DataType": "Binary", "BinaryValue": b"\x02\x03\x04"},
    "list": {"DataType": "String.Array", "StringValue": '["a", 1]'},
}


@pytest.fixture
def queue(localbus: Localbus) -> QueueOf:
    """A queue to which SNS may send."""
    return new_queue(localbus, "q")


def subscribe(sns: Any, topic: str, queue_arn: str, **attributes: str) -> str:
    """Subscribe a queue, and return the subscription's ARN."""
    given = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": queue_arn, "Attributes": attributes}
    return str(sns.subscribe(**given)["SubscriptionArn"])


def redrive_to(dead: QueueOf) -> dict[str, str]:
    """Return the attribute for a dead-letter queue."""
    return {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead.arn})}


def test_the_envelope(localbus: Localbus, sns: Any, topic: str, queue: QueueOf) -> None:
    """A queue gets AWS's envelope, formatted as AWS does (sns-message-and-json-formats)."""
    subscription = subscribe(sns, topic, queue.arn)

    published = sns.publish(TopicArn=topic, Message='say "hi"', Subject="s", MessageAttributes=ATTRIBUTES)

    [message] = queue.receive()
    document = json.loads(message["Body"])
    assert list(document) == [
        *("Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature"),
        *("SigningCertURL", "UnsubscribeURL", "MessageAttributes"),
    ]
    assert document["MessageId"] == published["MessageId"] != message["MessageId"]
    assert document["Message"] == 'say "hi"'
    assert document["Timestamp"] == "2023-11-14T22:13:20.000Z"
    assert document["UnsubscribeURL"] == f"{localbus.url}/?Action=Unsubscribe&SubscriptionArn={subscription}"
    assert document["MessageAttributes"] == {
        "text": {"Type": "String", "Value": "grüße"},
        "number": {"Type": "Number", "Value": "99.12"},
        "bytes": {"Type": "Binary", "Value": "AgME"},
        "list": {"Type": "String.Array", "Value": '["a", 1]'},
    }
    assert message["Body"].startswith('{\n  "Type" : "Notification",\n  "MessageId" : "')
    assert "MessageAttributes" not in message


def test_raw_delivery(localbus: Localbus, sns: Any, topic: str, queue: QueueOf) -> None:
    """The queue gets the body as published, and up to ten attributes as those of the message.

    An eleventh attribute is the publisher's error: the message is dropped (sns-large-payload-raw-message-delivery).
    """
    subscribe(sns, topic, queue.arn, **RAW)

    sns.publish(TopicArn=topic, Message="as it is", MessageAttributes=ATTRIBUTES)
    too_many = {f"a{number}": ATTRIBUTES["text"] for number in range(11)}
    sns.publish(TopicArn=topic, Message="too much", MessageAttributes=too_many)

    [message] = queue.receive()
    assert message["Body"] == "as it is"
    assert message["MessageAttributes"] == ATTRIBUTES
    assert "exceeds the allowed maximum [10]" in str(journal(localbus, event="undelivered"))


def test_a_text_for_each_protocol(sns: Any, topic: str, queue: QueueOf) -> None:
    """MessageStructure json has a text for each protocol (API_Publish)."""
    subscribe(sns, topic, queue.arn, **RAW)

    for texts in ({"default": "for all", "sqs": "for queues", "http": 5}, {"default": "for all"}):
        sns.publish(TopicArn=topic, Message=json.dumps(texts), MessageStructure="json")

    assert queue.bodies() == ["for queues", "for all"]


def test_filtered_messages(localbus: Localbus, sns: Any, topic: str, queue: QueueOf) -> None:
    """A message that the filter policy rejects is recorded in the journal with the policy (sns-message-filtering)."""
    policy = json.dumps({"kind": ["placed"]})
    arn = subscribe(sns, topic, queue.arn, **RAW, FilterPolicy=policy)
    entries = [
        {"Id": kind, "Message": kind, "MessageAttributes": {"kind": {"DataType": "String", "StringValue": kind}}}
        for kind in ("placed", "cancelled")
    ]

    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)

    assert queue.bodies() == ["placed"]
    [filtered] = journal(localbus, event="filtered")
    assert filtered["resource"] == arn
    assert filtered["message_id"] == answer["Successful"][1]["MessageId"]
    assert filtered["detail"] == {"scope": "MessageAttributes", "policy": policy}

    scope = {"AttributeName": "FilterPolicyScope", "AttributeValue": "MessageBody"}
    sns.set_subscription_attributes(SubscriptionArn=arn, **scope)
    for body in ('{"kind": "placed"}', '{"kind": "cancelled"}', "placed"):
        sns.publish(TopicArn=topic, Message=body)

    assert queue.bodies() == ['{"kind": "placed"}']


def test_without_a_queue_policy_nothing_is_delivered(localbus: Localbus, sns: Any, topic: str) -> None:
    """The queue's policy must allow SNS (subscribe-sqs-queue-to-sns-topic); the journal records the denial."""
    queue = new_queue(localbus, "q", open_to=None)
    subscribe(sns, topic, queue.arn)

    message_id = sns.publish(TopicArn=topic, Message="m")["MessageId"]

    assert queue.bodies() == []
    [denied] = journal(localbus, event="denied")
    assert denied["resource"] == queue.arn
    assert denied["detail"] == "the resource policy does not allow sns.amazonaws.com to perform sqs:SendMessage"
    events = [entry["event"] for entry in journal(localbus, message_id=message_id)]
    assert events == ["published", "undelivered", "dropped"]


def test_policies_can_be_switched_off() -> None:
    """Without enforcement SNS sends to any queue."""
    localbus = Localbus(Options(enforce_policies=False)).start()
    sns, queue = localbus.client("sns"), new_queue(localbus, "q", open_to=None)
    topic = sns.create_topic(Name="t")["TopicArn"]
    subscribe(sns, topic, queue.arn, **RAW)

    sns.publish(TopicArn=topic, Message="m")

    assert queue.bodies() == ["m"]
    localbus.stop()


def test_a_service_cannot_use_the_key_of_aws(localbus: Localbus, sns: Any, topic: str, queue: QueueOf) -> None:
    """SNS cannot send to a queue with the key that AWS manages for SQS; an account can, and SNS with another key."""
    subscribe(sns, topic, queue.arn, **RAW)
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})

    sns.publish(TopicArn=topic, Message="by a service")
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="by an account")

    assert queue.bodies() == ["by an account"]
    [denied] = journal(localbus, event="denied")
    assert denied["detail"] == "the policy of the key alias/aws/sqs does not allow sns.amazonaws.com to use it"
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"KmsMasterKeyId": "alias/ours"})
    sns.publish(TopicArn=topic, Message="with our key")
    assert queue.bodies() == ["with our key"]


@pytest.mark.parametrize("raw", ["true", "false"])
def test_a_dead_letter_has_the_form_of_the_delivery(
    localbus: Localbus, sns: Any, topic: str, queue: QueueOf, raw: str
) -> None:
    """The dead-letter queue gets what the subscriber would have got (sns-dead-letter-queues)."""
    dead = new_queue(localbus, "dead")
    subscribe(sns, topic, queue.arn, RawMessageDelivery=raw, **redrive_to(dead))
    queue.sqs.delete_queue(QueueUrl=queue.url)

    sns.publish(TopicArn=topic, Message="m", MessageAttributes=ATTRIBUTES)

    [message] = dead.receive()
    if raw == "true":
        assert (message["Body"], message["MessageAttributes"]) == ("m", ATTRIBUTES)
    else:
        assert json.loads(message["Body"])["Message"] == "m"
    [moved] = journal(localbus, event="dead_lettered")
    reason, dead_id = "The specified queue does not exist.", message["MessageId"]
    assert moved["detail"] == {"queue": dead.arn, "reason": reason, "message_id": dead_id}


def test_two_subscriptions_of_a_fifo_topic_share_a_dead_letter_queue(localbus: Localbus, sns: Any) -> None:
    """It keeps both dead letters, though their deduplication ids are the same (sns-dead-letter-queues)."""
    topic = sns.create_topic(Name="t.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    dead = new_queue(localbus, "dead.fifo")
    for name in ("one.fifo", "two.fifo"):
        subscribe(sns, topic, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}", RawMessageDelivery="true", **redrive_to(dead))

    sns.publish(TopicArn=topic, Message="m", MessageGroupId="g", MessageDeduplicationId="d")

    assert dead.bodies() == ["m", "m"]


def test_a_dead_letter_queue_needs_a_policy_too(localbus: Localbus, sns: Any, topic: str) -> None:
    """Otherwise the message is lost, as the journal records (sns-configure-dead-letter-queue)."""
    dead = new_queue(localbus, "dead", open_to=None)
    subscribe(sns, topic, f"arn:aws:sqs:us-east-1:{ACCOUNT}:none", **redrive_to(dead))

    sns.publish(TopicArn=topic, Message="m")

    assert dead.bodies() == []
    assert "the dead-letter queue did not accept it" in journal(localbus, event="dropped")[0]["detail"]


def test_a_fifo_topic_and_a_fifo_queue(localbus: Localbus, sns: Any, fifo_topic: str) -> None:
    """Order, group and number are kept; a duplicate within five minutes is not delivered (fifo-message-dedup)."""
    queue = new_queue(localbus, "q.fifo")
    subscribe(sns, fifo_topic, queue.arn)
    entries = [{"Id": str(n), "Message": f"m{n}", "MessageGroupId": "g"} for n in range(3)]

    first = sns.publish_batch(TopicArn=fifo_topic, PublishBatchRequestEntries=entries)["Successful"]
    again = sns.publish_batch(TopicArn=fifo_topic, PublishBatchRequestEntries=entries)["Successful"]

    assert again == first
    assert sorted(first, key=lambda one: int(one["SequenceNumber"])) == first
    messages = queue.receive()
    documents = [json.loads(message["Body"]) for message in messages]
    assert [document["Message"] for document in documents] == ["m0", "m1", "m2"]
    assert [document["SequenceNumber"] for document in documents] == [one["SequenceNumber"] for one in first]
    assert "Signature" not in documents[0]
    attributes = messages[0]["Attributes"]
    assert attributes["MessageGroupId"] == "g"
    assert attributes["MessageDeduplicationId"] == hashlib.sha256(b"m0").hexdigest()

    localbus.advance(300)

    assert sns.publish(TopicArn=fifo_topic, Message="m0", MessageGroupId="g")["MessageId"] != first[0]["MessageId"]
    assert len(queue.bodies()) == 1


def test_deduplication_by_group(sns: Any, fifo_topic: str, queue: QueueOf) -> None:
    """With FifoThroughputScope MessageGroup each group has its deduplication ids (API_CreateTopic)."""
    subscribe(sns, fifo_topic, queue.arn)
    sns.set_topic_attributes(TopicArn=fifo_topic, AttributeName="FifoThroughputScope", AttributeValue="MessageGroup")

    for group in ("a", "b", "a"):
        sns.publish(TopicArn=fifo_topic, Message="m", MessageGroupId=group)

    assert len(queue.bodies()) == 2


def test_replay(localbus: Localbus, sns: Any, fifo_topic: str) -> None:
    """An archived message has its first id and time (message-archiving-and-replay-subscriber)."""
    retention = {"AttributeName": "ArchivePolicy", "AttributeValue": '{"MessageRetentionPeriod": "30"}'}
    sns.set_topic_attributes(TopicArn=fifo_topic, **retention)
    ids = []
    for text in ("early", "late"):
        ids.append(sns.publish(TopicArn=fifo_topic, Message=text, MessageGroupId="g")["MessageId"])
        localbus.advance(86_400)
    queue = new_queue(localbus, "q.fifo")
    policy = {"PointType": "Timestamp", "StartingPoint": "2023-11-15T00:00:00.000Z"}

    subscribe(sns, fifo_topic, queue.arn, ReplayPolicy=json.dumps(policy))

    [document] = [json.loads(body) for body in queue.bodies()]
    assert (document["Message"], document["MessageId"], document["Replayed"]) == ("late", ids[1], True)
    assert document["Timestamp"] == "2023-11-15T22:13:20.000Z"
    attributes = sns.get_topic_attributes(TopicArn=fifo_topic)["Attributes"]
    assert attributes["BeginningArchiveTime"] == "2023-11-14T22:13:20.000Z"


def test_the_trace_header_is_passed_on(localbus: Localbus, sns: Any, topic: str, queue: QueueOf) -> None:
    """X-Amzn-Trace-Id of the publisher is the message's AWSTraceHeader (recorded of AWS)."""
    subscribe(sns, topic, queue.arn)
    form = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": topic, "Message": "m"}

    httpx.post(localbus.url, data=form, headers={"X-Amzn-Trace-Id": "Root=1-2-3;Sampled=1"})

    assert queue.receive()[0]["Attributes"]["AWSTraceHeader"] == "Root=1-2-3;Sampled=1"


def test_emails_and_text_messages_are_captured(localbus: Localbus, sns: Any, topic: str) -> None:
    """They can be read, confirmations with their links, and are never sent."""
    sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+15551234567")
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")

    def captured(**query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(f"{localbus.url}/_localbus/outbox", params=query).json()["letters"]
        return found

    [confirmation] = captured(to="a@example.com")
    assert confirmation["subject"] == "AWS Notification - Subscription Confirmation"
    httpx.get(confirmation["link"])
    sns.publish(TopicArn=topic, Message="m", Subject="s")
    sns.publish(PhoneNumber="+15557654321", Message="direct")

    [email] = captured(to="a@example.com")[1:]
    assert (email["subject"], email["message"]) == ("s", "m")
    texts = [(one["to"], one["message"]) for one in captured(protocol="sms")]
    assert texts == [("+15551234567", "m"), ("+15557654321", "direct")]


def test_a_text_message_has_at_most_1600_characters(localbus: Localbus, sns: Any, topic: str) -> None:
    """A longer one to a number is refused (API_Publish); one through a topic reaches the other subscribers only."""
    sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+15551234567")
    long, error = "é" * 1601, ("InvalidParameter", "Invalid parameter: Message too long")

    assert refused(sns.publish, PhoneNumber="+15557654321", Message=long) == error
    sns.publish(PhoneNumber="+15557654321", Message=long[1:])
    sns.publish(TopicArn=topic, Message=long)

    [dropped] = journal(localbus, event="undelivered")
    assert dropped["detail"] == "an SMS has at most 1600 characters, and the message has 1601"
    assert refused(sns.publish, PhoneNumber="+15557654321", Message="x" * 262_145) == error


def put_event(localbus: Localbus, topic: str, **target: Any) -> None:
    """Put an event that a rule sends to the topic."""
    events = localbus.client("events")
    events.put_rule(Name="r", EventPattern='{"source": ["orders"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "t", "Arn": topic, **target}])
    events.put_events(Entries=[{"Source": "orders", "DetailType": "d", "Detail": "{}"}])


def test_eventbridge_needs_the_permission_of_a_topic(localbus: Localbus, sns: Any, topic: str) -> None:
    """A rule is not retried for a topic that does not allow it; its dead letter has NO_PERMISSIONS (eb-rule-dlq)."""
    dead = new_queue(localbus, "dead", open_to="events")

    put_event(localbus, topic, DeadLetterConfig={"Arn": dead.arn})

    [dead_letter] = dead.receive()
    assert dead_letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"


def test_eventbridge_cannot_use_the_key_of_aws(localbus: Localbus, sns: Any, topic: str) -> None:
    """EventBridge cannot publish to a topic with the key that AWS manages for SNS; its dead letter has the error."""
    dead = new_queue(localbus, "dead", open_to="events")
    for name, value in (("Policy", EVENTS_MAY_PUBLISH), ("KmsMasterKeyId", "alias/aws/sns")):
        sns.set_topic_attributes(TopicArn=topic, AttributeName=name, AttributeValue=value)

    put_event(localbus, topic, DeadLetterConfig={"Arn": dead.arn})

    [dead_letter] = dead.receive()
    assert dead_letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"


def test_a_service_needs_the_policy_of_the_topic(localbus: Localbus, sns: Any, topic: str, queue: QueueOf) -> None:
    """EventBridge publishes where the topic's policy allows it (eb-use-resource-based); the journal has the denial."""
    subscribe(sns, topic, queue.arn, **RAW)
    put_event(localbus, topic, Input='"hello"')
    assert queue.bodies() == []
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=EVENTS_MAY_PUBLISH)

    put_event(localbus, topic, Input='"hello"')

    assert queue.bodies() == ['"hello"']
    [denied] = journal(localbus, event="denied")
    assert denied["detail"] == "the resource policy does not allow events.amazonaws.com to perform sns:Publish"


def test_groups_and_standard_queues(sns: Any, topic: str, fifo_topic: str, queue: QueueOf) -> None:
    """A standard queue gets the group of a standard topic's message, not of a FIFO topic's (recorded of AWS)."""
    for arn in (topic, fifo_topic):
        subscribe(sns, arn, queue.arn)
        sns.publish(TopicArn=arn, Message="m", MessageGroupId="g")

    assert [message["Attributes"].get("MessageGroupId") for message in queue.receive()] == ["g", None]
