"""Messages as boto3 sends and receives them, with AWS's own words for errors."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import pytest
from localbus.pytest_plugin import Localbus
from support.localbus import error_of, refused

INVALID = "InvalidParameterValue"
HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def text(value: str, data_type: str = "String") -> dict[str, str]:
    """A message attribute."""
    return {"DataType": data_type, "StringValue": value}


def test_a_message_comes_through_whole(sqs: Any, url: str) -> None:
    """Body, attributes of every type and their digests, which boto3 checks itself, come back as sent."""
    attributes = {
        "text": text("grüße \U0001f600", "String.note"),
        "number": text("-1.5e3", "Number"),
        "bytes": {"DataType": "Binary.png", "BinaryValue": bytes(range(256))},
    }
    body = "line\nline\ttab <&> \U0001f680"
    trace = {"AWSTraceHeader": text("Root=1-2-3")}
    sent = sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes, MessageSystemAttributes=trace)

    answer = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])

    [received] = answer["Messages"]
    assert received["Body"] == body
    assert received["MessageAttributes"] == attributes
    assert received["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert received["Attributes"]["AWSTraceHeader"] == "Root=1-2-3"
    assert sent["MD5OfMessageSystemAttributes"]


def test_the_digest_of_attributes_is_aws_s(sqs: Any, url: str) -> None:
    """Recorded from AWS: three String attributes and their digest, and that of those selected by prefix."""
    attributes = {"General": text("Kenobi"), "Hello": text("There"), "Help.Me": text("Me")}

    sent = sqs.send_message(QueueUrl=url, MessageBody="msg", MessageAttributes=attributes)
    [received] = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["Hel.*"])["Messages"]

    assert sent["MD5OfMessageAttributes"] == "4c360f3fdafd970e05fae2f149d997f5"
    assert received["MD5OfMessageAttributes"] == "83fee93c1bcd8b9a5a923ffacdc636c7"
    assert set(received["MessageAttributes"]) == {"Hello", "Help.Me"}


def test_the_digest_of_system_attributes_is_aws_s(sqs: Any, url: str) -> None:
    """Recorded from AWS: a trace header has its own digest, and is not part of that of the attributes."""
    trace = {"AWSTraceHeader": text(HEADER)}

    sent = sqs.send_message(QueueUrl=url, MessageBody="test", MessageSystemAttributes=trace)

    assert sent["MD5OfMessageSystemAttributes"] == "5ae4d5d7636402d80f4eb6d213245a88"
    assert "MD5OfMessageAttributes" not in sent


def test_a_queue_s_name_is_accepted_as_its_url(sqs: Any, url: str) -> None:
    """AWS accepts a name in place of the URL (recorded from AWS); anything else is InvalidAddress."""
    sqs.send_message(QueueUrl="work", MessageBody="b")

    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "b"
    assert refused(sqs.send_message, QueueUrl="http://host/nothing", MessageBody="b")[0] == "InvalidAddress"


def test_attribute_names_may_have_any_letters(sqs: Any, url: str) -> None:
    """AWS accepts letters of any alphabet, but neither blanks nor special characters (recorded from AWS)."""
    sqs.send_message(QueueUrl=url, MessageBody="b", MessageAttributes={"attr.1øßä": text("v")})

    names = ("a!", "a§", "a(", "a b", "a²", "½", "a\n", ".a", "a.", "aWs.a", "AMAZON.a", "a" * 257)
    for attributes in (*({name: text("v")} for name in names), {"a": text("\x08")}):
        assert refused(sqs.send_message, QueueUrl=url, MessageBody="b", MessageAttributes=attributes)[0] == INVALID


def test_an_empty_queue_answers_without_messages(sqs: Any, url: str) -> None:
    """A receive that finds nothing has no member Messages."""
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"MessageBody": ""}, "MissingParameter", "The request must contain the parameter MessageBody."),
        ({"MessageBody": "\x00"}, "InvalidMessageContents", "Invalid characters found"),
        ({"DelaySeconds": 901}, INVALID, "DelaySeconds must be >= 0 and <= 900"),
        ({"MessageDeduplicationId": "x"}, INVALID, "not valid for this queue type"),
        ({"MessageGroupId": "a b"}, INVALID, "alphanumeric and punctuation characters"),
        *(
            ({"MessageAttributes": {"n": text(number, "Number")}}, INVALID, "Can't cast the value")
            for number in [
                *("many", "1_000", "NaN", "Infinity", "-inf", " 1", "1\n", "٣", "²", "0x1", ".", "1e", "1E+400"),
                *("1E+127", "1.01E126", "9E-129", "1" * 39),
            ]
        ),
        (
            {"MessageAttributes": {"l": text("v") | {"StringListValues": ["v"]}}},
            "AWS.SimpleQueueService.UnsupportedOperation",
            "Message attribute list values in SendMessage operation are not supported.",
        ),
        (
            {"MessageAttributes": {"e": text("")}},
            INVALID,
            "Message (user) attribute 'e' must contain a non-empty value of type 'String'.",
        ),
        ({"MessageAttributes": {"AWS.x": text("v")}}, INVALID, "name 'AWS.x' is invalid"),
        (
            {"MessageAttributes": {f"a{n}": text("v") for n in range(11)}},
            INVALID,
            "Number of message attributes [11] exceeds the allowed maximum [10].",
        ),
    ],
)
def test_invalid_messages(sqs: Any, url: str, given: Any, code: str, message: str) -> None:
    """Each limit of API_SendMessage applies, with AWS's error."""
    error = error_of(sqs.send_message, **({"QueueUrl": url, "MessageBody": "b"} | given))

    assert (error[0], error[2]) == (code, 400)
    assert message in error[1]


@pytest.mark.parametrize(
    "number", ["0", "-0.0", "+1", "1.", ".5", "007", "1e5", "1" * 38, "1" * 38 + "000", "1E126", "-1E-128", "0E999"]
)
def test_numbers_of_attributes(sqs: Any, url: str, number: str) -> None:
    """Up to 38 digits, from 10^-128 to 10^126 (sqs-message-metadata)."""
    assert sqs.send_message(QueueUrl=url, MessageBody="b", MessageAttributes={"n": text(number, "Number")})


def test_a_message_has_a_mebibyte_with_its_attributes(sqs: Any, url: str) -> None:
    """1,048,576 bytes with names, types and values of the attributes (quotas-messages)."""
    given = {"QueueUrl": url, "MessageAttributes": {"k": text("x")}}
    body = "a" * (1024 * 1024 - len("kStringx"))

    sqs.send_message(MessageBody=body, **given)

    reason = "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."
    assert refused(sqs.send_message, MessageBody=body + "a", **given) == (INVALID, reason)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"MaxNumberOfMessages": 11}, "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between"),
        ({"WaitTimeSeconds": 21}, "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20,"),
        ({"VisibilityTimeout": 43_201}, "Value 43201 for parameter VisibilityTimeout is invalid."),
    ],
)
def test_invalid_receives(sqs: Any, url: str, given: Any, message: str) -> None:
    """The ranges of API_ReceiveMessage apply."""
    code, text, _ = error_of(sqs.receive_message, QueueUrl=url, **given)

    assert code == INVALID
    assert text.startswith(message)


def test_an_attempt_id_has_128_characters(sqs: Any, fifo_url: str) -> None:
    """Letters, digits and punctuation (API_ReceiveMessage, ReceiveRequestAttemptId)."""
    sqs.receive_message(QueueUrl=fifo_url, ReceiveRequestAttemptId="x" * 128)

    for attempt_id in ("x" * 129, "a b", ""):
        code, message = refused(sqs.receive_message, QueueUrl=fifo_url, ReceiveRequestAttemptId=attempt_id)
        assert code == INVALID
        assert "ReceiveRequestAttemptId can only include alphanumeric and punctuation characters" in message


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({}, "MissingParameter", "The request must contain the parameter MessageGroupId."),
        (
            {"MessageGroupId": "g"},
            INVALID,
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly",
        ),
        (
            {"MessageGroupId": "g", "MessageDeduplicationId": ""},
            INVALID,
            "Value  for parameter MessageDeduplicationId is invalid. Reason: MessageDeduplicationId can only include "
            "alphanumeric and punctuation characters. 1 to 128 in length.",
        ),
        (
            {"MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 2},
            INVALID,
            "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid "
            "for this queue type.",
        ),
    ],
)
def test_invalid_fifo_messages(sqs: Any, fifo_url: str, given: Any, code: str, message: str) -> None:
    """A FIFO send requires a group and a deduplication id, and has no delay (recorded from AWS)."""
    assert error_of(sqs.send_message, QueueUrl=fifo_url, MessageBody="b", **given) == (code, message, 400)


def test_a_fifo_message_shows_its_group_and_number(sqs: Any, fifo_url: str) -> None:
    """The received sequence number is the sender's (API_SendMessage, SequenceNumber)."""
    sent = sqs.send_message(QueueUrl=fifo_url, MessageBody="b", MessageGroupId="g", MessageDeduplicationId="d")

    [received] = sqs.receive_message(QueueUrl=fifo_url, AttributeNames=["All"])["Messages"]

    assert received["Attributes"]["SequenceNumber"] == sent["SequenceNumber"]
    assert received["Attributes"]["MessageGroupId"] == "g"


def test_a_long_poll_ends_when_a_message_comes(localbus: Localbus, url: str, sqs: Any) -> None:
    """A waiting receive returns when a delayed message is due, long before its wait time is over."""
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=15)
    started = time.monotonic()
    timer = threading.Timer(0.2, lambda: localbus.advance(15))
    timer.start()

    [received] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]

    assert received["Body"] == "later"
    assert time.monotonic() - started < 5
    timer.join()


def test_the_trace_header_of_a_request(localbus: Localbus, sqs: Any, url: str) -> None:
    """X-Amzn-Trace-Id is the AWSTraceHeader of every message of the request that has none (xray-services-sqs)."""

    def post(action: str, **given: Any) -> Any:
        headers = {"X-Amzn-Trace-Id": "Root=1-2-3", "X-Amz-Target": f"AmazonSQS.{action}"}
        return httpx.post(localbus.url, json={"QueueUrl": url, **given}, headers=headers).json()

    own = {"Id": "b", "MessageBody": "b", "MessageSystemAttributes": {"AWSTraceHeader": text("Root=own")}}

    one = post("SendMessage", MessageBody="one")
    many = post("SendMessageBatch", Entries=[{"Id": "a", "MessageBody": "a"}, own])

    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])
    traces = {message["Body"]: message["Attributes"]["AWSTraceHeader"] for message in answer["Messages"]}
    assert traces == {"one": "Root=1-2-3", "a": "Root=1-2-3", "b": "Root=own"}
    assert "MD5OfMessageSystemAttributes" not in one
    assert ["MD5OfMessageSystemAttributes" in entry for entry in many["Successful"]] == [False, True]
