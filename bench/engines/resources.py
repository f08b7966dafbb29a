"""Queues, topics, buses and rules, created by the same calls on every engine."""

import json
import re
from collections.abc import Mapping
from typing import Any

from engines.client import Client, form_request
from engines.engine import Engine

_ARN = re.compile(rb"<(?:TopicArn|SubscriptionArn)>([^<]+)<")
REGION, ACCOUNT = "us-east-1", "000000000000"


async def create_queue(engine: Engine, name: str, *, fifo: bool = False) -> str:
    """Create a queue to which SNS and EventBridge may send, with a long visibility timeout; its URL."""
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue_arn(name)}
    attributes = {"VisibilityTimeout": "600", "Policy": json.dumps({"Version": "2012-10-17", "Statement": [everyone]})}
    if fifo:
        attributes["FifoQueue"] = "true"
    client = await Client.connect(engine.port)
    answer = await client.json("sqs", "CreateQueue", {"QueueName": name, "Attributes": attributes})
    client.close()
    return str(answer["QueueUrl"])


def queue_arn(name: str) -> str:
    """The ARN of a queue."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


async def create_topic(engine: Engine, name: str, queues: list[str], *, raw: bool = False) -> str:
    """Create a topic with queues as subscribers; its ARN."""
    client = await Client.connect(engine.port)
    topic_arn = _arn(await client.call(form_request("sns", "CreateTopic", {"Name": name})))
    for queue in queues:
        given = {"TopicArn": topic_arn, "Protocol": "sqs", "Endpoint": queue_arn(queue)}
        if raw:
            given |= {"Attributes.entry.1.key": "RawMessageDelivery", "Attributes.entry.1.value": "true"}
        await client.call(form_request("sns", "Subscribe", given))
    client.close()
    return topic_arn


def _arn(answer: bytes) -> str:
    found = _ARN.search(answer)
    if found is None:
        raise ValueError(answer)
    return found[1].decode()


async def create_bus(engine: Engine, name: str, patterns: list[Mapping[str, Any]], queue: str) -> str:
    """Create a bus with a rule for each pattern, each with the queue as target; its name."""
    client = await Client.connect(engine.port)
    await client.json("events", "CreateEventBus", {"Name": name})
    for number, pattern in enumerate(patterns):
        rule = {"Name": f"rule-{number}", "EventBusName": name}
        await client.json("events", "PutRule", {**rule, "EventPattern": json.dumps(pattern)})
        target = {"Id": "queue", "Arn": queue_arn(queue)}
        await client.json("events", "PutTargets", {"Rule": rule["Name"], "EventBusName": name, "Targets": [target]})
    client.close()
    return name
