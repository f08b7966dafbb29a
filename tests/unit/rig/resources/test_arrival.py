"""`Why did it not arrive?` on a real engine: each way in which a message can end has its reason, fix and proof."""

import json

import pytest
from orderboard.resources.arrival import Arrival
from orderboard.resources.ending import Ending
from unit.rig.resources.account import Account

SNS, EVENTS = "sns.amazonaws.com", "events.amazonaws.com"


def _only(found: Arrival) -> Ending:
    [ending] = found.endings
    assert set(ending.evidence) <= {each.number for each in found.entries}
    assert ending.evidence
    assert found.summary == ending.why
    return ending


def test_a_queue_policy_stops_it(account: Account) -> None:
    """The reason is the policy, and the command given allows it: run, the next message arrives."""
    queue = account.queue("work")
    topic = account.topic("orders", queue)
    message_id = account.sns.publish(TopicArn=topic, Message="m")["MessageId"]

    ending = _only(account.why(message_id))

    assert ending.verdict == "stopped"
    assert "resource policy does not allow sns.amazonaws.com" in ending.why
    assert "no dead-letter queue" in ending.why
    assert ending.fix == "Allow sns.amazonaws.com in the policy of work."
    policy = json.loads(ending.command.partition("--attributes ")[2].strip("'"))
    account.sqs.set_queue_attributes(QueueUrl=account.url("work"), Attributes=policy)
    again = account.sns.publish(TopicArn=topic, Message="m")["MessageId"]
    assert _only(account.why(again)).why == "It waits in work: nobody receives it."


def test_a_rules_target_without_a_policy(account: Account) -> None:
    """The same for a rule: its target's policy is named, with the command that allows the rule."""
    queue = account.queue("work")
    account.rule("all", {"source": ["shop"]}, queue)

    ending = _only(account.why(account.put("shop")))

    assert "the resource policy does not allow events.amazonaws.com to perform sqs:SendMessage" in ending.why
    assert ending.fix == "Allow events.amazonaws.com in the policy of work."
    assert "rule/all" in ending.command


def test_a_filter_policy_withholds_it(account: Account) -> None:
    """The policy is quoted."""
    topic = account.topic("orders", account.queue("work", open_to=SNS), FilterPolicy='{"priority": ["express"]}')
    message_id = account.sns.publish(TopicArn=topic, Message="m")["MessageId"]

    ending = _only(account.why(message_id))

    assert ending.verdict == "stopped"
    assert "orders to work does not accept its attributes" in ending.why
    assert '{"priority": ["express"]}' in ending.why


def test_nobody_was_subscribed(account: Account) -> None:
    """A topic without subscriptions drops a message, and a queue that subscribes later does not get it."""
    topic = account.topic("orders")
    message_id = account.sns.publish(TopicArn=topic, Message="m")["MessageId"]
    assert "Nobody was subscribed to the topic orders" in _only(account.why(message_id)).why

    account.topic("orders", account.queue("work", open_to=SNS))

    assert "was made after the message was published" in _only(account.why(message_id)).why


def test_no_rule_matched(account: Account) -> None:
    """A bus without rules, and one whose rules do not match, where a disabled one is named."""
    assert "The bus default has no rule" in _only(account.why(account.put("shop"))).why

    account.rule("mine", {"source": ["other"]}, account.queue("work", open_to=EVENTS))
    account.rule("off", {"source": ["shop"]}, account.queue("work", open_to=EVENTS), State="DISABLED")

    why = _only(account.why(account.put("shop"))).why
    assert why == "None of the 2 rules of the bus default matched it. Disabled: off."


def test_a_rule_without_a_target_and_a_bus_that_does_not_exist(account: Account) -> None:
    """Both are accepted by PutEvents, and end there."""
    account.rule("all", {"source": ["shop"]})

    assert "rule all on default matched it, and has no target" in _only(account.why(account.put("shop"))).why
    assert "The bus gone does not exist" in _only(account.why(account.put("shop", bus="gone"))).why


def test_the_target_is_gone(account: Account) -> None:
    """A queue that was deleted is named, with the fix to create it."""
    topic = account.topic("orders", account.queue("work", open_to=SNS))
    account.sqs.delete_queue(QueueUrl=account.url("work"))
    message_id = account.sns.publish(TopicArn=topic, Message="m")["MessageId"]

    ending = _only(account.why(message_id))

    assert "The specified queue does not exist" in ending.why
    assert ending.fix == "Create work, or name another target."


def test_it_rests_in_the_dead_letter_queue_of_its_subscription(account: Account) -> None:
    """The dead-letter queue is named with the reason; once consumed there, the answer says so."""
    dead = account.queue("dead", open_to=SNS)
    topic = account.topic("orders", account.queue("work"), RedrivePolicy=json.dumps({"deadLetterTargetArn": dead}))
    message_id = account.sns.publish(TopicArn=topic, Message="m")["MessageId"]

    ending = _only(account.why(message_id))
    assert (ending.verdict, ending.at) == ("dead", dead)
    assert "It rests in dead." in ending.why

    account.receive("dead", delete=True)
    assert "A consumer of dead received it (once) and deleted it." in _only(account.why(message_id)).why


def test_it_was_received_too_often(account: Account) -> None:
    """SQS moved it after maxReceiveCount receives; a purge of the dead-letter queue then ends it."""
    dead = account.queue("dead")
    account.queue("work", RedrivePolicy=json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 2}))
    message_id = account.sqs.send_message(QueueUrl=account.url("work"), MessageBody="m")["MessageId"]
    for _ in range(2):
        account.receive("work")
        account.server.advance(30)
    account.sqs.receive_message(QueueUrl=account.url("work"))

    ending = _only(account.why(message_id))
    assert (ending.verdict, ending.at) == ("dead", dead)
    assert "received 2 times from work and never deleted (maxReceiveCount 2)" in ending.why

    account.sqs.purge_queue(QueueUrl=account.url("dead"))
    assert _only(account.why(message_id)).why.endswith("dead was purged while it was there.")


def test_it_expired(account: Account) -> None:
    """Retention ended it, with the queue's period."""
    account.queue("work", MessageRetentionPeriod="60")
    message_id = account.sqs.send_message(QueueUrl=account.url("work"), MessageBody="m")["MessageId"]
    account.server.advance(61)

    ending = _only(account.why(message_id))

    assert ending.why == "It expired in work: it was older than the retention period (60 s)."


@pytest.mark.parametrize(
    ("ends_by", "why"),
    [("purge", "work was purged while it was there."), ("delete", "work was deleted while it was there.")],
)
def test_its_queue_was_emptied(account: Account, ends_by: str, why: str) -> None:
    """A purge, or the deletion of the queue, took it."""
    account.queue("work")
    message_id = account.sqs.send_message(QueueUrl=account.url("work"), MessageBody="m")["MessageId"]
    getattr(account.sqs, f"{ends_by}_queue")(QueueUrl=account.url("work"))

    assert _only(account.why(message_id)).why == why


def test_it_waits(account: Account) -> None:
    """Delayed, then visible, then in flight, then deleted by a consumer: each state is said as it is."""
    account.queue("work", DelaySeconds="10")
    message_id = account.sqs.send_message(QueueUrl=account.url("work"), MessageBody="m")["MessageId"]

    assert _only(account.why(message_id)).why == "It is delayed in work, for 10 s after the send."
    account.server.advance(10)
    assert _only(account.why(message_id)).why == "It waits in work: nobody receives it."
    account.receive("work")
    in_flight = _only(account.why(message_id))
    assert (in_flight.verdict, "a consumer received it (once)" in in_flight.why) == ("waiting", True)
    account.server.advance(30)
    account.receive("work", delete=True)
    arrived = _only(account.why(message_id))
    assert (arrived.verdict, arrived.why) == (
        "arrived",
        "A consumer of work received it (2 times) and deleted it.",
    )


def test_copies_are_counted(account: Account) -> None:
    """Through a rule, a topic and two queues: an ending for each copy, and a note of the rule that did not match."""
    here, there = account.queue("here", open_to=SNS), account.queue("there", open_to=SNS)
    topic = account.topic("orders", here, there)
    allow = {"Effect": "Allow", "Principal": {"Service": EVENTS}, "Action": "sns:Publish", "Resource": topic}
    account.sns.set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Statement": [allow]})
    )
    account.rule("all", {"source": ["shop"]}, topic)
    account.rule("none", {"source": ["other"]}, here)
    event_id = account.put("shop")
    account.receive("there", delete=True)

    found = account.why(event_id)

    assert found.summary == "Of 2 copies: 1 arrived, 1 still on its way."
    assert {each.at for each in found.endings} == {here, there}
    assert found.notes == ("Not matched by: none.",)


def test_a_duplicate_of_a_fifo_queue(account: Account) -> None:
    """The second send is stored once, and the answer about the id says so."""
    account.queue("work.fifo", FifoQueue="true")
    sends = [
        account.sqs.send_message(
            QueueUrl=account.url("work.fifo"), MessageBody="m", MessageGroupId="g", MessageDeduplicationId="d"
        )["MessageId"]
        for _ in range(2)
    ]

    found = account.why(sends[1])

    assert sends[0] == sends[1]
    assert "stored once" in found.notes[0]
    assert _only(found).verdict == "waiting"


def test_an_unknown_id(account: Account) -> None:
    """The answer says where ids come from, and why the journal may not have one."""
    found = account.why("00000000-0000-0000-0000-000000000000")

    assert found.summary == "The journal has no entry with this id."
    assert any("FailedEntryCount" in note for note in found.notes)
