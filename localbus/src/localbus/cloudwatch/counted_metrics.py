"""The metrics of SNS, EventBridge and Lambda, which are published for the minutes in which something happened.

Sources: https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html and
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from localbus.cloudwatch.metric import Point, Published
from localbus.cloudwatch.metric_query import Owner
from localbus.events.bus import DEFAULT_BUS
from localbus.events.state import EventBridge
from localbus.lambda_.state import EventSourceMappings
from localbus.metric_counts import MetricCounts
from localbus.sns.state import Sns
from localbus.upstream.client import UpstreamClient

_UNITS: Final = {
    "Duration": "Milliseconds",
    "PublishSize": "Bytes",
    "SuccessfulRequestLatency": "Milliseconds",
}

Data = Iterator[tuple[Owner, str, Published]]


def topic_metrics(sns: Sns) -> Callable[[float], Data]:
    """Return the source of the metrics of all topics."""

    def source(_end: float) -> Data:
        for topic in sns.topics:
            yield from published(Owner(topic.account, topic.region), "AWS/SNS", topic.counts, ("TopicName", topic.name))

    return source


def rule_metrics(events: EventBridge) -> Callable[[float], Data]:
    """Return the source of the metrics of all rules, which name the bus unless it is the default one."""

    def source(_end: float) -> Data:
        for bus in events.buses:
            of_bus = () if bus.name == DEFAULT_BUS else (("EventBusName", bus.name),)
            for rule in bus.rules.values():
                dimensions = (*of_bus, ("RuleName", rule.name))
                yield from published(Owner(bus.account, bus.region), "AWS/Events", rule.counts, *dimensions)

    return source


def function_metrics(upstream: UpstreamClient) -> Callable[[float], Data]:
    """Return the source of the metrics of the upstream's functions that were invoked through localbus."""

    def source(_end: float) -> Data:
        for function, counts in upstream.functions:
            owner = Owner(function.account, function.region)
            yield from published(owner, "AWS/Lambda", counts, ("FunctionName", function.name))

    return source


def mapping_metrics(mappings: EventSourceMappings) -> Callable[[float], Data]:
    """Return the source of the metrics of the event source mappings whose MetricsConfig asks for them."""

    def source(_end: float) -> Data:
        for mapping in mappings:
            owner, uuid = Owner(mapping.account, mapping.region), ("EventSourceMappingUUID", mapping.uuid)
            found = list(published(owner, "AWS/Lambda", mapping.counts, uuid))
            yield from found if mapping.settings.counts_events else ()

    return source


def published(owner: Owner, namespace: str, counts: MetricCounts, *dimensions: tuple[str, str]) -> Data:
    """Take the counts of a resource. Each event that was counted is a sample of 1."""
    taken = counts.take()
    for name, count in taken.counts.items():
        yield owner, namespace, Published(name, dimensions, "Count", Point(count, count, 1, 1))
    for name, values in taken.values.items():
        yield owner, namespace, Published(name, dimensions, _UNITS.get(name, "Count"), Point(*values))
