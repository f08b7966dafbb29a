"""Stored messages as the developer APIs of local backends report them. What is unknown is None."""

import pytest
from orderboard.orders.browse import StoredMessage, parse


def test_messages_of_ministack() -> None:
    """MiniStack's answer has the time of sending, the receive count and the visibility."""
    message = {
        "MessageId": "m1",
        "Body": '{"a": "<b>"}',
        "SentTimestamp": 12,
        "IsVisible": False,
        "ReceiveCount": 2,
        "MessageAttributes": {"priority": {"DataType": "String", "StringValue": "normal"}},
        "Attributes": {"SentTimestamp": "12500"},
    }

    [found] = parse({"messages": {"000000000000": {"us-east-1": {"http://x/work": [message]}}}})

    assert found == StoredMessage("m1", '{"a": "<b>"}', 12.5, 2, visible=False, attributes={"priority": "normal"})
    assert found.document()["body"] == {"a": "<b>"}


def test_messages_of_localstack() -> None:
    """LocalStack's answer is SQS's XML as JSON, where a single message is not in a list; what it omits is unknown."""
    message = {"MessageId": "m1", "Body": "no json", "Attribute": {"Name": "SentTimestamp", "Value": "12500"}}

    [found] = parse({"ReceiveMessageResponse": {"ReceiveMessageResult": {"Message": message}}})

    assert found == StoredMessage("m1", "no json", 12.5, None, visible=None, attributes={})
    assert found.document()["is_json"] is False
    assert parse({"ReceiveMessageResponse": {"ReceiveMessageResult": None}}) == []


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 5_000], ids=["list", "object"])
def test_a_body_that_is_nested_too_deeply_is_text(body: str) -> None:
    """Nobody who can send to a queue may keep others from reading it."""
    assert StoredMessage("m1", body, None, None, None, {}).document()["body"] == body
