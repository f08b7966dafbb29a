"""Policies between services: permissions to send."""

from __future__ import annotations

import json

from fidelity.aws import Aws, open_policy
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same
from fidelity.sources import events_guide, sns_api, sns_guide

GROUP = Group("Across services", "Policies")
behaviour = GROUP.behaviour
_OTHER = "111111111111"
_TO_QUEUES = sns_guide("subscribe-sqs-queue-to-sns-topic")
_RESOURCES = events_guide("eb-use-resource-based")


@behaviour(_TO_QUEUES)
def topic_to_closed_queue(aws: Aws) -> None:
    """A topic does not deliver to a queue whose policy does not allow SNS to send."""
    topic, opened = aws.subscribed_topic()
    closed = aws.queue()
    aws.subscribe(topic, closed.arn)
    aws.publish(topic)

    same("delivers to the other", opened.bodies(1), ["m"])
    same("delivers", closed.bodies(0), [])


@behaviour(_TO_QUEUES)
def only_that_topic(aws: Aws) -> None:
    """A queue policy with aws:SourceArn allows only that topic to send."""
    topics = [aws.topic() for _ in range(2)]
    queue = aws.queue()
    policy = json.loads(open_policy(queue.arn, "sqs:SendMessage"))
    policy["Statement"][0]["Condition"] = {"ArnEquals": {"aws:SourceArn": topics[1]}}
    queue.set(Policy=policy)
    for number, topic in enumerate(topics):
        aws.subscribe(topic, queue.arn)
        aws.publish(topic, str(number))

    same("delivers", queue.bodies(1), ["1"])


@behaviour(_TO_QUEUES)
def denied(aws: Aws) -> None:
    """An explicit deny overrides an allow."""
    topic, opened = aws.subscribed_topic()
    queue = aws.queue()
    policy = json.loads(open_policy(queue.arn, "sqs:SendMessage"))
    policy["Statement"].append(policy["Statement"][0] | {"Effect": "Deny"})
    queue.set(Policy=policy)
    aws.subscribe(topic, queue.arn)
    aws.publish(topic)

    same("delivers to the other", opened.bodies(1), ["m"])
    same("delivers", queue.bodies(0), [])


@behaviour(sns_guide("sns-configure-dead-letter-queue"))
def dead_letters_of_a_closed_queue(aws: Aws) -> None:
    """A message that a queue's policy denies goes to the subscription's dead-letter queue."""
    topic, dead, closed = aws.topic(), aws.queue(opened=True), aws.queue()
    aws.subscribe(topic, closed.arn, RedrivePolicy={"deadLetterTargetArn": dead.arn})
    aws.publish(topic)

    same("keeps", dead.bodies(1), ["m"])


@behaviour(sns_api("AddPermission"))
def another_account_publishes(aws: Aws) -> None:
    """Another account may not publish (AuthorizationError) until the topic's policy allows it."""
    topic, other = aws.topic(), aws.client("sns", account=_OTHER)
    refused("AuthorizationError", other.publish, TopicArn=topic, Message="m")

    aws.sns.add_permission(TopicArn=topic, Label="l", AWSAccountId=[_OTHER], ActionName=["Publish"])

    other.publish(TopicArn=topic, Message="m")


@behaviour(_RESOURCES)
def rule_to_closed_queue(aws: Aws) -> None:
    """A rule does not deliver to a queue whose policy does not allow EventBridge to send."""
    closed, opened = aws.queue(), aws.target(Input='"m"')
    aws.rule(closed.arn, Input='"m"')
    aws.put()

    same("delivers to the other", opened.bodies(1), ['"m"'])
    same("delivers", closed.bodies(0), [])


@behaviour(events_guide("eb-rule-dlq"))
def reason_of_a_closed_queue(aws: Aws) -> None:
    """An event that a queue's policy denies becomes a dead letter at once, with ERROR_CODE NO_PERMISSIONS."""
    dead = aws.queue(opened=True)
    aws.rule(aws.queue().arn, DeadLetterConfig={"Arn": dead.arn})
    aws.put()

    found = dead.take(1)

    holds(found, "keeps nothing")
    same("tells", found[0].get("MessageAttributes", {}).get("ERROR_CODE", {}).get("StringValue"), "NO_PERMISSIONS")


@behaviour(_RESOURCES)
def rule_to_closed_topic(aws: Aws) -> None:
    """A rule does not publish to a topic whose policy does not allow EventBridge, such as a new topic's."""
    closed, opened = aws.topic(), aws.topic()
    aws.set_topic(opened, "Policy", open_policy(opened, "sns:Publish"))
    queues = [aws.subscribed(topic) for topic in (closed, opened)]
    for topic in (closed, opened):
        aws.rule(topic, Input='"m"')
    aws.put()

    same("publishes to the other", queues[1].bodies(1), ['"m"'])
    same("publishes", queues[0].bodies(0), [])


@behaviour(events_guide("eb-event-bus-perms"))
def another_account_puts(aws: Aws) -> None:
    """Another account may put events once the bus's policy allows it."""
    queue = aws.target(InputPath="$.account")
    given = {"Action": "events:PutEvents", "Principal": _OTHER, "StatementId": "s"}
    aws.events.put_permission(EventBusName=aws.own_bus, **given)
    entry = {"Source": aws.prefix, "DetailType": "t", "Detail": "{}", "EventBusName": aws.bus_arn(aws.own_bus)}

    aws.client("events", account=_OTHER).put_events(Entries=[entry])

    same("delivers, from the account,", queue.bodies(1), [f'"{_OTHER}"'])


@behaviour(events_guide("eb-event-bus-permissions-manage"))
def condition_on_the_source(aws: Aws) -> None:
    """A bus policy with events:source is evaluated for each entry of PutEvents (NotAuthorizedForSourceException)."""
    other = aws.client("events", account=_OTHER)
    bus = aws.bus()
    arn = aws.events.describe_event_bus(Name=bus)["Arn"]
    statement = {"Effect": "Allow", "Principal": {"AWS": _OTHER}, "Action": "events:PutEvents", "Resource": arn}
    statement["Condition"] = {"StringEquals": {"events:source": "orders"}}
    policy = {"Version": "2012-10-17", "Statement": [{"Sid": "s", **statement}]}
    aws.events.put_permission(EventBusName=bus, Policy=json.dumps(policy))
    entries = [{"Source": one, "DetailType": "t", "Detail": "{}", "EventBusName": arn} for one in ("orders", "x")]

    answer = other.put_events(Entries=entries)

    same("codes", [one.get("ErrorCode") for one in answer["Entries"]], [None, "NotAuthorizedForSourceException"])


@behaviour(sns_guide("sns-access-policy-use-cases"))
def condition_on_the_protocol(aws: Aws) -> None:
    """A topic policy with sns:Protocol decides on Subscribe."""
    topic, other, queue = aws.topic(), aws.client("sns", account=_OTHER), aws.queue()
    statement = {"Effect": "Allow", "Principal": {"AWS": _OTHER}, "Action": "sns:Subscribe", "Resource": topic}
    for protocol in ("https", "sqs"):
        test = {"StringEquals": {"sns:Protocol": protocol}}
        policy = {"Version": "2012-10-17", "Statement": [statement | {"Condition": test}]}
        aws.sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy))
        if protocol == "https":
            refused("AuthorizationError", other.subscribe, TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
        else:
            other.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)


@behaviour(_RESOURCES)
def malformed_policy(aws: Aws) -> None:
    """A policy whose Effect is a list is refused by queues and topics."""
    policy = json.loads(open_policy("*", "sqs:SendMessage"))
    policy["Statement"][0]["Effect"] = []
    text = json.dumps(policy)
    queue, topic = aws.queue(), aws.topic()

    refused("InvalidAttributeValue", aws.sqs.set_queue_attributes, QueueUrl=queue.url, Attributes={"Policy": text})
    given = {"AttributeName": "Policy", "AttributeValue": text}
    refused("InvalidParameter", aws.sns.set_topic_attributes, TopicArn=topic, **given)
