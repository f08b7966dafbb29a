"""`orderboard peek`, `send`, `publish` and `put-event` on a localbus alone."""

import base64
import json
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from support.localbus import journal, new_queue
from unit.rig.resources.commands import run, run_json


def test_a_message_is_sent_with_its_attributes(localbus: Localbus) -> None:
    """Text, numbers and bytes arrive as they were typed."""
    queue = new_queue(localbus, "mine")
    options = ["--attribute", "priority=a=b", "--attribute", "total:Number=450", "--attribute", "key:Binary=AP8="]

    sent = run_json(localbus, "send", "mine", "hello", *options)

    (peeked,) = run_json(localbus, "peek", "mine")["messages"]
    assert peeked["attributes"] == {"priority": "a=b", "total": "450", "key": "AP8="}
    (message,) = queue.receive()
    assert (message["Body"], message["MessageId"], sent["arn"]) == ("hello", sent["message_id"], queue.arn)
    attributes = {name: value | {} for name, value in message["MessageAttributes"].items()}
    assert attributes["priority"] == {"DataType": "String", "StringValue": "a=b"}
    assert attributes["total"] == {"DataType": "Number", "StringValue": "450"}
    assert attributes["key"] == {"DataType": "Binary", "BinaryValue": base64.b64decode("AP8=")}


def test_a_delayed_message_is_peeked_and_not_received(localbus: Localbus) -> None:
    """`peek` shows what is delayed, in flight and visible, and changes none of it."""
    queue = new_queue(localbus, "mine")
    run_json(localbus, "send", "mine", "first")
    queue.sqs.receive_message(QueueUrl=queue.url)
    run_json(localbus, "send", "mine", "second")
    run_json(localbus, "send", "mine", "-", "--delay", "5m", stdin='{"third": 3}')

    peeked = run_json(localbus, "peek", "mine")["messages"]
    states = {json.dumps(each["body"]): (each["visible"], each["delayed"], each["receive_count"]) for each in peeked}
    assert states == {'"first"': (False, False, 1), '"second"': (True, False, 0), '{"third": 3}': (True, True, 0)}
    shown = run(localbus, "peek", "mine").stdout
    assert "mine: 3 messages" in shown
    assert "in flight; sent 0.0 s ago; receive count 1" in shown
    assert "delayed; sent 0.0 s ago; receive count 0" in shown

    assert [each["Body"] for each in queue.receive()] == ["second"]
    localbus.advance(300)
    assert '{"third": 3}' in queue.bodies()


def test_peek_can_be_limited(localbus: Localbus) -> None:
    """To the first messages, and to those that contain a text; all are counted."""
    queue = new_queue(localbus, "mine")
    for number in range(12):
        queue.sqs.send_message(QueueUrl=queue.url, MessageBody=f"tea {number}")

    assert len(run_json(localbus, "peek", "mine")["messages"]) == 10
    document = run_json(localbus, "peek", "mine", "--containing", "tea 1", "--limit", "2")
    assert (document["count"], [each["body"] for each in document["messages"]]) == (3, ["tea 1", "tea 10"])
    assert "mine: 12 messages, the first 1:" in run(localbus, "peek", "mine", "--limit", "1").stdout


def test_text_is_never_markup(localbus: Localbus) -> None:
    """Brackets in a body are printed as they came."""
    new_queue(localbus, "mine")
    run_json(localbus, "send", "mine", "[red]hot[/red]")

    assert "[red]hot[/red]" in run(localbus, "peek", "mine").stdout


def test_a_fifo_queue_needs_a_group(localbus: Localbus) -> None:
    """The error names the option that is missing; with it the message is accepted and has a sequence number."""
    new_queue(localbus, "mine.fifo")

    refused = run(localbus, "send", "mine.fifo", "hello")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "mine.fifo rejected it: The request must contain the parameter MessageGroupId" in refused.stderr
    assert "Add --group GROUP." in refused.stderr
    again = run(localbus, "send", "mine.fifo", "hello", "--group", "ada")
    assert "Add --deduplication-id ID." in again.stderr

    sent = run_json(localbus, "send", "mine.fifo", "hello", "--group", "ada", "--deduplication-id", "1")
    assert sent["sequence_number"]


def test_a_message_is_published(localbus: Localbus) -> None:
    """It reaches the subscribed queue with its subject and attributes."""
    queue, sns = new_queue(localbus, "mine"), localbus.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)

    sent = run_json(localbus, "publish", "news", "hello", "--subject", "Stock", "--attribute", "n:Number=1")

    (envelope,) = queue.drain()
    assert (envelope["Message"], envelope["Subject"], envelope["MessageId"]) == ("hello", "Stock", sent["message_id"])
    assert envelope["MessageAttributes"] == {"n": {"Type": "Number", "Value": "1"}}


def test_an_event_is_put_on_the_bus(localbus: Localbus) -> None:
    """Without --bus and without a stack it goes to the bus named default."""
    sent = run_json(localbus, "put-event", '{"city": "Zurich"}', "--source", "shop", "--detail-type", "opened")

    assert (sent["to"], sent["arn"]) == ("default", "arn:aws:events:us-east-1:000000000000:event-bus/default")
    assert [each["event"] for each in journal(localbus, message_id=sent["message_id"])] == ["published", "unmatched"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["send", "mine", "x", "--attribute", "priority"], "--attribute priority: expected NAME=VALUE, or"),
        (["send", "mine", "x", "--attribute", "a=1", "--attribute", "a=2"], "--attribute a=2: a is given twice."),
        (["send", "mine", "x", "--attribute", "k:Binary=?"], "--attribute k:Binary=?: the value of a Binary attribute"),
        (["send", "mine", "x", "--delay", "16m"], "--delay 16m: expected whole seconds, 15 minutes at most"),
        (["send", "mine", "x", "--delay", "soon"], "--delay soon: expected a duration with a unit, such as 10s"),
        (["put-event", "[]", "--source", "s", "--detail-type", "t"], "DETAIL []: expected a JSON object, such as"),
        (["peek", "nine"], "Unknown queue 'nine'. Did you mean mine?"),
        (["send", "nine", "x"], "Unknown queue 'nine'. Did you mean mine?"),
        (["publish", "mine", "x"], "Unknown topic 'mine'. The account has no topics."),
        (["put-event", "{}", "--source", "s", "--detail-type", "t", "--bus", "b"], "Unknown bus 'b'. The account's"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_expected(localbus: Localbus, arguments: list[str], error: str) -> None:
    """Wrong use exits with 2 and one line; nothing is sent."""
    queue = new_queue(localbus, "mine")

    done = run(localbus, *arguments)

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"orderboard: {error}")
    assert queue.receive() == []


def test_an_attribute_that_sqs_rejects_is_an_error_in_its_words(localbus: Localbus) -> None:
    """A number that is not one is found by SQS; its reason is printed."""
    new_queue(localbus, "mine")

    done = run(localbus, "send", "mine", "x", "--attribute", "n:Number=many")

    assert done.exit_code == 1
    assert "mine rejected it: " in done.stderr


def test_what_is_sent_can_be_followed(localbus: Localbus) -> None:
    """Without --json the next command is printed, with the endpoint that was given."""
    new_queue(localbus, "mine")

    shown: Any = run(localbus, "send", "mine", "hello").stdout

    assert "Sent to mine: " in shown
    assert f" --endpoint-url {localbus.url}" in shown
