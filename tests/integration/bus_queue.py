"""A queue that receives the events of one service on a stack's bus."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from support.stack import DeployedStack, sends_by


@contextmanager
def bus_queue(stack: DeployedStack, source: str) -> Iterator[str]:
    """Yield the name of a queue with a rule for this source, for the length of the block."""
    name, bus = f"{stack.prefix}-{source.rpartition('.')[2]}-events", stack.outputs.bus_name
    url = stack.sqs.create_queue(QueueName=name, Attributes=sends_by("events"))["QueueUrl"]
    arn = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    stack.events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps({"source": [source]}))
    stack.events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    yield name
    stack.events.remove_targets(Rule=name, EventBusName=bus, Ids=["queue"])
    stack.events.delete_rule(Name=name, EventBusName=bus)  # a bus with a rule cannot be deleted
    stack.sqs.delete_queue(QueueUrl=url)
