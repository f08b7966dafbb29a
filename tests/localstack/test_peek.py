"""LocalStack shows the messages of a queue without receiving them; the console reads what a real one answers."""

import secrets

from localstack_client.session import Session  # type: ignore[import-untyped]
from orderboard.orders.browse import browse
from orderboard_stack.backend import Endpoint


def test_messages_are_read_without_being_received(backend: Endpoint, aws: Session) -> None:
    """One that waits, one in flight and one that is delayed are distinguished, with their receives and attributes."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=f"peek-{secrets.token_hex(4)}")["QueueUrl"]
    assert browse(backend, url) == []

    sqs.send_message(
        QueueUrl=url,
        MessageBody="in flight",
        MessageAttributes={"event_type": {"DataType": "String", "StringValue": "placed"}},
    )
    [received] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    sqs.send_message(QueueUrl=url, MessageBody='{"waits": "☕ <b>"}')
    sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=600)
    found = {each.body: each for each in browse(backend, url)}
    again = browse(backend, url)

    assert set(found) == {"in flight", '{"waits": "☕ <b>"}', "delayed"}
    held, waits = found["in flight"], found['{"waits": "☕ <b>"}']
    assert (held.message_id, held.receive_count, held.visible) == (received["MessageId"], 1, False)
    assert dict(held.attributes) == {"event_type": "placed"}
    assert (waits.receive_count, waits.visible) == (0, True)
    assert all(each.sent_at_s is not None for each in found.values())
    assert {each.message_id: each.receive_count for each in again} == {
        each.message_id: each.receive_count for each in found.values()
    }
    sqs.delete_queue(QueueUrl=url)
