"""A queue with a rule that sends it events of the bus, both made for one measurement or recovery."""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import EndpointConnectionError, HTTPClientError

from orderboard.ledger.leftovers import listener_prefix, owner
from orderboard.resources.policy import Sender, send_policy
from orderboard.system.target import Target

# Short, as a receive whose answer was lost delays the verdict for so long.
_VISIBILITY_TIMEOUT_S: Final = "10"


@dataclass(frozen=True)
class BusQueue:
    """The queue. Its rule has the same name."""

    name: str
    url: str


@contextmanager
def bus_queue(target: Target, pattern: Mapping[str, object], purpose: str) -> Iterator[BusQueue]:
    """Create the rule and the queue, and delete both after the block (unless the backend has gone)."""
    sqs, events, bus_name = target.sqs, target.events, target.outputs.bus_name
    # A new name each time: a queue name can be used again only 60 seconds after it was deleted.
    name = f"{listener_prefix(target)}{secrets.token_hex(3)}"
    with ExitStack() as stack:
        queue_url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": _VISIBILITY_TIMEOUT_S})[
            "QueueUrl"
        ]
        stack.callback(_remove, target, name, queue_url)
        queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        rule_arn = events.put_rule(
            Name=name,
            EventBusName=bus_name,
            EventPattern=json.dumps(pattern),
            Description=f"{purpose} by {owner()}",
        )["RuleArn"]
        sqs.set_queue_attributes(
            QueueUrl=queue_url, Attributes={"Policy": send_policy(Sender("events.amazonaws.com", rule_arn), queue_arn)}
        )
        events.put_targets(Rule=name, EventBusName=bus_name, Targets=[{"Id": "outcomes", "Arn": queue_arn}])
        yield BusQueue(name, queue_url)


def _remove(target: Target, name: str, queue_url: str) -> None:
    events, bus_name = target.events, target.outputs.bus_name
    with suppress(EndpointConnectionError, HTTPClientError):
        with suppress(events.exceptions.ResourceNotFoundException):  # it was not created
            events.remove_targets(Rule=name, EventBusName=bus_name, Ids=["outcomes"])
            events.delete_rule(Name=name, EventBusName=bus_name)
        target.sqs.delete_queue(QueueUrl=queue_url)
