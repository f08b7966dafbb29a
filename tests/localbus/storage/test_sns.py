"""SNS after a kill: `--data` has everything that was acknowledged, and deliveries under way go on."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, get_args

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from fuzz.actions import case_of
from fuzz.world import World
from localbus.clock import ManualClock
from localbus.engine import Engine, Options
from localbus.sns import confirmation
from localbus.sns.http_delivery import HttpDelivery
from localbus.sns.registry import CONFIRM_WITHIN_S
from localbus.sns.signature import text_to_sign
from localbus.sns.topic import _from_archive
from localbus.storage.documents import decode, encode
from localbus.storage.durable import DurableStorage
from support.durable import DurableEngine, Moment, as_killed
from support.localbus import WebServer
from support.policies import policy
from support.waiting import eventually

QUEUE = "arn:aws:sqs:us-east-1:000000000000:{}"
TOPIC = "arn:aws:sns:us-east-1:000000000000:{}"
MANY = 2_000
ONE_DAY = '{"MessageRetentionPeriod":"1"}'
RAW = {"RawMessageDelivery": "true"}
KINDS = (
    *("topic", "subscription", "sequence", "published", "archived", "application", "endpoint", "sms", "captured"),
    "signer",
)


class HasEngine(Protocol):
    """An object with an engine."""

    @property
    def engine(self) -> Engine:
        """The engine."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DurableEngine]:
    """An engine on an empty folder."""
    with DurableEngine(tmp_path) as durable:
        yield durable


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server that records requests."""
    server = WebServer()
    yield server
    server.stop()


def call(engine: DurableEngine, action: str, **params: Any) -> dict[str, Any]:
    """Call an action that must succeed."""
    answer = engine.call("sns", action, **params)
    assert "__type" not in answer, answer
    answer.pop("ResponseMetadata")
    return answer


def topic(engine: DurableEngine, name: str = "t", **attributes: str) -> str:
    """Create a topic and return its ARN."""
    if name.endswith(".fifo"):
        attributes |= {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    return str(call(engine, "CreateTopic", Name=name, Attributes=attributes)["TopicArn"])


def subscribe(engine: DurableEngine, topic_arn: str, protocol: str, endpoint: str, **attributes: str) -> str:
    """Subscribe and return the subscription's ARN."""
    given = {"TopicArn": topic_arn, "Protocol": protocol, "Endpoint": endpoint, "Attributes": attributes}
    return str(call(engine, "Subscribe", **given, ReturnSubscriptionArn=True)["SubscriptionArn"])


def hook(engine: DurableEngine, web: WebServer, topic_arn: str, **attributes: str) -> str:
    """Subscribe a web server, and confirm that."""
    arn = subscribe(engine, topic_arn, "http", web.url, **attributes)
    call(engine, "ConfirmSubscription", TopicArn=topic_arn, Token=token_of(engine, arn))
    requests(engine, web, 1)
    web.requests.clear()
    return arn


def token_of(engine: DurableEngine, arn: str) -> str:
    """Return the token that was sent last for a subscription."""
    found = engine.engine.sns.topics.restorable(arn)
    assert found is not None
    return found.token


def new_queue(engine: DurableEngine, name: str) -> str:
    """Create a queue to which SNS may send, and return its ARN."""
    arn = QUEUE.format(name)
    attributes = {"Policy": policy("sqs:SendMessage", arn, "sns")}
    if name.endswith(".fifo"):
        attributes["FifoQueue"] = "true"
    assert "QueueUrl" in engine.call("sqs", "CreateQueue", QueueName=name, Attributes=attributes)
    return arn


def bodies(engine: DurableEngine, name: str) -> list[str]:
    """Return the messages of a queue."""
    record = engine.engine.sqs.queues.by_arn(QUEUE.format(name))
    assert record is not None
    return [message.body for message in record.queue.peek()]


def requests(engine: DurableEngine, web: WebServer, count: int) -> list[Any]:
    """Let the engine run until the web server has so many requests and no delivery is under way, and return them."""

    async def wait() -> None:
        await eventually(lambda: len(web.requests) >= count and not engine.engine.tasks._tasks, every_s=0.005)

    engine.run(wait)
    return list(web.requests)


@contextmanager
def nothing_begins() -> Iterator[None]:
    """Let no delivery by HTTP begin that is started meanwhile: the kill comes first."""

    async def wait(*_given: object) -> None:
        await asyncio.Event().wait()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HttpDelivery, "attempt", wait)
        patch.setattr(confirmation, "post_confirmation", wait)
        yield


def live_records(engine: HasEngine) -> dict[tuple[str, str, str], Any]:
    """Return what is in memory as records, by kind, owner and key."""
    sns = engine.engine.sns
    topics, live = sns.topics, {}
    for one in topics:
        live["topic", "", one.arn] = one.document()
        if one.fifo:
            if one.sequence != 10_000_000_000_000_000_000:
                live["sequence", "", one.arn] = one.sequence
            archived = {message.sequence_number: message for message in one.archive._messages} if one.archive else {}
            for key, (at, value) in one._published._values.items():
                if value[1] not in archived:
                    live["published", one.arn, json.dumps(key)] = [at, list(value)]
            live |= {("archived", one.arn, str(number)): message.document() for number, message in archived.items()}
    for subscription in {*topics._subscriptions.values(), *topics._by_token.values()}:
        live["subscription", subscription.topic.arn, subscription.arn] = subscription.document()
    for arn, application in sns.platforms._applications.items():
        live["application", "", arn] = application.attributes
        live |= {("endpoint", arn, one.arn): one.attributes for one in application.endpoints.values()}
    live |= {("sms", "", ":".join(scope)): attributes for scope, attributes in sns.sms_attributes.items()}
    first = sns.captured._last_number - len(sns.captured._messages) + 1
    live |= {("captured", "", str(n)): one.document() for n, one in enumerate(sns.captured._messages, first)}
    if sns.signer._document:
        live["signer", "", ""] = sns.signer._document
    return {name: decode(encode(document)) for name, document in live.items()}


def stored_records(engine: HasEngine) -> dict[tuple[str, str, str], Any]:
    """Return the records in the storage."""
    return {
        (kind, owner, key): _from_archive(owner, key, document).document() if kind == "archived" else document
        for kind in KINDS
        for owner, key, document in engine.engine.storage.records(f"sns.{kind}")
    }


ACTIONS: list[tuple[str, dict[str, Any]]] = [
    ("CreateTopic", {"Name": "t", "Tags": [{"Key": "$bytes", "Value": "a"}], "Attributes": {"DisplayName": "d"}}),
    ("CreateTopic", {"Name": "gone"}),
    ("CreateTopic", {"Name": "t.fifo", "Attributes": {"FifoTopic": "true", "ContentBasedDeduplication": "true"}}),
    ("SetTopicAttributes", {"TopicArn": "t", "AttributeName": "SignatureVersion", "AttributeValue": "2"}),
    (
        "SetTopicAttributes",
        {"TopicArn": "t.fifo", "AttributeName": "ArchivePolicy", "AttributeValue": ONE_DAY},
    ),
    ("AddPermission", {"TopicArn": "t", "Label": "a", "AWSAccountId": ["111111111111"], "ActionName": ["Publish"]}),
    ("AddPermission", {"TopicArn": "t", "Label": "b", "AWSAccountId": ["111111111111"], "ActionName": ["Publish"]}),
    ("RemovePermission", {"TopicArn": "t", "Label": "a"}),
    ("TagResource", {"ResourceArn": "t", "Tags": [{"Key": "b", "Value": "1"}, {"Key": "c", "Value": "2"}]}),
    ("UntagResource", {"ResourceArn": "t", "TagKeys": ["b"]}),
    ("Subscribe", {"TopicArn": "t", "Protocol": "email", "Endpoint": "a@example.com"}),
    ("Subscribe", {"TopicArn": "gone", "Protocol": "email", "Endpoint": "g@example.com"}),
    ("Subscribe", {"TopicArn": "t", "Protocol": "email", "Endpoint": "unsubscribed@example.com"}),
    ("Subscribe", {"TopicArn": "t", "Protocol": "sms", "Endpoint": "+4911111111"}),
    ("Subscribe", {"TopicArn": "t", "Protocol": "sqs", "Endpoint": QUEUE.format("none")}),
    ("Subscribe", {"TopicArn": "t", "Protocol": "email", "Endpoint": "a@example.com"}),
    ("ConfirmSubscription", {"TopicArn": "t", "Token": "a@example.com", "AuthenticateOnUnsubscribe": "true"}),
    ("ConfirmSubscription", {"TopicArn": "t", "Token": "unsubscribed@example.com"}),
    (
        "SetSubscriptionAttributes",
        {"SubscriptionArn": "a@example.com", "AttributeName": "FilterPolicy", "AttributeValue": '{"a":["b"]}'},
    ),
    ("Unsubscribe", {"SubscriptionArn": "unsubscribed@example.com"}),
    ("Unsubscribe", {"SubscriptionArn": QUEUE.format("none")}),
    ("Publish", {"TopicArn": "t", "Message": "m", "Subject": "s"}),
    ("Publish", {"PhoneNumber": "+4911111111", "Message": "m"}),
    (
        "Publish",
        {
            "TopicArn": "t.fifo",
            "Message": "m",
            "MessageGroupId": "g",
            "MessageAttributes": {"b": {"DataType": "Binary", "BinaryValue": b"\xff"}},
        },
    ),
    (
        "PublishBatch",
        {
            "TopicArn": "t.fifo",
            "PublishBatchRequestEntries": [{"Id": str(n), "Message": "m", "MessageGroupId": str(n)} for n in range(3)],
        },
    ),
    ("SetTopicAttributes", {"TopicArn": "t.fifo", "AttributeName": "FifoThroughputScope", "AttributeValue": "Topic"}),
    ("CreatePlatformApplication", {"Name": "p", "Platform": "GCM", "Attributes": {"PlatformCredential": "c"}}),
    ("CreatePlatformApplication", {"Name": "gone", "Platform": "GCM", "Attributes": {"PlatformCredential": "c"}}),
    ("SetPlatformApplicationAttributes", {"PlatformApplicationArn": "p", "Attributes": {"Enabled": "false"}}),
    ("CreatePlatformEndpoint", {"PlatformApplicationArn": "p", "Token": "one"}),
    ("CreatePlatformEndpoint", {"PlatformApplicationArn": "p", "Token": "two"}),
    ("CreatePlatformEndpoint", {"PlatformApplicationArn": "gone", "Token": "one"}),
    ("SetEndpointAttributes", {"EndpointArn": "one", "Attributes": {"CustomUserData": "u"}}),
    ("Publish", {"TargetArn": "one", "Message": "m"}),
    ("DeleteEndpoint", {"EndpointArn": "two"}),
    ("DeletePlatformApplication", {"PlatformApplicationArn": "gone"}),
    ("SetSMSAttributes", {"attributes": {"DefaultSMSType": "Promotional"}}),
    ("SetSMSAttributes", {"attributes": {"MonthlySpendLimit": "5"}}),
    ("DeleteTopic", {"TopicArn": "gone"}),
    ("CreateTopic", {"Name": "gone.fifo", "Attributes": {"FifoTopic": "true", "ArchivePolicy": ONE_DAY}}),
    ("Publish", {"TopicArn": "gone.fifo", "Message": "m", "MessageGroupId": "g", "MessageDeduplicationId": "d"}),
    ("SetTopicAttributes", {"TopicArn": "gone.fifo", "AttributeName": "ArchivePolicy", "AttributeValue": "{}"}),
    ("DeleteTopic", {"TopicArn": "gone.fifo"}),
    ("CreateTopic", {"Name": "plain.fifo", "Attributes": {"FifoTopic": "true"}}),
    ("Publish", {"TopicArn": "plain.fifo", "Message": "m", "MessageGroupId": "g", "MessageDeduplicationId": "d"}),
]


def filled(engine: DurableEngine, params: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with ARNs and tokens in place of names and endpoints."""
    sns = engine.engine.sns
    subscriptions = {one.endpoint: one for one in sns.topics._subscriptions.values()}
    values = dict(params)
    for name, value in params.items():
        if name in {"TopicArn", "ResourceArn"}:
            values[name] = TOPIC.format(value)
        elif name == "SubscriptionArn":
            values[name] = subscriptions[value].arn
        elif name == "Token" and value in subscriptions:
            values[name] = subscriptions[value].token
        elif name == "PlatformApplicationArn":
            values[name] = TOPIC.format(f"app/GCM/{value}")
        elif name in {"EndpointArn", "TargetArn"}:
            endpoints = sns.platforms._applications[TOPIC.format("app/GCM/p")].endpoints.values()
            values[name] = next(one.arn for one in endpoints if one.attributes["Token"] == value)
    return values


def test_each_action_is_stored(engine: DurableEngine) -> None:
    """After each action the records are what is in memory, and a killed engine starts with the same."""
    for action, params in ACTIONS:
        call(engine, action, **filled(engine, params))

        assert stored_records(engine) == live_records(engine), action

    before = live_records(engine)
    assert {kind for kind, _, _ in before} == {*KINDS} - {"signer"}
    engine.kill()
    assert live_records(engine) == before
    engine.advance(CONFIRM_WITHIN_S)
    call(engine, "ListSubscriptions")
    call(engine, "SetSMSAttributes", attributes={"MonthlySpendLimit": "6"})
    assert stored_records(engine) == live_records(engine)
    assert len([name for name in before if name[0] == "subscription"]) == 3
    assert len([name for name in stored_records(engine) if name[0] == "subscription"]) == 2


async def test_random_requests_are_stored(tmp_path: Path) -> None:
    """After each of the fuzzer's requests, and after a kill, the records are what is in memory."""
    rng, world = random.Random(1), World()
    await world.prepare()
    try:
        for _ in range(150):
            case = case_of(world, "sns", rng)
            await world.answer(case.request, rng.choice([0, 1, 40, 3000]))
            world.engine.sns.topics.subscriptions()
            await world.engine.storage.stored()
            assert without_key(stored_records(world)) == without_key(live_records(world)), case.about
        before = live_records(world)
        folder = as_killed(Path(world._folder.name), tmp_path / "copy")
        await world.engine.stop()
        world.engine = Engine(Options(data=folder), ManualClock())
        world.engine.restore()
        assert without_key(live_records(world)) == without_key(before)
    finally:
        await world.stop()


def without_key(records: dict[tuple[str, str, str], Any]) -> dict[tuple[str, str, str], Any]:
    """Return the records without the signing key, which a thread may be making."""
    return {name: document for name, document in records.items() if name[0] != "signer"}


def test_a_pending_confirmation_outlives_the_engine(engine: DurableEngine) -> None:
    """Its token confirms the subscription after a restart, until its time is over (API_ConfirmSubscription)."""
    arn = topic(engine)
    first = subscribe(engine, arn, "email", "a@example.com")
    second = subscribe(engine, arn, "email", "b@example.com")
    token = token_of(engine, first)

    engine.kill()

    assert call(engine, "ConfirmSubscription", TopicArn=arn, Token=token) == {"SubscriptionArn": first}
    engine.advance(CONFIRM_WITHIN_S)
    engine.kill()
    assert engine.call("sns", "GetSubscriptionAttributes", SubscriptionArn=second)["__type"] == "NotFound"
    attributes = call(engine, "GetTopicAttributes", TopicArn=arn)["Attributes"]
    assert (attributes["SubscriptionsConfirmed"], attributes["SubscriptionsDeleted"]) == ("1", "1")


def test_the_link_of_an_unsubscription_restores_it_after_a_restart(engine: DurableEngine) -> None:
    """Until then its messages are not delivered (sns-email-notifications)."""
    arn = topic(engine)
    subscription = subscribe(engine, arn, "email", "a@example.com", FilterPolicy='{"kind":["a"]}')
    call(engine, "ConfirmSubscription", TopicArn=arn, Token=token_of(engine, subscription))
    engine.call("sns", "Unsubscribe", account="111111111111", SubscriptionArn=subscription)
    engine.kill()
    assert call(engine, "ListSubscriptions") == {"Subscriptions": []}

    call(engine, "ConfirmSubscription", TopicArn=arn, Token=token_of(engine, subscription))
    engine.kill()

    attributes = call(engine, "GetSubscriptionAttributes", SubscriptionArn=subscription)["Attributes"]
    assert (attributes["PendingConfirmation"], attributes["FilterPolicy"]) == ("false", '{"kind":["a"]}')


def test_captured_messages_outlive_the_engine(engine: DurableEngine) -> None:
    """The outbox has them in order, and its oldest are dropped from the storage too."""
    captured = engine.engine.sns.captured
    for number in range(3):
        call(engine, "Publish", PhoneNumber="+4911111111", Message=str(number))

    engine.kill()

    captured = engine.engine.sns.captured
    assert [one.message for one in captured.matching(to="+4911111111")] == ["0", "1", "2"]
    captured._messages = type(captured._messages)(captured._messages, maxlen=3)
    call(engine, "Publish", PhoneNumber="+4911111111", Message="3")
    engine.kill()
    assert [one.message for one in engine.engine.sns.captured.matching()] == ["1", "2", "3"]


def test_a_fifo_topic_goes_on_where_it_was(engine: DurableEngine) -> None:
    """Its numbers grow, duplicates of the last five minutes have the first number, and its archive is replayed."""
    arn = topic(engine, "t.fifo", ArchivePolicy=ONE_DAY)
    given = {"TopicArn": arn, "MessageGroupId": "g"}
    binary = {"b": {"DataType": "Binary", "BinaryValue": b"\xff\x00"}}
    first = call(engine, "Publish", **given, Message="one", MessageAttributes=binary)
    began = call(engine, "GetTopicAttributes", TopicArn=arn)["Attributes"]["BeginningArchiveTime"]
    engine.advance(1)

    engine.kill()

    assert call(engine, "GetTopicAttributes", TopicArn=arn)["Attributes"]["BeginningArchiveTime"] == began
    assert call(engine, "Publish", **given, Message="one") == first
    second = call(engine, "Publish", **given, Message="two")
    assert int(second["SequenceNumber"]) > int(first["SequenceNumber"])
    subscription = subscribe(engine, arn, "sqs", new_queue(engine, "q.fifo"), **RAW)
    replay = {
        "AttributeName": "ReplayPolicy",
        "AttributeValue": json.dumps({"PointType": "Timestamp", "StartingPoint": "2020-01-01T00:00:00.000Z"}),
    }
    call(engine, "SetSubscriptionAttributes", SubscriptionArn=subscription, **replay)
    engine.kill()
    assert bodies(engine, "q.fifo") == ["one", "two"]
    shown = call(engine, "GetSubscriptionAttributes", SubscriptionArn=subscription)["Attributes"]
    assert shown["ReplayStatus"] == "Completed"
    engine.advance(86_400)
    call(engine, "Publish", **given, Message="three")
    assert [key for key in stored_records(engine) if key[0] == "archived"] == [
        key for key in live_records(engine) if key[0] == "archived"
    ]


@pytest.mark.parametrize("moment", get_args(Moment))
def test_an_archive_that_ends_leaves_the_deduplication(engine: DurableEngine, moment: Moment) -> None:
    """A message is stored once, in the archive; duplicates have its number also when the archive has gone."""
    arn = topic(engine, "t.fifo", ArchivePolicy=ONE_DAY)
    given = {"TopicArn": arn, "MessageGroupId": "g", "Message": "one"}
    first = call(engine, "Publish", **given)
    assert [kind for kind, *_ in stored_records(engine) if kind in {"published", "archived"}] == ["archived"]
    policy = {"AttributeName": "ArchivePolicy", "AttributeValue": ""}

    engine.kill_in(moment, lambda: call(engine, "SetTopicAttributes", TopicArn=arn, **policy))

    assert call(engine, "Publish", **given) == first
    assert stored_records(engine) == live_records(engine)


def test_an_archive_takes_at_most_twice_its_messages(engine: DurableEngine) -> None:
    """Also within the five minutes of the deduplication, with messages of 300 bytes."""
    arn = topic(engine, "t.fifo", ArchivePolicy=ONE_DAY)
    entry = {"MessageGroupId": "g", "Message": "x" * 300}
    for first in range(0, MANY, 10):
        entries = [{"Id": str(n), "MessageDeduplicationId": str(first + n), **entry} for n in range(10)]
        call(engine, "PublishBatch", TopicArn=arn, PublishBatchRequestEntries=entries)

    storage = engine.engine.storage
    assert isinstance(storage, DurableStorage)
    pages = storage.connection.execute("PRAGMA page_count").fetchone()[0]

    assert pages * 4096 <= 2 * MANY * 300


@pytest.mark.parametrize("moment", get_args(Moment))
def test_a_publish_is_kept_whole_or_not_at_all(engine: DurableEngine, moment: Moment) -> None:
    """A kill before the commit leaves nothing of it, one after the commit everything: queues, web server, outbox."""
    arn = topic(engine)
    for name in ("a", "b"):
        subscribe(engine, arn, "sqs", new_queue(engine, name), **RAW)
    subscribe(engine, arn, "sms", "+4911111111")
    hooked = subscribe(engine, arn, "http", "http://127.0.0.1:9/")
    call(engine, "ConfirmSubscription", TopicArn=arn, Token=token_of(engine, hooked))
    engine.run(lambda: eventually(lambda: not engine.engine.tasks._tasks, every_s=0.005))

    with nothing_begins():
        engine.kill_in(moment, lambda: call(engine, "Publish", TopicArn=arn, Message="m"))

        waiting = [one[2]["notification"]["texts"] for one in engine.engine.storage.records("sns.delivery")]
        captured = [one.message for one in engine.engine.sns.captured.matching()]
        assert [bodies(engine, "a"), bodies(engine, "b"), captured] == [[] if "before" in moment else ["m"]] * 3
        assert waiting == ([] if "before" in moment else [{"default": "m"}])


# Deliveries


def test_a_message_whose_delivery_had_not_begun_is_delivered(engine: DurableEngine, web: WebServer) -> None:
    """Publish has acknowledged it. Each endpoint gets it, in the envelope that it would have got."""
    arn = topic(engine)
    for path in ("/a", "/b"):
        subscription = subscribe(engine, arn, "http", web.url + path)
        call(engine, "ConfirmSubscription", TopicArn=arn, Token=token_of(engine, subscription))
    requests(engine, web, 2)
    web.requests.clear()
    attributes = {"kind": {"DataType": "String", "StringValue": "a"}}
    with nothing_begins():
        sent = call(engine, "Publish", TopicArn=arn, Message="m", Subject="s", MessageAttributes=attributes)
    assert web.requests == []

    engine.kill()

    found = requests(engine, web, 2)
    assert {request.path for request in found} == {"/a", "/b"}
    document = json.loads(found[0].body)
    assert (document["MessageId"], document["Message"], document["Subject"]) == (sent["MessageId"], "m", "s")
    assert document["MessageAttributes"] == {"kind": {"Type": "String", "Value": "a"}}
    engine.kill()
    assert len(requests(engine, web, 2)) == 2


def test_a_confirmation_that_had_not_begun_is_posted(engine: DurableEngine, web: WebServer) -> None:
    """Subscribe has acknowledged the subscription, whose endpoint could not confirm it otherwise."""
    arn = topic(engine)
    with nothing_begins():
        subscription = subscribe(engine, arn, "http", web.url)

    engine.kill()

    [request] = requests(engine, web, 1)
    assert request.headers["x-amz-sns-message-type"] == "SubscriptionConfirmation"
    assert json.loads(request.body)["Token"] == token_of(engine, subscription)
    engine.kill()
    assert len(requests(engine, web, 1)) == 1


def test_retries_go_on_where_they_were(engine: DurableEngine, web: WebServer) -> None:
    """A kill neither repeats nor skips a retry of the delivery policy, and none comes before its time."""
    arn = topic(engine)
    retries = {"minDelayTarget": 10, "maxDelayTarget": 10, "numRetries": 2}
    hook(engine, web, arn, DeliveryPolicy=json.dumps({"healthyRetryPolicy": retries}), **RAW)
    web.statuses = [500, 500, 500, 500]
    call(engine, "Publish", TopicArn=arn, Message="m")
    requests(engine, web, 1)

    engine.kill()
    engine.advance(9.9)
    assert len(requests(engine, web, 1)) == 1
    engine.advance(0.1)
    assert len(requests(engine, web, 2)) == 2
    engine.kill()
    engine.advance(10)
    assert len(requests(engine, web, 3)) == 3
    engine.kill()
    engine.advance(10_000)

    assert len(requests(engine, web, 3)) == 3
    assert list(engine.engine.storage.records("sns.delivery")) == []


def test_a_retry_that_was_due_while_the_engine_was_down_is_made_at_the_start(
    engine: DurableEngine, web: WebServer, tmp_path: Path
) -> None:
    """It succeeds then, and ends."""
    arn = topic(engine)
    hook(engine, web, arn, **RAW)
    web.statuses = [500]
    call(engine, "Publish", TopicArn=arn, Message="m")
    requests(engine, web, 1)
    with nothing_begins():
        engine.advance(20)

    engine.kill()

    assert [request.body for request in requests(engine, web, 2)] == ["m", "m"]
    assert list(engine.engine.storage.records("sns.delivery")) == []


def test_throttled_deliveries_keep_their_order_and_rate(engine: DurableEngine, web: WebServer) -> None:
    """Those that wait for their turn are delivered after a restart, at maxReceivesPerSecond."""
    arn = topic(engine)
    throttle = json.dumps({"throttlePolicy": {"maxReceivesPerSecond": 1}})
    hook(engine, web, arn, DeliveryPolicy=throttle, **RAW)
    for number in range(4):
        call(engine, "Publish", TopicArn=arn, Message=str(number))
    requests(engine, web, 1)

    engine.kill()

    for count in range(2, 5):
        assert [request.body for request in requests(engine, web, count)] == list("0123")[:count]
        engine.advance(1)
    assert list(engine.engine.storage.records("sns.delivery")) == []


def test_a_message_that_cannot_be_delivered_is_dead_lettered_once(engine: DurableEngine, web: WebServer) -> None:
    """The dead letter and the end of the delivery are in one commit."""
    arn = topic(engine)
    dead = new_queue(engine, "dead")
    hook(engine, web, arn, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead}), **RAW)
    web.statuses = [403]
    with nothing_begins():
        call(engine, "Publish", TopicArn=arn, Message="m")

    for _ in range(2):
        engine.kill()
        requests(engine, web, 1)

    assert bodies(engine, "dead") == ["m"]


@pytest.mark.parametrize("restart", [False, True])
def test_a_subscription_that_has_ended_gets_no_retry(engine: DurableEngine, web: WebServer, restart: bool) -> None:
    """The journal says that its message was dropped, with and without a restart (API_DeleteTopic allows that)."""
    arn = topic(engine)
    subscription = hook(engine, web, arn, **RAW)
    web.statuses = [500]
    call(engine, "Publish", TopicArn=arn, Message="m")
    requests(engine, web, 1)
    call(engine, "Unsubscribe", SubscriptionArn=subscription)
    if restart:
        engine.kill()

    engine.advance(20)

    assert len(requests(engine, web, 1)) == 1
    [dropped] = engine.engine.journal.entries(event="dropped")
    assert dropped.detail == "the subscription has ended"
    assert list(engine.engine.storage.records("sns.delivery")) == []


def test_a_message_for_a_function_is_retried_after_a_restart(tmp_path: Path, web: WebServer) -> None:
    """Three retries come at once, the next after a second (sns-message-delivery-retries)."""
    function = "arn:aws:lambda:us-east-1:000000000000:function:f"
    with DurableEngine(tmp_path, upstream=web.url, enforce_policies=False) as engine:
        arn = topic(engine)
        subscribe(engine, arn, "lambda", function)
        web.statuses = [500, 500, 500, 500]
        call(engine, "Publish", TopicArn=arn, Message="m")
        requests(engine, web, 4)

        engine.kill()
        engine.advance(1)

        found = requests(engine, web, 5)
        assert json.loads(found[-1].body)["Records"][0]["Sns"]["Message"] == "m"
        assert list(engine.engine.storage.records("sns.delivery")) == []


def test_a_cached_certificate_verifies_messages_after_a_restart(engine: DurableEngine, web: WebServer) -> None:
    """Subscribers keep certificates by their address (sns-verify-signature-of-message)."""
    arn = topic(engine, SignatureVersion="2")
    hook(engine, web, arn)
    call(engine, "Publish", TopicArn=arn, Message="before")
    requests(engine, web, 1)
    certificate = x509.load_pem_x509_certificate(engine.engine.sns.signer.certificate.encode())

    engine.kill()
    call(engine, "Publish", TopicArn=arn, Message="after")

    before, after = (json.loads(request.body) for request in requests(engine, web, 2))
    assert after["SigningCertURL"] == before["SigningCertURL"]
    verify(certificate, after, hashes.SHA256())
    assert engine.engine.sns.signer.certificate.encode() == certificate.public_bytes(serialization.Encoding.PEM)


def verify(certificate: x509.Certificate, document: dict[str, str], digest: hashes.HashAlgorithm) -> None:
    """Raise InvalidSignature unless the certificate's key has signed the document."""
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    signature = base64.b64decode(document["Signature"])
    key.verify(signature, text_to_sign(document).encode(), padding.PKCS1v15(), digest)


def test_the_key_of_a_signed_message_in_a_queue_is_stored_with_it(tmp_path: Path) -> None:
    """With --sign-everything, the certificate at the address in the message is served after a restart."""
    with DurableEngine(tmp_path, sign_everything=True) as engine:
        arn = topic(engine)
        subscribe(engine, arn, "sqs", new_queue(engine, "q"))
        engine.kill_in("after the commit", lambda: call(engine, "Publish", TopicArn=arn, Message="m"))

        [body] = bodies(engine, "q")
        signer = engine.engine.sns.signer
        assert json.loads(body)["SigningCertURL"].endswith(signer.path)
        certificate = x509.load_pem_x509_certificate(signer.certificate.encode())
        verify(certificate, json.loads(body), hashes.SHA1())  # noqa: S303 (the version of SNS's signatures)
