"""Where the messages of a topic go: SNS and SQS as boto3 sees them, real HTTP endpoints, and a function upstream."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from localbus.engine import Options
from localbus.pytest_plugin import Localbus
from localbus_support import ACCOUNT, WebServer, eventually, journal, new_queue, refused

ATTRIBUTES = {
    "text": {"DataType": "String", "StringValue": "grüße"},
    "number": {"DataType": "Number", "StringValue": "99.12"},
    "bytes": {"DataType": "Binary", "BinaryValue": b"\x02\x03\x04"},
    "list": {"DataType": "String.Array", "StringValue": '["a", 1]'},
}


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
    """The ARN of a FIFO topic."""
    attributes = {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    return str(sns.create_topic(Name="t.fifo", Attributes=attributes)["TopicArn"])


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server that remembers what it gets."""
    server = WebServer()
    yield server
    server.stop()


def test_the_envelope(localbus: Localbus, sns: Any, topic: str) -> None:
    """A queue gets AWS's envelope, laid out as AWS does (sns-message-and-json-formats)."""
    queue = new_queue(localbus, "q")
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)["SubscriptionArn"]

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


def test_raw_delivery(localbus: Localbus, sns: Any, topic: str) -> None:
    """The body as published, and the attributes as those of the message (sns-large-payload-raw-message-delivery)."""
    queue = new_queue(localbus, "q")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})

    sns.publish(TopicArn=topic, Message="as it is", MessageAttributes=ATTRIBUTES)

    [message] = queue.receive()
    assert message["Body"] == "as it is"
    assert message["MessageAttributes"] == ATTRIBUTES


def test_raw_delivery_takes_ten_attributes(localbus: Localbus, sns: Any, topic: str) -> None:
    """With an eleventh the message is dropped as the publisher's error (sns-large-payload-raw-message-delivery)."""
    queue = new_queue(localbus, "q")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
    attributes = {f"a{number}": {"DataType": "String", "StringValue": "x"} for number in range(11)}

    sns.publish(TopicArn=topic, Message="too much", MessageAttributes=attributes)

    assert queue.bodies() == []
    assert "exceeds the allowed maximum [10]" in str(journal(localbus, event="undelivered"))


def test_a_text_for_each_protocol(localbus: Localbus, sns: Any, topic: str) -> None:
    """MessageStructure json gives each protocol its own text (API_Publish)."""
    queue = new_queue(localbus, "q")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})

    for texts in ({"default": "for all", "sqs": "for queues", "http": 5}, {"default": "for all"}):
        sns.publish(TopicArn=topic, Message=json.dumps(texts), MessageStructure="json")

    assert queue.bodies() == ["for queues", "for all"]


def test_a_filter_policy_at_work(localbus: Localbus, sns: Any, topic: str) -> None:
    """A message that is not wanted does not come, and the journal says by which policy (sns-message-filtering)."""
    queue = new_queue(localbus, "q")
    policy = json.dumps({"kind": ["placed"]})
    given = {"RawMessageDelivery": "true", "FilterPolicy": policy}
    arn = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes=given)["SubscriptionArn"]
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

    sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="FilterPolicyScope", AttributeValue="MessageBody"
    )
    for body in ('{"kind": "placed"}', '{"kind": "cancelled"}', "placed"):
        sns.publish(TopicArn=topic, Message=body)

    assert queue.bodies() == ['{"kind": "placed"}']


def test_without_a_queue_policy_nothing_is_delivered(localbus: Localbus, sns: Any, topic: str) -> None:
    """SNS must be let (subscribe-sqs-queue-to-sns-topic), and the journal says that it was not."""
    queue = new_queue(localbus, "q", open_to=None)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)

    message_id = sns.publish(TopicArn=topic, Message="m")["MessageId"]

    assert queue.bodies() == []
    [denied] = journal(localbus, event="denied")
    assert denied["resource"] == queue.arn
    assert denied["detail"] == "the resource policy does not allow sns.amazonaws.com to perform sqs:SendMessage"
    assert [entry["event"] for entry in journal(localbus, message_id=message_id)] == [
        "published",
        "undelivered",
        "dropped",
    ]


def test_policies_can_be_switched_off() -> None:
    """With the switch SNS sends as it likes."""
    localbus = Localbus(Options(enforce_policies=False)).start()
    sns, queue = localbus.client("sns"), new_queue(localbus, "q", open_to=None)
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})

    sns.publish(TopicArn=topic, Message="m")

    assert queue.bodies() == ["m"]
    localbus.stop()


@pytest.mark.parametrize("raw", ["true", "false"])
def test_what_cannot_be_delivered_goes_to_the_dead_letter_queue(
    localbus: Localbus, sns: Any, topic: str, raw: str
) -> None:
    """In the form in which the subscriber would have got it (sns-dead-letter-queues)."""
    queue, dead = new_queue(localbus, "q"), new_queue(localbus, "dead")
    policy = json.dumps({"deadLetterTargetArn": dead.arn})
    given = {"RawMessageDelivery": raw, "RedrivePolicy": policy}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes=given)
    queue.sqs.delete_queue(QueueUrl=queue.url)

    sns.publish(TopicArn=topic, Message="m", MessageAttributes=ATTRIBUTES)

    [message] = dead.receive()
    if raw == "true":
        assert (message["Body"], message["MessageAttributes"]) == ("m", ATTRIBUTES)
    else:
        assert json.loads(message["Body"])["Message"] == "m"
    [buried] = journal(localbus, event="dead_lettered")
    assert buried["detail"] == {"queue": dead.arn, "reason": "The specified queue does not exist."}


def test_a_dead_letter_queue_needs_a_policy_too(localbus: Localbus, sns: Any, topic: str) -> None:
    """Otherwise the message is lost, which the journal says (sns-configure-dead-letter-queue)."""
    dead = new_queue(localbus, "dead", open_to=None)
    policy = json.dumps({"deadLetterTargetArn": dead.arn})
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:none"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RedrivePolicy": policy})

    sns.publish(TopicArn=topic, Message="m")

    assert dead.bodies() == []
    assert "the dead-letter queue did not accept it" in journal(localbus, event="dropped")[0]["detail"]


def test_a_fifo_topic_and_a_fifo_queue(localbus: Localbus, sns: Any, fifo_topic: str) -> None:
    """Order, group and number come through; a repetition within five minutes does not (fifo-message-dedup)."""
    queue = new_queue(localbus, "q.fifo")
    sns.subscribe(TopicArn=fifo_topic, Protocol="sqs", Endpoint=queue.arn)
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


def test_deduplication_by_group(localbus: Localbus, sns: Any, fifo_topic: str) -> None:
    """With FifoThroughputScope MessageGroup the same message counts once a group (API_CreateTopic)."""
    queue = new_queue(localbus, "q")
    sns.subscribe(TopicArn=fifo_topic, Protocol="sqs", Endpoint=queue.arn)
    sns.set_topic_attributes(TopicArn=fifo_topic, AttributeName="FifoThroughputScope", AttributeValue="MessageGroup")

    for group in ("a", "b", "a"):
        sns.publish(TopicArn=fifo_topic, Message="m", MessageGroupId=group)

    assert len(queue.bodies()) == 2


def test_groups_and_standard_queues(localbus: Localbus, sns: Any, topic: str, fifo_topic: str) -> None:
    """A FIFO topic's group does not reach a standard queue; a standard topic's does (recorded of AWS)."""
    queue = new_queue(localbus, "q")
    for arn in (topic, fifo_topic):
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue.arn)
        sns.publish(TopicArn=arn, Message="m", MessageGroupId="g")

    assert [message["Attributes"].get("MessageGroupId") for message in queue.receive()] == ["g", None]


def test_replay(localbus: Localbus, sns: Any, fifo_topic: str) -> None:
    """What was archived comes with its first id and time (message-archiving-and-replay-subscriber)."""
    sns.set_topic_attributes(
        TopicArn=fifo_topic, AttributeName="ArchivePolicy", AttributeValue='{"MessageRetentionPeriod": "30"}'
    )
    ids = []
    for text in ("early", "late"):
        ids.append(sns.publish(TopicArn=fifo_topic, Message=text, MessageGroupId="g")["MessageId"])
        localbus.advance(86_400)
    queue = new_queue(localbus, "q.fifo")
    policy = {"PointType": "Timestamp", "StartingPoint": "2023-11-15T00:00:00.000Z"}
    given = {"ReplayPolicy": json.dumps(policy)}

    sns.subscribe(TopicArn=fifo_topic, Protocol="sqs", Endpoint=queue.arn, Attributes=given)

    [document] = [json.loads(body) for body in queue.bodies()]
    assert (document["Message"], document["MessageId"], document["Replayed"]) == ("late", ids[1], True)
    assert document["Timestamp"] == "2023-11-15T22:13:20.000Z"
    attributes = sns.get_topic_attributes(TopicArn=fifo_topic)["Attributes"]
    assert attributes["BeginningArchiveTime"] == "2023-11-14T22:13:20.000Z"


def test_an_http_endpoint_confirms_and_gets_messages(sns: Any, topic: str, web: WebServer) -> None:
    """It is asked first, and gets nothing before it has visited the link (sns-http-https-endpoint-as-subscriber)."""
    endpoint = f"{web.url}/hook"
    pending = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint)
    assert pending["SubscriptionArn"] == "pending confirmation"
    asked = eventually(lambda: web.requests)[0]
    sns.publish(TopicArn=topic, Message="too early")
    document = json.loads(asked.body)
    assert asked.headers["x-amz-sns-message-type"] == document["Type"] == "SubscriptionConfirmation"
    assert asked.headers["x-amz-sns-topic-arn"] == topic
    assert asked.headers["content-type"] == "text/plain; charset=UTF-8"
    assert list(document) == [
        *("Type", "MessageId", "Token", "TopicArn", "Message", "SubscribeURL", "Timestamp"),
        *("SignatureVersion", "Signature", "SigningCertURL"),
    ]

    assert httpx.get(document["SubscribeURL"]).status_code == 200
    message_id = sns.publish(TopicArn=topic, Message="m")["MessageId"]

    [notified] = eventually(lambda: web.requests[1:])
    [subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert notified.headers["x-amz-sns-message-type"] == "Notification"
    assert notified.headers["x-amz-sns-message-id"] == message_id
    assert notified.headers["x-amz-sns-subscription-arn"] == subscription["SubscriptionArn"]
    body = json.loads(notified.body)
    assert body["Message"] == "m"

    httpx.get(body["UnsubscribeURL"])

    ended = eventually(lambda: web.requests[2:])[0]
    assert json.loads(ended.body)["Type"] == "UnsubscribeConfirmation"
    assert sns.list_subscriptions()["Subscriptions"] == []
    httpx.get(json.loads(ended.body)["SubscribeURL"])
    assert len(sns.list_subscriptions()["Subscriptions"]) == 1


def test_an_owner_who_ends_a_subscription_is_not_told_so(
    localbus: Localbus, sns: Any, topic: str, web: WebServer
) -> None:
    """The message that lets the endpoint undo it follows only what somebody else asked for (API_Unsubscribe)."""
    arn = subscribe_web(sns, topic, web)
    [asked] = journal(localbus, event="confirmation_sent")

    sns.unsubscribe(SubscriptionArn=arn)

    assert journal(localbus, event="confirmation_sent") == [asked]
    assert sns.list_subscriptions()["Subscriptions"] == []


def subscribe_web(sns: Any, topic: str, web: WebServer, **attributes: str) -> str:
    """A confirmed subscription of the web server."""
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{web.url}/hook", Attributes=attributes)
    asked = eventually(lambda: web.requests)
    token = json.loads(asked[0].body)["Token"]
    web.requests.clear()
    return str(sns.confirm_subscription(TopicArn=topic, Token=token)["SubscriptionArn"])


def test_raw_delivery_by_http(sns: Any, topic: str, web: WebServer) -> None:
    """The body as it is, a header that says so, and the content type that the delivery policy names (http-header)."""
    policy = json.dumps({"requestPolicy": {"headerContentType": "text/csv"}})
    subscribe_web(sns, topic, web, RawMessageDelivery="true", DeliveryPolicy=policy)

    sns.publish(TopicArn=topic, Message="a,b")

    [request] = eventually(lambda: web.requests)
    assert request.body == "a,b"
    assert request.headers["x-amz-sns-rawdelivery"] == "true"
    assert request.headers["content-type"] == "text/csv"


def _has(attempts: int, localbus: Localbus) -> bool:
    return len(journal(localbus, event="retry_scheduled")) == attempts


def test_an_endpoint_that_fails_is_tried_again(localbus: Localbus, sns: Any, topic: str, web: WebServer) -> None:
    """Three retries, 20 s apart, then the dead-letter queue (sns-message-delivery-retries)."""
    dead = new_queue(localbus, "dead")
    policy = json.dumps({"deadLetterTargetArn": dead.arn})
    subscribe_web(sns, topic, web, RedrivePolicy=policy)
    web.statuses = [500, 429, 503, 500]

    sns.publish(TopicArn=topic, Message="m")

    for attempts in (1, 2, 3):
        eventually(partial(_has, attempts, localbus))
        localbus.advance(19)
        assert len(web.requests) == attempts
        localbus.advance(1)
    eventually(lambda: journal(localbus, event="dead_lettered"))
    assert len(web.requests) == 4
    assert json.loads(dead.bodies()[0])["Message"] == "m"


def test_a_client_error_is_final(localbus: Localbus, sns: Any, topic: str, web: WebServer) -> None:
    """Nothing is tried again that the endpoint refused as wrong (sns-dead-letter-queues)."""
    subscribe_web(sns, topic, web)
    web.statuses = [403]

    sns.publish(TopicArn=topic, Message="m")

    [dropped] = eventually(lambda: journal(localbus, event="undelivered"))
    assert dropped["detail"] == f"{web.url}/hook answered 403"
    localbus.advance(3600)
    assert len(web.requests) == 1


FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
FUNCTION_PATH = f"/2015-03-31/functions/{FUNCTION.replace(':', '%3A')}"


@pytest.fixture
def with_functions(web: WebServer) -> Iterator[Localbus]:
    """An engine whose upstream is the web server."""
    bus = Localbus(Options(upstream=web.url)).start()
    yield bus
    bus.stop()


def test_a_function(with_functions: Localbus, web: WebServer) -> None:
    """It is called asynchronously, with AWS's event (with-sns, in the Lambda guide).

    That says version 1 of any signature (recorded of AWS).
    """
    sns = with_functions.client("sns")
    topic = sns.create_topic(Name="t", Attributes={"SignatureVersion": "2"})["TopicArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": FUNCTION,
        "Condition": {"ArnLike": {"AWS:SourceArn": topic}},
    }
    policy = json.dumps({"Policy": json.dumps({"Statement": [statement]})}).encode()
    web.answers["GET", f"{FUNCTION_PATH}/policy"] = (200, policy)
    web.answers["POST", f"{FUNCTION_PATH}/invocations"] = (202, b"")
    arn = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=FUNCTION)["SubscriptionArn"]

    message_id = sns.publish(TopicArn=topic, Message="m", MessageAttributes={"text": ATTRIBUTES["text"]})["MessageId"]

    eventually(lambda: journal(with_functions, event="delivered"))
    call = web.requests[-1]
    assert call.headers["x-amz-invocation-type"] == "Event"
    [record] = json.loads(call.body)["Records"]
    assert (record["EventSource"], record["EventVersion"], record["EventSubscriptionArn"]) == ("aws:sns", "1.0", arn)
    event = record["Sns"]
    assert (event["MessageId"], event["Message"], event["Subject"]) == (message_id, "m", None)
    assert event["MessageAttributes"] == {"text": {"Type": "String", "Value": "grüße"}}
    assert {"SigningCertUrl", "UnsubscribeUrl", "Signature", "Timestamp", "Type"} <= set(event)
    assert event["SignatureVersion"] == "1"


def test_a_function_without_a_permission_is_not_called(with_functions: Localbus, web: WebServer) -> None:
    """Its policy must name SNS (API_AddPermission, in the Lambda guide); else the message is dead."""
    sns = with_functions.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    dead = new_queue(with_functions, "dead")
    policy = json.dumps({"deadLetterTargetArn": dead.arn})
    web.answers["GET", f"{FUNCTION_PATH}/policy"] = (404, b"{}")
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=FUNCTION, Attributes={"RedrivePolicy": policy})

    sns.publish(TopicArn=topic, Message="m")

    [undelivered] = eventually(lambda: journal(with_functions, event="undelivered"))
    assert "does not allow sns.amazonaws.com to invoke it" in undelivered["detail"]
    assert {request.method for request in web.requests} == {"GET"}
    assert json.loads(eventually(dead.bodies)[0])["Message"] == "m"


def test_a_function_that_fails_is_tried_again_at_once(with_functions: Localbus, web: WebServer) -> None:
    """Three times without a pause, then after a second (sns-message-delivery-retries)."""
    sns = with_functions.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    statement = {"Effect": "Allow", "Principal": "*", "Action": "lambda:*", "Resource": FUNCTION}
    policy = json.dumps({"Policy": json.dumps({"Statement": statement})}).encode()
    web.answers["GET", f"{FUNCTION_PATH}/policy"] = (200, policy)
    web.statuses = [500, 500, 500, 500]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=FUNCTION)

    sns.publish(TopicArn=topic, Message="m")

    scheduled = eventually(lambda: journal(with_functions, event="retry_scheduled")[3:])
    assert scheduled[0]["detail"]["after_s"] == 1
    with_functions.advance(1)
    eventually(lambda: journal(with_functions, event="delivered"))
    assert len([request for request in web.requests if request.method == "POST"]) == 5


def test_mails_and_text_messages_stay_in_the_outbox(localbus: Localbus, sns: Any, topic: str) -> None:
    """They are kept to be read, confirmations with their links, and never sent."""
    sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+15551234567")
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")

    def outbox(**query: str) -> list[dict[str, Any]]:
        letters: list[dict[str, Any]] = httpx.get(f"{localbus.url}/_localbus/outbox", params=query).json()["letters"]
        return letters

    [asked] = outbox(to="a@example.com")
    assert asked["subject"] == "AWS Notification - Subscription Confirmation"
    httpx.get(asked["link"])
    sns.publish(TopicArn=topic, Message="m", Subject="s")
    sns.publish(PhoneNumber="+15557654321", Message="direct")

    [mail] = outbox(to="a@example.com")[1:]
    assert (mail["subject"], mail["message"]) == ("s", "m")
    assert [(letter["to"], letter["message"]) for letter in outbox(protocol="sms")] == [
        ("+15551234567", "m"),
        ("+15557654321", "direct"),
    ]


def test_the_trace_header_travels(localbus: Localbus, sns: Any, topic: str) -> None:
    """X-Amzn-Trace-Id of the publisher is the message's AWSTraceHeader (recorded of AWS)."""
    queue = new_queue(localbus, "q")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    form = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": topic, "Message": "m"}

    httpx.post(localbus.url, data=form, headers={"X-Amzn-Trace-Id": "Root=1-2-3;Sampled=1"})

    assert queue.receive()[0]["Attributes"]["AWSTraceHeader"] == "Root=1-2-3;Sampled=1"


def test_the_trace_header_travels_by_http(localbus: Localbus, sns: Any, topic: str, web: WebServer) -> None:
    """An HTTP endpoint gets the publisher's X-Amzn-Trace-Id as a header (xray-services-sns)."""
    subscribe_web(sns, topic, web)
    form = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": topic, "Message": "m"}

    httpx.post(localbus.url, data=form, headers={"X-Amzn-Trace-Id": "Root=1-2-3"})

    [request] = eventually(lambda: web.requests)
    assert request.headers["x-amzn-trace-id"] == "Root=1-2-3"


def test_no_more_deliveries_a_second_than_the_policy_lets(
    localbus: Localbus, sns: Any, topic: str, web: WebServer
) -> None:
    """With maxReceivesPerSecond, deliveries by HTTP wait for their turn (creating-delivery-policy)."""
    arn = subscribe_web(sns, topic, web, DeliveryPolicy=json.dumps({"throttlePolicy": {"maxReceivesPerSecond": 2}}))
    subscription = localbus.engine.sns.topics.find_subscription(arn)
    assert subscription is not None

    for number in range(4):
        sns.publish(TopicArn=topic, Message=str(number))

    assert subscription.take_turn(localbus.clock.now()) == 2
    for arrived in range(1, 5):
        eventually(partial(_has_got, web, arrived))
        localbus.advance(0.5)
    assert [json.loads(request.body)["Message"] for request in web.requests] == list("0123")
    assert subscription.take_turn(localbus.clock.now()) == 0.5


def _has_got(web: WebServer, count: int) -> bool:
    return len(web.requests) == count


@pytest.mark.parametrize("rate", [0, -1, 1.5, "2", True])
def test_what_a_throttle_policy_may_not_be(sns: Any, topic: str, rate: Any) -> None:
    """The rate is a whole number of at least one, for a topic and for a subscription."""
    policy = {"maxReceivesPerSecond": rate}
    own = json.dumps({"throttlePolicy": policy})
    topics = json.dumps({"http": {"defaultThrottlePolicy": policy}})
    endpoint = {"TopicArn": topic, "Protocol": "http", "Endpoint": "http://127.0.0.1:9"}

    for code, text in (
        refused(sns.subscribe, **endpoint, Attributes={"DeliveryPolicy": own}),
        refused(sns.set_topic_attributes, TopicArn=topic, AttributeName="DeliveryPolicy", AttributeValue=topics),
    ):
        assert code == "InvalidParameter"
        assert "hrottlePolicy.maxReceivesPerSecond" in text


def test_a_service_cannot_use_the_key_of_aws(localbus: Localbus, sns: Any, topic: str) -> None:
    """SNS cannot send to a queue with the key that AWS manages for SQS; an account can, and SNS by another key."""
    queue = new_queue(localbus, "q")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})

    sns.publish(TopicArn=topic, Message="by a service")
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="by an account")
    assert queue.bodies() == ["by an account"]
    [denied] = journal(localbus, event="denied")
    assert denied["detail"] == "the policy of the key alias/aws/sqs does not allow sns.amazonaws.com to use it"
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"KmsMasterKeyId": "alias/ours"})
    sns.publish(TopicArn=topic, Message="by our key")

    assert queue.bodies() == ["by our key"]


def test_eventbridge_cannot_use_the_key_of_aws(localbus: Localbus, sns: Any, topic: str) -> None:
    """EventBridge cannot publish to a topic with the key that AWS manages for SNS; its dead letter says so."""
    dead = f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Resource": "*"}
    open_to_events = {
        action: json.dumps({"Statement": [statement | {"Action": action}]})
        for action in ("sns:Publish", "sqs:SendMessage")
    }
    sqs, events = localbus.client("sqs"), localbus.client("events")
    url = sqs.create_queue(QueueName="dead", Attributes={"Policy": open_to_events["sqs:SendMessage"]})["QueueUrl"]
    for name, value in (("Policy", open_to_events["sns:Publish"]), ("KmsMasterKeyId", "alias/aws/sns")):
        sns.set_topic_attributes(TopicArn=topic, AttributeName=name, AttributeValue=value)
    events.put_rule(Name="r", EventPattern='{"source": ["orders"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "t", "Arn": topic, "DeadLetterConfig": {"Arn": dead}}])

    events.put_events(Entries=[{"Source": "orders", "DetailType": "d", "Detail": "{}"}])

    [letter] = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"


def test_a_service_publishes_only_where_it_may(localbus: Localbus, sns: Any, topic: str) -> None:
    """EventBridge needs the topic's policy (eb-use-resource-based), and the journal says when it has none."""
    queue = new_queue(localbus, "q")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
    events = localbus.client("events")
    events.put_rule(Name="r", EventPattern='{"source": ["orders"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "t", "Arn": topic, "Input": '"hello"'}])
    entry = {"Source": "orders", "DetailType": "d", "Detail": "{}"}
    events.put_events(Entries=[entry])
    assert queue.bodies() == []
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    policy = json.dumps({"Statement": [statement]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)

    events.put_events(Entries=[entry])

    assert queue.bodies() == ['"hello"']
    [denied] = journal(localbus, event="denied")
    assert denied["detail"] == "the resource policy does not allow events.amazonaws.com to perform sns:Publish"


def test_another_account_needs_a_permission(localbus: Localbus, sns: Any, topic: str) -> None:
    """AddPermission lets it publish, RemovePermission ends that (API_AddPermission)."""
    other = localbus.client("sns", account="111111111111")
    code, message = refused(other.publish, TopicArn=topic, Message="m")
    assert code == "AuthorizationError"
    assert f"is not authorized to perform: SNS:Publish on resource: {topic}" in message

    sns.add_permission(TopicArn=topic, Label="l", AWSAccountId=["111111111111"], ActionName=["Publish"])
    assert other.publish(TopicArn=topic, Message="m")["MessageId"]

    sns.remove_permission(TopicArn=topic, Label="l")
    assert refused(other.publish, TopicArn=topic, Message="m")[0] == "AuthorizationError"
