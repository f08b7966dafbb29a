"""Sending: valid messages, digests and delays."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from fidelity.aws import Aws, bodies
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same
from fidelity.sources import sqs_api, sqs_guide

GROUP = Group("SQS", "Sending")
behaviour = GROUP.behaviour
_TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def text(value: str, data_type: str = "String") -> dict[str, str]:
    """An attribute with a text."""
    return {"DataType": data_type, "StringValue": value}


@behaviour(sqs_api("SendMessage"))
def body_digest(aws: Aws) -> None:
    """The answer has the MD5 of the body as UTF-8."""
    answer = aws.queue().send("grüße \U0001f600")

    same("gives", answer["MD5OfMessageBody"], hashlib.md5("grüße \U0001f600".encode()).hexdigest())  # noqa: S324


@behaviour(sqs_guide("sqs-message-metadata", recorded=True))
def attribute_digest(aws: Aws) -> None:
    """The answer has the MD5 of the attributes by AWS's algorithm."""
    names = {"General": "Kenobi", "Hello": "There", "Help.Me": "Me"}
    answer = aws.queue().send("msg", MessageAttributes={name: text(value) for name, value in names.items()})

    same("gives", answer["MD5OfMessageAttributes"], "4c360f3fdafd970e05fae2f149d997f5")


@behaviour(sqs_api("SendMessage", recorded=True))
def system_attribute_digest(aws: Aws) -> None:
    """A trace header has its own digest, MD5OfMessageSystemAttributes."""
    answer = aws.queue().send("test", MessageSystemAttributes={"AWSTraceHeader": text(_TRACE)})

    same("gives", answer["MD5OfMessageSystemAttributes"], "5ae4d5d7636402d80f4eb6d213245a88")
    holds("MD5OfMessageAttributes" not in answer, "counts it as an attribute of the user")


@behaviour(sqs_guide("sqs-message-metadata"))
def whole_message(aws: Aws) -> None:
    """Body and attributes (String, Number, Binary, with labels) come back as they were sent."""
    queue = aws.queue()
    attributes = {
        "text": text("grüße", "String.note"),
        "number": text("-1.5e3", "Number"),
        "bytes": {"DataType": "Binary.png", "BinaryValue": bytes(range(256))},
    }
    queue.send("line\nline\ttab <&> \U0001f680", MessageAttributes=attributes)

    message = queue.one(MessageAttributeNames=["All"])

    same("body", message["Body"], "line\nline\ttab <&> \U0001f680")
    same("attributes", message["MessageAttributes"], attributes)


def _refused(name: str, statement: str, given: dict[str, Any], code: str, says: str = "") -> None:
    def check(aws: Aws) -> None:
        message = {"QueueUrl": aws.queue().url, "MessageBody": "b"} | given
        refused(code, aws.sqs.send_message, says=says, **message)

    GROUP.add(name, f"{statement} is rejected ({code})", sqs_api("SendMessage"), check)


_refused("empty_body", "An empty body", {"MessageBody": ""}, "MissingParameter")
_refused(
    "control_character",
    "A body with a character that is invalid in XML",
    {"MessageBody": "\x00"},
    "InvalidMessageContents",
)
_refused("delay_too_long", "A delay of 901 seconds", {"DelaySeconds": 901}, "InvalidParameterValue", "DelaySeconds")
_refused(
    "deduplication_on_standard",
    "A deduplication id on a standard queue",
    {"MessageDeduplicationId": "x"},
    "InvalidParameterValue",
)
_refused("too_large", "A body of 1 MiB and a byte", {"MessageBody": "a" * 1_048_577}, "InvalidParameterValue")
_refused(
    "eleven_attributes",
    "An eleventh attribute",
    {"MessageAttributes": {f"a{number}": text("v") for number in range(11)}},
    "InvalidParameterValue",
)
_refused(
    "number_that_is_none",
    "A Number that is not a number",
    {"MessageAttributes": {"n": text("many", "Number")}},
    "InvalidParameterValue",
)
_refused(
    "empty_attribute",
    "An attribute with an empty text",
    {"MessageAttributes": {"e": text("")}},
    "InvalidParameterValue",
)
_refused(
    "reserved_name",
    "An attribute's name that begins with AWS.",
    {"MessageAttributes": {"AWS.x": text("v")}},
    "InvalidParameterValue",
)
_refused(
    "name_with_a_sign",
    "An attribute's name with a special character",
    {"MessageAttributes": {"a!": text("v")}},
    "InvalidParameterValue",
)
_refused(
    "unknown_type",
    "An attribute of a type other than String, Number and Binary",
    {"MessageAttributes": {"t": text("v", "Boolean")}},
    "InvalidParameterValue",
)


@behaviour(sqs_api("SendMessage"))
def largest_message(aws: Aws) -> None:
    """A body of 1 MiB is accepted."""
    queue = aws.queue()
    queue.send("a" * 1_048_576)

    same("gives a body of", len(queue.one()["Body"]), 1_048_576)


@behaviour(sqs_guide("quotas-messages"))
def attributes_count(aws: Aws) -> None:
    """Names, types and values of attributes count towards the size."""
    given = {"QueueUrl": aws.queue().url, "MessageBody": "a" * 1_048_570, "MessageAttributes": {"k": text("x")}}

    refused("InvalidParameterValue", aws.sqs.send_message, **given)


@behaviour(sqs_api("SetQueueAttributes", recorded=True))
def own_maximum(aws: Aws) -> None:
    """A queue's MaximumMessageSize applies, and the error names it."""
    given = {"QueueUrl": aws.queue(MaximumMessageSize="1024").url, "MessageBody": "a" * 1025}

    refused("InvalidParameterValue", aws.sqs.send_message, says="shorter than 1024 bytes", **given)


@behaviour(sqs_guide("sqs-message-timers"))
def message_timer(aws: Aws) -> None:
    """A delayed message is received after its delay, and not before."""
    queue = aws.queue()
    sent = time.monotonic()
    queue.send("late", DelaySeconds=2)

    queue.one(10)

    passed = time.monotonic() - sent
    holds(passed > 1.7, f"comes after {passed:.0f} s")


@behaviour(sqs_guide("sqs-delay-queues"))
def delay_queue(aws: Aws) -> None:
    """A queue's delay applies to each message."""
    queue = aws.queue(DelaySeconds="2")
    sent = time.monotonic()
    queue.send("late")

    queue.one(10)

    passed = time.monotonic() - sent
    holds(passed > 1.7, f"comes after {passed:.0f} s")


@behaviour(sqs_guide("sqs-message-timers"))
def own_delay_first(aws: Aws) -> None:
    """A message's delay of 0 overrides the queue's."""
    queue = aws.queue(DelaySeconds="60")
    queue.send("now", DelaySeconds=0)

    same("gives", bodies(queue.receive(wait_s=2)), ["now"])


@behaviour(sqs_guide("sqs-fair-queues"))
def group_on_standard(aws: Aws) -> None:
    """A standard queue accepts a message group id (fair queues), and shows it."""
    queue = aws.queue()
    queue.send(MessageGroupId="tenant")

    same("shows", queue.one(MessageSystemAttributeNames=["All"])["Attributes"].get("MessageGroupId"), "tenant")


@behaviour(sqs_guide("sqs-queue-message-identifiers", recorded=True))
def name_for_url(aws: Aws) -> None:
    """A queue's name is accepted in place of its URL."""
    queue = aws.queue()
    aws.sqs.send_message(QueueUrl=queue.name, MessageBody="b")

    same("gives", bodies(queue.receive(wait_s=2)), ["b"])
