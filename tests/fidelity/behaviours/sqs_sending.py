"""Sending: valid messages, digests and delays."""

from __future__ import annotations

import hashlib
from typing import Any

from fidelity.aws import Aws, attribute, bodies, new_url
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same, timed
from fidelity.sources import sqs_api, sqs_guide

GROUP = Group("SQS", "Sending")
behaviour = GROUP.behaviour
_SEND = sqs_api("SendMessage")
_TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@behaviour(_SEND)
def body_digest(aws: Aws) -> None:
    """The answer has the MD5 of the body as UTF-8."""
    answer = aws.queue().send("grüße \U0001f600")

    same("gives", answer["MD5OfMessageBody"], hashlib.md5("grüße \U0001f600".encode()).hexdigest())  # noqa: S324


@behaviour(sqs_guide("sqs-message-metadata", recorded=True))
def attribute_digest(aws: Aws) -> None:
    """The answer has the MD5 of the attributes by AWS's algorithm."""
    names = {"General": "Kenobi", "Hello": "There", "Help.Me": "Me"}
    answer = aws.queue().send("msg", MessageAttributes={name: attribute(value) for name, value in names.items()})

    same("gives", answer["MD5OfMessageAttributes"], "4c360f3fdafd970e05fae2f149d997f5")


@behaviour(sqs_api("SendMessage", recorded=True))
def system_attribute_digest(aws: Aws) -> None:
    """A trace header has its own digest, MD5OfMessageSystemAttributes."""
    answer = aws.queue().send("test", MessageSystemAttributes={"AWSTraceHeader": attribute(_TRACE)})

    same("gives", answer["MD5OfMessageSystemAttributes"], "5ae4d5d7636402d80f4eb6d213245a88")
    holds("MD5OfMessageAttributes" not in answer, "counts it as an attribute of the user")


@behaviour(sqs_guide("sqs-message-metadata"))
def whole_message(aws: Aws) -> None:
    """Body and attributes (String, Number, Binary, with labels) come back as they were sent."""
    queue = aws.queue()
    attributes = {
        "text": attribute("grüße", "String.note"),
        "number": attribute("-1.5e3", "Number"),
        "bytes": {"DataType": "Binary.png", "BinaryValue": bytes(range(256))},
    }
    queue.send("line\nline\ttab <&> \U0001f680", MessageAttributes=attributes)

    message = queue.one(MessageAttributeNames=["All"])

    same("body", message["Body"], "line\nline\ttab <&> \U0001f680")
    same("attributes", message["MessageAttributes"], attributes)


_send = GROUP.refusals("sqs.send_message", "InvalidParameterValue", _SEND, QueueUrl=new_url, MessageBody="b")


def _attribute(name: str, statement: str, attributes: dict[str, Any]) -> None:
    _send(name, f"{statement} is rejected (InvalidParameterValue)", MessageAttributes=attributes)


_send("empty_body", "An empty body is rejected (MissingParameter)", code="MissingParameter", MessageBody="")
_send(
    "control_character",
    "A body with a character that is invalid in XML is rejected (InvalidMessageContents)",
    code="InvalidMessageContents",
    MessageBody="\x00",
)
_send("delay_too_long", "A delay of 901 seconds is rejected (InvalidParameterValue)", "DelaySeconds", DelaySeconds=901)
_send(
    "deduplication_on_standard",
    "A deduplication id on a standard queue is rejected (InvalidParameterValue)",
    MessageDeduplicationId="x",
)
_send("too_large", "A body of 1 MiB and a byte is rejected (InvalidParameterValue)", MessageBody="a" * 1_048_577)
_send(
    "list_attribute",
    "An attribute with a list of values is rejected (UnsupportedOperation)",
    code="AWS.SimpleQueueService.UnsupportedOperation",
    source=sqs_api("MessageAttributeValue"),
    MessageAttributes={"l": {**attribute("v"), "StringListValues": ["v"]}},
)
_attribute("eleven_attributes", "An eleventh attribute", {f"a{number}": attribute("v") for number in range(11)})
_attribute("number_that_is_none", "A Number that is not a number", {"n": attribute("many", "Number")})
_attribute("number_with_a_sign", "A Number with an underscore", {"n": attribute("1_000", "Number")})
_attribute("no_finite_number", "A Number that is NaN", {"n": attribute("NaN", "Number")})
_attribute("number_too_large", "A Number of more than 10^126", {"n": attribute("1E+400", "Number")})
_attribute("empty_attribute", "An attribute with an empty text", {"e": attribute("")})
_attribute("reserved_name", "An attribute's name that begins with AWS.", {"AWS.x": attribute("v")})
_attribute("name_with_a_sign", "An attribute's name with a special character", {"a!": attribute("v")})
_attribute(
    "unknown_type", "An attribute of a type other than String, Number and Binary", {"t": attribute("v", "Boolean")}
)


@behaviour(_SEND)
def largest_message(aws: Aws) -> None:
    """A body of 1 MiB is accepted."""
    queue = aws.queue()
    queue.send("a" * 1_048_576)

    same("gives a body of", len(queue.one()["Body"]), 1_048_576)


@behaviour(sqs_guide("quotas-messages"))
def attributes_count(aws: Aws) -> None:
    """Names, types and values of attributes count towards the size."""
    given = {"QueueUrl": aws.queue().url, "MessageBody": "a" * 1_048_570, "MessageAttributes": {"k": attribute("x")}}
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

    with timed("comes", least_s=1.7):
        queue.send("late", DelaySeconds=2)
        queue.one(10)


@behaviour(sqs_guide("sqs-delay-queues"))
def delay_queue(aws: Aws) -> None:
    """A queue's delay applies to each message."""
    queue = aws.queue(DelaySeconds="2")

    with timed("comes", least_s=1.7):
        queue.received("late", wait_s=10)


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


@behaviour(_SEND, differs="localbus has no KMS: it takes any key for one that exists.")
def key_that_is_not_there(aws: Aws) -> None:
    """A message for a queue with a KMS key that does not exist is rejected (KmsNotFound)."""
    queue = aws.queue(KmsMasterKeyId="arn:aws:kms:us-east-1:000000000000:key/0f0e0d0c-0b0a-0908-0706-050403020100")
    refused("KMS.NotFoundException", queue.send)
