"""Delivery to queues: the envelope, raw messages, FIFO topics, dead letters."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fidelity.aws import Aws, Queue, attribute
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same
from fidelity.sources import sns_api, sns_guide

GROUP = Group("SNS", "Delivery to queues")
behaviour = GROUP.behaviour
_FORMAT = sns_guide("sns-message-and-json-formats", recorded=True)
_RAW = sns_guide("sns-large-payload-raw-message-delivery")
_DEDUPLICATION = sns_guide("fifo-message-dedup")
_IDS = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
_ARCHIVE = '{"MessageRetentionPeriod": "30"}'
_ATTRIBUTES = {
    "text": attribute("grüße"),
    "number": attribute("99.12", "Number"),
    "bytes": {"DataType": "Binary", "BinaryValue": b"\x02\x03\x04"},
    "list": attribute('["a", 1]', "String.Array"),
}


def _envelope(aws: Aws, **given: Any) -> dict[str, Any]:
    """Return the envelope in which a queue gets a message."""
    topic, queue = aws.subscribed_topic(RawMessageDelivery="false")
    aws.publish(topic, 'say "hi"', **given)
    document: dict[str, Any] = queue.document("delivers nothing")
    return document


def _fifo(aws: Aws, *, fifo: bool = True, raw: str = "true", **attributes: str) -> tuple[str, Queue]:
    """Create a FIFO topic and a queue, by default a FIFO queue, that is subscribed."""
    topic = aws.fifo_topic(**attributes)
    return topic, aws.subscribed(topic, fifo=fifo, RawMessageDelivery=raw)


def _groups(queue: Queue) -> list[str | None]:
    """Return the group of the message that arrives."""
    return [one["Attributes"].get("MessageGroupId") for one in queue.take(1)]


@behaviour(_FORMAT)
def envelope(aws: Aws) -> None:
    """A queue gets an envelope with type, message id, topic, message, time, signature and a link to unsubscribe."""
    wanted = {"Type", "MessageId", "TopicArn", "Message", "Timestamp", "SignatureVersion", "Signature"}
    wanted |= {"SigningCertURL", "UnsubscribeURL"}
    found = set(_envelope(aws))

    same("lacks", sorted(wanted - found), [])
    same("adds", sorted(found - wanted), [])


@behaviour(_FORMAT)
def subject(aws: Aws) -> None:
    """The envelope has the subject."""
    same("has", _envelope(aws, Subject="s").get("Subject"), "s")


@behaviour(_FORMAT)
def attributes_in_the_envelope(aws: Aws) -> None:
    """The envelope has the attributes with type and value, bytes in base64."""
    wanted = {
        "text": {"Type": "String", "Value": "grüße"},
        "number": {"Type": "Number", "Value": "99.12"},
        "bytes": {"Type": "Binary", "Value": "AgME"},
        "list": {"Type": "String.Array", "Value": '["a", 1]'},
    }

    same("has", _envelope(aws, MessageAttributes=_ATTRIBUTES).get("MessageAttributes"), wanted)


@behaviour(_FORMAT)
def timestamp(aws: Aws) -> None:
    """The timestamp has milliseconds and ends with Z."""
    shown = str(_envelope(aws)["Timestamp"])

    holds(len(shown) == len("2026-01-02T03:04:05.678Z") and shown.endswith("Z"), f"is of another form, of {len(shown)}")


@behaviour(sns_api("Publish"))
def message_id(aws: Aws) -> None:
    """The envelope has the message id that the publisher got; the queue's message has another."""
    topic, queue = aws.subscribed_topic(RawMessageDelivery="false")
    published = aws.publish(topic)["MessageId"]

    [message] = queue.take(1)

    holds(json.loads(message["Body"])["MessageId"] == published, "has another id in the envelope")
    holds(message["MessageId"] != published, "has the same id on the queue")


@behaviour(_RAW)
def raw(aws: Aws) -> None:
    """With raw delivery the queue's message has the published body and attributes."""
    topic, queue = aws.subscribed_topic()
    aws.publish(topic, "as it is", MessageAttributes=_ATTRIBUTES)

    [message] = queue.take(1)

    same("has the body", message["Body"], "as it is")
    same("has the attributes", message.get("MessageAttributes"), _ATTRIBUTES)


@behaviour(_RAW)
def raw_with_eleven_attributes(aws: Aws) -> None:
    """With raw delivery a message with eleven attributes is not delivered."""
    topic, queue = aws.subscribed_topic()
    aws.publish(topic, "too much", MessageAttributes={f"a{number}": attribute("x") for number in range(11)})
    aws.publish(topic, "after it")

    same("delivers", queue.bodies(1), ["after it"])


@behaviour(sns_api("Publish"))
def text_for_queues(aws: Aws) -> None:
    """With MessageStructure json a queue gets the text for its protocol, or else the default."""
    topic, queue = aws.subscribed_topic()
    for texts in ({"default": "for all", "sqs": "for queues"}, {"default": "for all"}):
        aws.publish(topic, json.dumps(texts), MessageStructure="json")

    same("delivers", sorted(queue.bodies(2)), ["for all", "for queues"])


@behaviour(sns_guide("welcome"))
def every_subscriber(aws: Aws) -> None:
    """Each subscription gets each message that is published after its creation."""
    topic, first = aws.subscribed_topic()
    aws.publish(topic, "1")
    same("delivers", first.bodies(1), ["1"])
    second = aws.subscribed(topic)
    aws.publish(topic, "2")

    same("delivers", (first.bodies(1), second.bodies(1)), (["2"], ["2"]))


@behaviour(sns_api("PublishBatch"))
def batch(aws: Aws) -> None:
    """Each message of a batch is delivered, with its attributes."""
    topic, queue = aws.subscribed_topic()
    entries = [{"Id": one, "Message": one, "MessageAttributes": {"n": attribute(one, "Number")}} for one in "123"]
    aws.sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)

    found = {one["Body"]: one.get("MessageAttributes", {}).get("n", {}).get("StringValue") for one in queue.take(3)}

    same("delivers", found, {"1": "1", "2": "2", "3": "3"})


@behaviour(sns_api("Unsubscribe"))
def ended_subscription(aws: Aws) -> None:
    """A deleted subscription gets no more messages."""
    topic, there = aws.subscribed_topic()
    gone = aws.queue(opened=True)
    aws.sns.unsubscribe(SubscriptionArn=aws.subscribe(topic, gone.arn))
    aws.publish(topic)

    same("delivers", (there.bodies(1), gone.bodies(0)), (["m"], []))


@behaviour(sns_guide("sns-fifo-topics", recorded=True))
def group_on_standard(aws: Aws) -> None:
    """A standard topic passes the message group id on to a standard queue."""
    topic, queue = aws.subscribed_topic()
    aws.publish(topic, "m", MessageGroupId="g")

    same("gives the group", _groups(queue), ["g"])


@behaviour(_DEDUPLICATION)
def fifo_to_fifo(aws: Aws) -> None:
    """A FIFO topic delivers to a FIFO queue in order, with group and deduplication id (SHA-256 of the content)."""
    topic, queue = _fifo(aws, ContentBasedDeduplication="true")
    for body in ("1", "2", "3"):
        aws.publish(topic, body, MessageGroupId="g")

    messages = queue.take(3)

    same("delivers", [one["Body"] for one in messages], ["1", "2", "3"])
    attributes = messages[0]["Attributes"]
    token = hashlib.sha256(b"1").hexdigest()
    same("gives", (attributes["MessageGroupId"], attributes["MessageDeduplicationId"]), ("g", token))


@behaviour(_DEDUPLICATION)
def published_twice(aws: Aws) -> None:
    """A deduplication id is delivered once in five minutes; the second answer has the first message id."""
    topic, queue = _fifo(aws)
    first, again = (aws.publish(topic, body, **_IDS)["MessageId"] for body in ("1", "2"))

    same("delivers", queue.bodies(1), ["1"])
    holds(first == again, "answers another message id")


@behaviour(_FORMAT)
def number_in_the_envelope(aws: Aws) -> None:
    """The envelope of a FIFO topic has the sequence number that the publisher got, and no signature."""
    topic, queue = _fifo(aws, raw="false")
    number = aws.publish(topic, "m", **_IDS)["SequenceNumber"]

    document = queue.document("delivers nothing")

    holds(document.get("SequenceNumber") == number, "has another number, or none")
    holds("Signature" not in document, "has a signature")


@behaviour(sns_guide("fifo-message-delivery", recorded=True))
def fifo_to_standard(aws: Aws) -> None:
    """A FIFO topic delivers to a standard queue, without the group."""
    topic, queue = _fifo(aws, fifo=False)
    aws.publish(topic, "m", **_IDS)

    same("gives the group", _groups(queue), [None])


@behaviour(sns_api("CreateTopic"))
def dedup_by_group(aws: Aws) -> None:
    """With FifoThroughputScope MessageGroup each group has its deduplication ids."""
    topic, queue = _fifo(aws, fifo=False, FifoThroughputScope="MessageGroup")
    for group in ("a", "b"):
        aws.publish(topic, group, MessageGroupId=group, MessageDeduplicationId="d")

    same("delivers", sorted(queue.bodies(2)), ["a", "b"])


@behaviour(sns_guide("sns-dead-letter-queues"))
def dead_letter(aws: Aws) -> None:
    """A message for a deleted queue goes to the subscription's dead-letter queue."""
    dead = aws.queue(opened=True)
    topic, queue = aws.subscribed_topic(RedrivePolicy={"deadLetterTargetArn": dead.arn})
    aws.sqs.delete_queue(QueueUrl=queue.url)

    aws.publish(topic)

    same("keeps", dead.bodies(1), ["m"])


@behaviour(sns_guide("fifo-message-archiving-replay"))
def archive(aws: Aws) -> None:
    """A FIFO topic with an archive policy shows the start of its archive (BeginningArchiveTime)."""
    holds("BeginningArchiveTime" in aws.topic_attributes(aws.fifo_topic(ArchivePolicy=_ARCHIVE)), "does not say so")


@behaviour(sns_guide("message-archiving-and-replay-subscriber"))
def replay(aws: Aws) -> None:
    """A subscription with a replay policy gets messages from before its creation."""
    topic = aws.fifo_topic(ArchivePolicy=_ARCHIVE)
    aws.publish(topic, "early", **_IDS)
    policy = {"PointType": "Timestamp", "StartingPoint": "2024-01-01T00:00:00.000Z"}

    same("delivers", aws.subscribed(topic, fifo=True, ReplayPolicy=policy).bodies(1), ["early"])


@behaviour(sns_api("GetSubscriptionAttributes"))
def replay_status(aws: Aws) -> None:
    """A replay without an end shows ReplayStatus Completed once it has delivered the archive."""
    topic = aws.fifo_topic(ArchivePolicy=_ARCHIVE)
    policy = json.dumps({"PointType": "Timestamp", "StartingPoint": "2024-01-01T00:00:00.000Z"})
    arn = aws.subscribe(topic, aws.fifo(opened=True).arn, ReplayPolicy=policy)

    def status() -> Any:
        return aws.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"].get("ReplayStatus")

    holds(status() in {"Pending", "In progress", "Completed"}, "shows no ReplayStatus")


@behaviour(sns_api("GetSubscriptionAttributes"))
def after_the_end_of_a_replay(aws: Aws) -> None:
    """After a replay with an EndingPoint a subscription gets no new messages."""
    topic = aws.fifo_topic(ArchivePolicy=_ARCHIVE)
    end = {"StartingPoint": "2024-01-01T00:00:00.000Z", "EndingPoint": "2024-01-02T00:00:00.000Z"}
    queue = aws.subscribed(topic, fifo=True, ReplayPolicy={"PointType": "Timestamp", **end})

    aws.publish(topic, "new", **_IDS)

    same("delivers", queue.bodies(0), [])


@behaviour(sns_guide("sns-message-attributes"))
def attributes_with_a_structure(aws: Aws) -> None:
    """Message attributes are not sent with MessageStructure json."""
    topic, queue = aws.subscribed_topic()
    text = json.dumps({"default": "m"})

    aws.publish(topic, text, MessageStructure="json", MessageAttributes={"a": attribute("v")})

    same("sends", queue.one(MessageAttributeNames=["All"]).get("MessageAttributes"), None)


@behaviour(sns_api("Publish"))
def long_sms(aws: Aws) -> None:
    """An SMS of more than 1,600 characters is rejected."""
    refused("InvalidParameter", aws.sns.publish, PhoneNumber="+15551234567", Message="x" * 1601)
