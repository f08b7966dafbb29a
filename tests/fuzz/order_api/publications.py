"""Everything that order-api publishes, received by two queues: one on the topic, one on the bus."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from orderboard.ledger.queue_reader import QueueReader
from orderboard.orders.queues import depth
from orderboard.system.target import Target
from support.stack import sends_by
from support.waiting import poll_until

_WITHIN_S: Final = 60


@dataclass(frozen=True)
class Sent:
    """A request and what became of it: with 202 it has an order id and a content, which are to be published."""

    shown: str
    answered: bool = True  # False also for 503: it may have been published
    order_id: str | None = None
    content: dict[str, Any] | None = None


@dataclass
class Publications:
    """The published commands, by the correlation id of their request, on both ways."""

    depth: Callable[[], int]
    ways: dict[str, dict[str, list[dict[str, Any]]]] = field(
        default_factory=lambda: {"topic": defaultdict(list), "bus": defaultdict(list)}
    )

    def receive(self, way: str, event: dict[str, Any]) -> None:
        """Keep a published event."""
        self.ways[way][event["correlationid"]].append(event)

    def wait(self, sent: dict[str, Sent]) -> None:
        """Wait until all that was accepted has come, or time has passed, and the queues are empty."""
        accepted = {correlation_id for correlation_id, each in sent.items() if each.order_id is not None}
        with suppress(AssertionError):
            poll_until(lambda: all(accepted <= way.keys() for way in self.ways.values()), _WITHIN_S)
        poll_until(lambda: self.depth() == 0, _WITHIN_S)

    def faults(self, sent: dict[str, Sent]) -> Iterator[str]:
        """Yield what was accepted and not published once and as it was sent, and what was published beyond that."""
        for name, way in self.ways.items():
            for correlation_id, each in sent.items():
                found = way.get(correlation_id, [])
                if each.order_id is None and found and each.answered:
                    yield f"refused, but published on the {name}\n  {each.shown}"
                elif len(found) > 1 or (each.order_id is not None and not found):
                    yield f"published {len(found)} times on the {name}, not once\n  {each.shown}"
                elif each.order_id is not None and (published := _content(found[0])) != (each.order_id, each.content):
                    yield f"published on the {name} as {published}, not as {each.content}\n  {each.shown}"
            for correlation_id in way.keys() - sent.keys():
                yield f"published on the {name} without a request: {way[correlation_id][0]}"


def content_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return what a valid body orders, or says of a cancellation: with the defaults, and numbers as integers."""
    if "customer_id" not in body:
        return {"reason": body.get("reason")}
    lines = [{**line, "quantity": int(line["quantity"])} for line in body["lines"]]
    return {"note": None, "priority": "normal", **body, "lines": lines}


def _content(event: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    data = event["data"]
    if event["type"] == "orderboard.order.cancellation_requested.v1":
        return event["subject"], {"reason": data.get("reason")}
    lines = [{"sku": line["sku"], "quantity": line["quantity"]} for line in data["lines"]]
    of_order = {name: data.get(name) for name in ("customer_id", "priority", "note")}
    return event["subject"], {**of_order, "lines": lines}


@contextmanager
def publications(target: Target) -> Iterator[Publications]:
    """Receive what order-api publishes, from before the first request on."""
    urls = {way: _queue(target, f"fuzz-{way}", service) for way, service in (("topic", "sns"), ("bus", "events"))}
    arns = {
        way: target.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for way, url in urls.items()
    }
    target.sns.subscribe(
        TopicArn=target.outputs.orders_topic_arn,
        Protocol="sqs",
        Endpoint=arns["topic"],
        Attributes={"RawMessageDelivery": "true"},
    )
    bus, pattern = target.outputs.bus_name, json.dumps({"source": ["orderboard.order-api"]})
    target.events.put_rule(Name="fuzz", EventBusName=bus, EventPattern=pattern)
    target.events.put_targets(Rule="fuzz", EventBusName=bus, Targets=[{"Id": "fuzz", "Arn": arns["bus"]}])
    found = Publications(lambda: sum(depth(target.sqs, url).total for url in urls.values()))
    with ExitStack() as readers:
        for way, url in urls.items():
            readers.enter_context(QueueReader(target, url, _receiver(found, way), name=way))
        yield found


def _queue(target: Target, name: str, service: str) -> str:
    return target.sqs.create_queue(QueueName=name, Attributes=sends_by(service))["QueueUrl"]


def _receiver(found: Publications, way: str) -> Callable[[str, float], None]:
    def receive(body: str, _: float) -> None:
        document = json.loads(body)
        found.receive(way, document.get("detail", document))

    return receive
