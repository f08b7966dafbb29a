"""Every resource in one document: what it shows is what each service's own API shows."""

from __future__ import annotations

import json
from typing import Any

import httpx
from localbus.lambda_.mapping import EventSourceMapping, Settings
from localbus.pytest_plugin import Localbus

PATTERN = json.dumps({"source": ["shop"]})
ACCOUNT = "000000000000"


def resources(localbus: Localbus) -> dict[str, Any]:
    """The document."""
    document: dict[str, Any] = httpx.get(f"{localbus.url}/_localbus/resources").raise_for_status().json()
    return document


def test_queues_topics_and_subscriptions_have_their_attributes(localbus: Localbus, sqs: Any, url: str) -> None:
    """As GetQueueAttributes, GetTopicAttributes and GetSubscriptionAttributes return them; a queue has its oldest."""
    sns = localbus.client("sns")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    queue_arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:work"
    policy = json.dumps({"priority": ["express"]})
    subscription = sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"FilterPolicy": policy}
    )["SubscriptionArn"]
    sqs.send_message(QueueUrl=url, MessageBody="b", DelaySeconds=5)
    localbus.advance(2)

    found = resources(localbus)

    [queue] = found["queues"]
    assert queue["attributes"] == sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert found["now"] - queue["oldest_sent_at"] == 2
    assert found["topics"] == [sns.get_topic_attributes(TopicArn=topic)["Attributes"]]
    shown = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    assert found["subscriptions"] == [shown]
    assert shown["FilterPolicy"] == policy


def test_rules_have_their_targets(localbus: Localbus) -> None:
    """Rules of every bus with pattern, state and targets; an archive is there with the managed rule that feeds it."""
    events = localbus.client("events")
    bus = events.create_event_bus(Name="shop")["EventBusArn"]
    target = {"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:work"}
    events.put_rule(Name="all", EventBusName="shop", EventPattern=PATTERN, State="DISABLED")
    events.put_targets(Rule="all", EventBusName="shop", Targets=[target])
    events.create_archive(ArchiveName="kept", EventSourceArn=bus, RetentionDays=7)

    found = resources(localbus)

    assert {each["Name"] for each in found["buses"]} == {"default", "shop"}
    by_name = {each["Name"]: each for each in found["rules"]}
    assert by_name["all"] == events.list_rules(EventBusName="shop", NamePrefix="all")["Rules"][0] | {
        "Targets": [target]
    }
    assert [each["ManagedBy"] for each in found["rules"] if each["Name"] != "all"] == ["prod.vhs.events.aws.internal"]
    assert [(each["ArchiveName"], each["RetentionDays"]) for each in found["archives"]] == [("kept", 7)]


def test_mappings_and_tables_of_all_accounts_and_regions(localbus: Localbus, sqs: Any) -> None:
    """One document covers what any credentials have made: a queue elsewhere, a table, a disabled mapping."""
    localbus.client("sqs", account="111111111111", region="eu-west-1").create_queue(QueueName="elsewhere")
    keys = [{"AttributeName": "id", "KeyType": "HASH"}]
    types = [{"AttributeName": "id", "AttributeType": "S"}]
    table = {"TableName": "orders", "KeySchema": keys, "AttributeDefinitions": types, "BillingMode": "PAY_PER_REQUEST"}
    localbus.client("dynamodb").create_table(**table)
    localbus.client("dynamodb").put_item(TableName="orders", Item={"id": {"S": "1"}})
    queue_arn, function_arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:work", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
    mapping = EventSourceMapping("m-1", ACCOUNT, "us-east-1", queue_arn, function_arn, Settings(), 0.0)
    localbus.engine.mappings.add(mapping, enabled=False)

    found = resources(localbus)

    [queue] = found["queues"]
    assert queue["attributes"]["QueueArn"] == "arn:aws:sqs:eu-west-1:111111111111:elsewhere"
    assert queue["oldest_sent_at"] is None
    [shown] = found["tables"]
    assert (shown["TableName"], shown["ItemCount"], shown["KeySchema"]) == ("orders", 1, keys)
    assert [(each["UUID"], each["State"], each["BatchSize"]) for each in found["mappings"]] == [("m-1", "Disabled", 10)]
