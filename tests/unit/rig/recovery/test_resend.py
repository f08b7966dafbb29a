"""Orders whose messages were purged are published again, and only those."""

import json
from datetime import timedelta
from typing import Any

import pytest
from orderboard.errors import RigError
from orderboard.recovery.resend import Resent, resend
from orderboard_contracts.identity import new_order_id
from support.stack import sends_by
from unit.rig.recovery.bar import OUTPUTS, TABLE, Bar, placed_order


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


def test_without_a_table_nothing_is_sent_again(bar: Bar) -> None:
    """The rows tell which orders have ended, so the table comes first, and no replay is begun."""
    bar.client.delete_table(TableName=TABLE)

    with pytest.raises(RigError, match=f"The table {TABLE} does not exist. Restore it: orderboard backup restore"):
        resend(bar.target, bar.now() - timedelta(hours=1), bar.tick)

    assert bar.target.events.list_replays()["Replays"] == []


def test_a_replay_that_failed_is_run_again(bar: Bar, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names it with its reason, for whichever command it was."""
    failed = {"ReplayName": "one", "State": "FAILED", "StateReason": "throttled"}
    monkeypatch.setattr(bar.target.events, "describe_replay", lambda **_: failed)

    with pytest.raises(RigError, match=r"The replay one is FAILED: throttled\. Run the command again\."):
        resend(bar.target, bar.now() - timedelta(hours=1), bar.tick)
