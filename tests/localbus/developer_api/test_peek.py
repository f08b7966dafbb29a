"""Messages of a queue without receiving them, as JSON and as an SDK's endpoint."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from localbus.pytest_plugin import Localbus


def peek(localbus: Localbus, **query: str) -> list[dict[str, Any]]:
    """The messages of a queue in the JSON form."""
    address, headers = f"{localbus.url}/_aws/sqs/messages", {"Accept": "application/json"}
    answer = httpx.get(address, params=query, headers=headers).json()["ReceiveMessageResponse"]
    messages: list[dict[str, Any]] = answer["ReceiveMessageResult"]["Message"]
    return messages


def test_messages_are_shown_without_being_received(localbus: Localbus, sqs: Any, url: str) -> None:
    """Visible ones always, in-flight and delayed ones on request, as in LocalStack."""
    for body, delay_s in (("in flight", 0), ("visible", 0), ("delayed", 60)):
        sqs.send_message(QueueUrl=url, MessageBody=body, DelaySeconds=delay_s)
    sqs.receive_message(QueueUrl=url)

    def shown(**query: str) -> dict[str, dict[str, str]]:
        messages = peek(localbus, QueueUrl=url, **query)
        return {one["Body"]: {pair["Name"]: pair["Value"] for pair in one["Attribute"]} for one in messages}

    assert set(shown()) == {"visible"}
    everything = shown(ShowInvisible="true", ShowDelayed="true")
    assert set(everything) == {"visible", "in flight", "delayed"}
    assert everything["visible"]["ApproximateReceiveCount"] == "0"
    assert everything["in flight"]["ApproximateReceiveCount"] == "1"
    assert everything["in flight"]["IsVisible"] == "false"
    assert everything["delayed"]["IsDelayed"] == "true"


def test_messages_are_filtered_by_text(localbus: Localbus, sqs: Any, url: str) -> None:
    """Only messages whose body contains the text are listed."""
    for body in ("order 1", "order 2"):
        sqs.send_message(QueueUrl=url, MessageBody=body)

    assert [each["Body"] for each in peek(localbus, QueueUrl=url, Containing="order 2")] == ["order 2"]


def test_a_client_can_point_at_the_messages(localbus: Localbus, sqs: Any, url: str) -> None:
    """ReceiveMessage of boto3 returns all visible messages; other actions are rejected."""
    for body in ("a", "b"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    localbus.url += "/_aws/sqs/messages"
    peeking = localbus.client("sqs")

    messages = peeking.receive_message(QueueUrl=url, MaxNumberOfMessages=1)["Messages"]

    assert [message["Body"] for message in messages] == ["a", "b"]
    with pytest.raises(peeking.exceptions.ClientError, match="only accepts ReceiveMessage"):
        peeking.send_message(QueueUrl=url, MessageBody="c")


def test_a_message_is_shown_with_its_binary_attributes(localbus: Localbus, sqs: Any, url: str) -> None:
    """Bytes are base64 in JSON, and bytes for an SDK."""
    blob = {"blob": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    sqs.send_message(QueueUrl=url, MessageBody="b", MessageAttributes=blob)

    [one] = peek(localbus, QueueUrl=url)
    localbus.url += "/_aws/sqs/messages"
    [message] = localbus.client("sqs").receive_message(QueueUrl=url)["Messages"]

    assert one["MessageAttribute"][0]["Value"] == {"DataType": "Binary", "BinaryValue": "AP8="}
    assert message["MessageAttributes"] == blob


@pytest.mark.parametrize("body", ['{"QueueUrl": 5}', "{}", "[]", "{", '{"QueueUrl": {}}'])
def test_a_peek_needs_a_queue_url(localbus: Localbus, body: str) -> None:
    """Anything else is a client error."""
    target = {"X-Amz-Target": "AmazonSQS.ReceiveMessage"}

    answer = httpx.post(f"{localbus.url}/_aws/sqs/messages", content=body, headers=target)

    assert answer.status_code == 400


def test_a_look_into_a_long_queue_can_be_short(localbus: Localbus, sqs: Any, url: str) -> None:
    """Limit is the number of messages, in the queue's order; one that is not a number is an error that says so."""
    for body in ("first", "second", "third"):
        sqs.send_message(QueueUrl=url, MessageBody=body)

    assert [each["Body"] for each in peek(localbus, QueueUrl=url, Limit="2")] == ["first", "second"]
    address, headers = f"{localbus.url}/_aws/sqs/messages", {"Accept": "application/json"}
    answer = httpx.get(address, params={"QueueUrl": url, "Limit": "-1"}, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["message"] == "Invalid Limit '-1': expected a whole number."
