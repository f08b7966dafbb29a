"""Orders whose messages were purged are published again, and only those."""

import json
from datetime import timedelta
from typing import Any

from orderboard.recovery.resend import Resent, resend
from orderboard_contracts.identity import new_order_id
from support.stack import sends_by
from unit.rig.recovery.bar import OUTPUTS, Bar, placed_order


def test_what_a_purge_has_removed_is_sent_again(bar: Bar) -> None:
    """An order without an outcome goes to its queue as before; one that ended, or is dead-lettered, does not."""
    arn = bar.target.sns.create_topic(Name="bar-orders")["TopicArn"]
    url = bar.target.sqs.create_queue(QueueName="bar-all", Attributes=sends_by("sns"))["QueueUrl"]
    queue: Any = "arn:aws:sqs:us-east-1:000000000000:bar-all"
    bar.target.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    for pair in OUTPUTS.queue_pairs.values():
        for name in filter(None, pair):
            bar.target.sqs.create_queue(QueueName=name)
    bar.make(placed_order(new_order_id(), bar.now()))
    purged, poisoned = (placed_order(new_order_id(), bar.now()) for _ in range(2))
    bar.publish(purged, poisoned)
    bar.target.sqs.send_message(QueueUrl=bar.target.queue_url(OUTPUTS.work_dlq), MessageBody=poisoned.to_json())
    bar.later(seconds=2)

    assert resend(bar.target, bar.now() - timedelta(hours=1), bar.tick) == Resent(facts=4, sent=1, dead_lettered=1)

    (message,) = bar.target.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert json.loads(message["Body"]) == json.loads(purged.to_json())
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes == {"event_type": purged.type, "priority": "normal"}
