"""The pages that show what is inside, and the clock that can be moved."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from localbus.pytest_plugin import Localbus


@pytest.fixture
def sqs(localbus: Localbus) -> Any:
    """A client of the engine."""
    return localbus.client("sqs")


@pytest.fixture
def url(sqs: Any) -> str:
    """The URL of an empty queue."""
    return str(sqs.create_queue(QueueName="q")["QueueUrl"])


def test_the_clock_is_moved_by_http(localbus: Localbus, sqs: Any, url: str) -> None:
    """Fourteen days pass in a request, and a message with them."""
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "1209600"})
    sqs.send_message(QueueUrl=url, MessageBody="b")
    before = httpx.get(f"{localbus.url}/_localbus/clock").json()["now"]

    after = httpx.post(f"{localbus.url}/_localbus/clock", json={"advance_s": 1_209_600}).json()

    assert after == {"now": before + 1_209_600, "manual": True}
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"advance_s": -1}', '{"advance_s": "x"}', '{"advance_s": 1e400}'])
def test_a_clock_cannot_be_moved_otherwise(localbus: Localbus, body: str) -> None:
    """What is no step forward is refused."""
    assert httpx.post(f"{localbus.url}/_localbus/clock", content=body).status_code == 400


def test_the_journal_by_http(localbus: Localbus, sqs: Any, url: str) -> None:
    """What happened to a message is asked for by its id, by queue and by event."""
    message_id = sqs.send_message(QueueUrl=url, MessageBody="b")["MessageId"]
    sqs.send_message(QueueUrl=url, MessageBody="another")
    [received] = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])

    def events(**query: Any) -> list[str]:
        entries = httpx.get(f"{localbus.url}/_localbus/journal", params=query).json()["entries"]
        return [entry["event"] for entry in entries]

    assert events(message_id=message_id) == ["sent", "received", "deleted"]
    assert events(resource="q", event="sent") == ["sent", "sent"]
    assert events(after=3) == ["deleted"]
    assert events(resource="other") == []
    assert events(last=2) == ["received", "deleted"]
    assert events(resource="q", event="sent", last=1) == ["sent"]
    assert events(last=0) == []
    assert httpx.get(f"{localbus.url}/_localbus/journal", params={"last": "-1"}).status_code == 400


def test_the_journal_is_followed(localbus: Localbus, sqs: Any, url: str) -> None:
    """A stream tells each entry as it comes."""
    with httpx.stream("GET", f"{localbus.url}/_localbus/journal?follow=1&event=sent") as answer:
        lines = answer.iter_lines()
        for body in ("a", "b"):
            sent = sqs.send_message(QueueUrl=url, MessageBody=body)
            assert json.loads(next(lines))["message_id"] == sent["MessageId"]


def test_messages_are_shown_without_being_received(localbus: Localbus, sqs: Any, url: str) -> None:
    """Visible ones always, those in flight and delayed where asked for, as LocalStack has it."""
    for body, delay_s in (("in flight", 0), ("visible", 0), ("delayed", 60)):
        sqs.send_message(QueueUrl=url, MessageBody=body, DelaySeconds=delay_s)
    sqs.receive_message(QueueUrl=url)

    def shown(**query: str) -> dict[str, dict[str, str]]:
        answer = httpx.get(
            f"{localbus.url}/_aws/sqs/messages",
            params={"QueueUrl": url, **query},
            headers={"Accept": "application/json"},
        ).json()["ReceiveMessageResponse"]["ReceiveMessageResult"]["Message"]
        return {one["Body"]: {pair["Name"]: pair["Value"] for pair in one["Attribute"]} for one in answer}

    assert set(shown()) == {"visible"}
    everything = shown(ShowInvisible="true", ShowDelayed="true")
    assert set(everything) == {"visible", "in flight", "delayed"}
    assert everything["visible"]["ApproximateReceiveCount"] == "0"
    assert everything["in flight"]["ApproximateReceiveCount"] == "1"
    assert everything["in flight"]["IsVisible"] == "false"
    assert everything["delayed"]["IsDelayed"] == "true"


def test_messages_are_shown_that_have_a_text_in_them(localbus: Localbus, sqs: Any, url: str) -> None:
    """Of a long queue only those that are asked for."""
    for body in ("order 1", "order 2"):
        sqs.send_message(QueueUrl=url, MessageBody=body)

    query = {"QueueUrl": url, "Containing": "order 2"}
    answer = httpx.get(f"{localbus.url}/_aws/sqs/messages", params=query, headers={"Accept": "application/json"}).json()

    assert [each["Body"] for each in answer["ReceiveMessageResponse"]["ReceiveMessageResult"]["Message"]] == ["order 2"]


def test_what_is_in_each_queue_and_since_when(localbus: Localbus, sqs: Any, url: str) -> None:
    """The oldest message counts wherever it is: in flight or delayed too; what is deleted or moved away does not."""
    sqs.send_message(QueueUrl=url, MessageBody="old")
    localbus.advance(3600)
    sqs.send_message(QueueUrl=url, MessageBody="young", DelaySeconds=60)
    [received] = sqs.receive_message(QueueUrl=url)["Messages"]

    def told() -> tuple[int, int, int, float | None]:
        document = httpx.get(f"{localbus.url}/_localbus/queues").json()
        [queue] = [each for each in document["queues"] if url.endswith(each["name"])]
        sent_at = queue["oldest_sent_at"]
        age_s = None if sent_at is None else document["now"] - sent_at
        return queue["visible"], queue["in_flight"], queue["delayed"], age_s

    assert told() == (0, 1, 1, 3600)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
    assert told() == (0, 0, 1, 0)
    sqs.purge_queue(QueueUrl=url)
    assert told() == (0, 0, 0, None)


def test_a_client_can_point_at_the_messages(localbus: Localbus, sqs: Any, url: str) -> None:
    """The page answers a ReceiveMessage of boto3 with everything that is visible, and refuses other actions."""
    for body in ("a", "b"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    localbus.url += "/_aws/sqs/messages"
    peeking = localbus.client("sqs")

    messages = peeking.receive_message(QueueUrl=url, MaxNumberOfMessages=1)["Messages"]

    assert [message["Body"] for message in messages] == ["a", "b"]
    with pytest.raises(peeking.exceptions.ClientError, match="only accepts ReceiveMessage"):
        peeking.send_message(QueueUrl=url, MessageBody="c")


def test_a_message_is_shown_with_its_binary_attributes(localbus: Localbus, sqs: Any, url: str) -> None:
    """Bytes are base64 for a reader of JSON, and bytes again for an SDK."""
    blob = {"blob": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    sqs.send_message(QueueUrl=url, MessageBody="b", MessageAttributes=blob)

    page = f"{localbus.url}/_aws/sqs/messages"
    shown = httpx.get(page, params={"QueueUrl": url}, headers={"Accept": "application/json"}).json()
    localbus.url = page
    [message] = localbus.client("sqs").receive_message(QueueUrl=url)["Messages"]

    [one] = shown["ReceiveMessageResponse"]["ReceiveMessageResult"]["Message"]
    assert one["MessageAttribute"][0]["Value"] == {"DataType": "Binary", "BinaryValue": "AP8="}
    assert message["MessageAttributes"] == blob


@pytest.mark.parametrize("body", ['{"QueueUrl": 5}', "{}", "[]", "{", '{"QueueUrl": {}}'])
def test_a_peek_without_a_queue(localbus: Localbus, body: str) -> None:
    """What names no queue is a client's mistake."""
    page = f"{localbus.url}/_aws/sqs/messages"

    answer = httpx.post(page, content=body, headers={"X-Amz-Target": "AmazonSQS.ReceiveMessage"})

    assert answer.status_code == 400


def test_health(localbus: Localbus) -> None:
    """It says what is running."""
    health = httpx.get(f"{localbus.url}/_localbus/health").json()

    assert (health["status"], health["services"][0]) == ("running", "sqs")
    assert health["version"]
    assert httpx.head(f"{localbus.url}/_localbus/health").status_code == 200


def test_the_list_of_pages(localbus: Localbus) -> None:
    """A reader gets text, a program JSON; every page in it that can be looked at is there."""
    text = httpx.get(f"{localbus.url}/_localbus/").text
    pages = httpx.get(f"{localbus.url}/_localbus", headers={"Accept": "application/json"}).json()["pages"]

    assert all(page["address"] in text and page["about"] in text for page in pages)
    for page in pages:
        if page["method"] == "GET" and page["address"].startswith("/_localbus"):
            address = page["address"].partition("?")[0]
            assert httpx.get(f"{localbus.url}{address}").status_code == 200


@pytest.mark.parametrize("body", [b"", b"x", b"\xff", b"[" * 100_000])
def test_a_body_that_is_not_json(localbus: Localbus, body: bytes) -> None:
    """It is called just that."""
    for page in ("disorder", "faults"):
        answer = httpx.put(f"{localbus.url}/_localbus/{page}", content=body)

        assert answer.status_code == 400
        assert answer.json()["error"].startswith("The body is not JSON")


def test_a_page_that_is_not_there(localbus: Localbus) -> None:
    """The answer names what comes near, and the methods that a page takes."""
    near = httpx.get(f"{localbus.url}/_localbus/jornal")
    method = httpx.delete(f"{localbus.url}/_localbus/faults")

    assert near.status_code == 404
    assert "Did you mean /_localbus/journal?" in near.json()["error"]
    assert method.status_code == 405
    assert "GET and PUT" in method.json()["error"]
