"""The console's own evaluation of patterns and policies gives the backend's answer, over a table of cases."""

import json
from typing import Any

import pytest
from orderboard.console.matches import read_event
from orderboard.console.pattern import explain
from support import DeployedStack, eventually, sends_by

EVENT = {
    "source": "orderboard.order-api",
    "detail-type": "orderboard.order.placed.v1",
    "detail": {
        "n": 10000,
        "f": 1.5,
        "zero": 0,
        "t": "Flat White",
        "empty": "",
        "none": None,
        "yes": True,
        "list": ["a", "b"],
        "no": [],
        "ip": "10.0.0.7",
        "deep": {"a": {"b": 1}},
        "lines": [{"sku": "tea", "quantity": 1}, {"sku": "bun", "quantity": 2}],
        "path": "a*b/c.json",
        "number_text": "10000",
        "dotted.name": "x",
        "mixed": ["x", {"a": 1}],
    },
}

DETAILS: list[dict[str, Any]] = [
    {"n": [10000]},
    {"n": [10000.0]},
    {"n": ["10000"]},
    {"number_text": [10000]},
    {"n": [{"numeric": [">=", 10000]}]},
    {"n": [{"numeric": [">", 10000]}]},
    {"n": [{"numeric": [">", 0, "<=", 10000]}]},
    {"n": [{"numeric": [">", 0, "<", 10000]}]},
    {"f": [{"numeric": ["=", 1.5]}]},
    {"t": [{"numeric": [">", 0]}]},
    {"yes": [{"numeric": ["=", 1]}]},
    {"number_text": [{"numeric": ["=", 10000]}]},
    {"t": ["Flat White"]},
    {"t": ["flat white"]},
    {"t": [{"equals-ignore-case": "flat white"}]},
    {"t": [{"prefix": "Flat"}]},
    {"t": [{"prefix": "flat"}]},
    {"t": [{"prefix": {"equals-ignore-case": "flat"}}]},
    {"t": [{"suffix": "White"}]},
    {"t": [{"suffix": {"equals-ignore-case": "WHITE"}}]},
    {"t": [{"wildcard": "F*t*e"}]},
    {"t": [{"wildcard": "F*x*e"}]},
    {"path": [{"wildcard": "a\\*b/*.json"}]},
    {"t": [{"wildcard": "a\\*b"}]},
    {"t": [{"anything-but": "Flat White"}]},
    {"t": [{"anything-but": ["tea", "bun"]}]},
    {"t": [{"anything-but": {"prefix": "Flat"}}]},
    {"t": [{"anything-but": {"suffix": "tea"}}]},
    {"n": [{"anything-but": [1, 2]}]},
    {"nonesuch": [{"anything-but": "x"}]},
    {"nonesuch": [{"exists": False}]},
    {"nonesuch": [{"exists": True}]},
    {"t": [{"exists": True}]},
    {"none": [{"exists": True}]},
    {"deep": [{"exists": True}]},
    {"no": [{"exists": True}]},
    {"no": [{"exists": False}]},
    {"none": [None]},
    {"empty": [""]},
    {"zero": [0]},
    {"zero": [False]},
    {"yes": [True]},
    {"yes": [1]},
    {"list": ["b"]},
    {"list": ["c"]},
    {"list": [{"anything-but": "a"}]},
    {"list": [{"anything-but": ["a", "b"]}]},
    {"no": [{"anything-but": "a"}]},
    {"ip": [{"cidr": "10.0.0.0/24"}]},
    {"ip": [{"cidr": "10.0.1.0/24"}]},
    {"t": [{"cidr": "10.0.0.0/24"}]},
    {"deep": {"a": {"b": [1]}}},
    {"deep": {"a": {"b": [2]}}},
    {"deep": {"x": {"b": [{"exists": False}]}}},
    {"t": {"x": [{"exists": False}]}},
    {"lines": {"sku": ["tea"], "quantity": [1]}},
    {"lines": {"sku": ["tea"], "quantity": [2]}},
    {"$or": [{"n": [1]}, {"t": [{"prefix": "Flat"}]}]},
    {"$or": [{"n": [1]}, {"t": ["tea"]}]},
    {"yes": [True], "$or": [{"n": [1]}, {"n": [10000]}]},
    {"yes": [False], "$or": [{"n": [1]}, {"n": [10000]}]},
    {"deep": {"$or": [{"a": {"b": [1]}}, {"x": ["y"]}]}},
    {"t": ["tea", {"prefix": "Flat"}]},
    {"t": ["tea", {"exists": True}]},
    {"nonesuch": ["x", {"exists": False}]},
    {"none": [{"anything-but": "x"}]},
    {"none": [{"anything-but": {"prefix": ["x", "y"]}}]},
    {"none": [{"numeric": ["<", 5]}]},
    {"n": [{"anything-but": {"wildcard": "*1*"}}]},
    {"t": [{"anything-but": {"wildcard": ["F*", "B*"]}}]},
    {"t": [{"anything-but": {"wildcard": ""}}]},
    {"t": [{"anything-but": {"equals-ignore-case": ["FLAT WHITE", "tea"]}}]},
    {"t": [{"anything-but": {"suffix": ["tea", "White"]}}]},
    {"t": [{"wildcard": ""}]},
    {"t": [{"prefix": ""}]},
    {"empty": [{"suffix": ""}]},
    {"empty": [{"equals-ignore-case": ""}]},
    {"ip": ["10.0.0.7"]},
    {"deep.a": {"b": [1]}},
    {"deep": {"a.b": [1]}},
    {"deep.a.b": [2]},
    {"deep.x.b": [{"exists": False}]},
    {"dotted.name": ["x"]},
    {"dotted": {"name": ["x"]}},
    {"dotted": {"name": ["y"]}},
    {"mixed": ["x"], "mixed.a": [1]},
    {"mixed": ["y"], "mixed.a": [1]},
    {"lines": {"sku": ["tea"], "note": [{"exists": False}]}},
]
PATTERNS: list[dict[str, Any]] = [
    *({"detail": detail} for detail in DETAILS),
    {"source": ["orderboard.order-api"], "detail-type": [{"prefix": "orderboard.order."}]},
    {"source": ["orderboard.worker"]},
    {"source": [{"anything-but": "orderboard.worker"}], "detail": {"n": [10000]}},
    {"region": ["us-east-1"], "account": ["000000000000"]},
    {"resources": [{"exists": False}]},
]

ATTRIBUTES = {"event_type": "orderboard.order.placed.v1", "priority": "express"}
POLICIES: list[dict[str, Any]] = [
    {"priority": ["express"]},
    {"priority": ["normal"]},
    {"event_type": [{"prefix": "orderboard.order."}], "priority": ["normal", "express"]},
    {"event_type": [{"suffix": ".v2"}]},
    {"priority": [{"anything-but": ["express"]}]},
    {"nonesuch": [{"exists": False}]},
    {"nonesuch": ["x"]},
    {"$or": [{"priority": ["normal"]}, {"event_type": [{"prefix": "orderboard"}]}]},
]


@pytest.mark.parametrize("pattern", PATTERNS, ids=json.dumps)
def test_rules(stack_of_patterns: DeployedStack, pattern: dict[str, Any]) -> None:
    """Our answer for an event and a pattern is TestEventPattern's."""
    event = read_event(json.dumps(EVENT))

    backend = stack_of_patterns.events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))

    explained = explain(pattern, event)
    assert explained.matched is backend["Result"]
    assert (explained.decided_by is None) is explained.matched


async def test_filter_policies(stack_of_patterns: DeployedStack) -> None:
    """What our evaluation lets pass arrives in a queue that subscribes with the policy, and nothing else does."""
    stack = stack_of_patterns
    topic = stack.sns.create_topic(Name=f"{stack.prefix}-policies")["TopicArn"]
    names = [f"{stack.prefix}-policy-{number}" for number in range(len(POLICIES))]
    for name, policy in zip(names, POLICIES, strict=True):
        url = stack.sqs.create_queue(QueueName=name, Attributes=sends_by("sns"))["QueueUrl"]
        arn = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        stack.sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"FilterPolicy": json.dumps(policy)}
        )

    stack.sns.publish(
        TopicArn=topic,
        Message="x",
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in ATTRIBUTES.items()},
    )

    ours = [int(explain(policy, ATTRIBUTES).matched) for policy in POLICIES]

    def agrees() -> None:
        assert [stack.waiting(name) for name in names] == ours

    await eventually(agrees)
    assert 0 in ours
    for name in names:
        stack.sqs.delete_queue(QueueUrl=stack.queue_url(name))
    stack.sns.delete_topic(TopicArn=topic)


@pytest.fixture(scope="module")
def stack_of_patterns(backend: Any) -> DeployedStack:
    """Clients of the backend; these tests need no stack of the template."""
    return DeployedStack("patterns", "patterns", backend, None, backend.session())  # type: ignore[arg-type]
