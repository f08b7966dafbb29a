"""Putting events on the topic and the bus as the services do, and finding them on queues."""

import json
from collections.abc import Callable, Iterator

from orderboard_contracts.events import Command, Event, parse_event
from orderboard_contracts.routing import bus_entry, message_attributes
from support.stack import DeployedStack
from support.waiting import eventually


def publish(stack: DeployedStack, command: Command, **changed: str) -> str:
    """Send a command to the topic as order-api does, or with other attributes, and return its id."""
    stack.sns.publish(
        TopicArn=stack.outputs.orders_topic_arn,
        Message=command.to_json(),
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value}
            for name, value in {**message_attributes(command), **changed}.items()
        },
    )
    return command.id


def put(stack: DeployedStack, event: Event, **changed: str) -> str:
    """Put an event on the bus as the services do, or changed, and return its id."""
    entry = {**bus_entry(event, stack.outputs.bus_name), **changed}
    answer = stack.events.put_events(Entries=[entry])  # type: ignore[list-item]
    assert answer["FailedEntryCount"] == 0
    return event.id


def event_ids(stack: DeployedStack, queue: str) -> Iterator[str]:
    """The ids of the events that wait in a queue, as SNS (raw) or EventBridge delivered them; they are taken out."""
    while messages := stack.receive(queue):
        for message in messages:
            document = json.loads(message["Body"])
            yield parse_event(document.get("detail", document)).id


def silence_notifier(stack: DeployedStack) -> DeployedStack:
    """Take the notifier off its queue, so that alerts stay where the rules put them."""
    stack.functions.delete_event_source_mapping(UUID=stack.outputs.notifier_mapping_id)
    return stack


async def happens(check: Callable[[], object], *, within_s: float = 1) -> bool:
    """Return whether a check comes true in time."""
    try:
        await eventually(lambda: bool(check()), within_s=within_s)
    except AssertionError:
        return False
    return True
