"""Explanations of routing: with reasons on localbus, by TestEventPattern on other backends. The answers agree."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from localbus.pytest_plugin import Localbus as Server
from orderboard.console.explain import explain
from orderboard.console.source import Source
from orderboard.errors import UsageError
from orderboard.system.localbus import Localbus

SAMPLES = Path(__file__).parents[3] / "contracts" / "samples"
PLACED, COMPLETED = (
    (SAMPLES / f"orderboard.order.{name}.json").read_text() for name in ("placed.v1--minimal", "completed.v1--normal")
)
RULES = {
    "completed": {"detail-type": ["orderboard.order.completed.v1"]},
    "large": {"detail": {"data": {"total_cents": [{"numeric": [">=", 1_000_000]}]}}},
    "placed": {"source": ["orderboard.order-api"], "detail": {"type": ["orderboard.order.placed.v1"]}},
}
POLICIES: dict[str, Any] = {"all": None, "express": {"priority": ["express"]}, "normal": {"priority": ["normal"]}}


@pytest.fixture(params=["localbus", "another backend"])
def source(request: pytest.FixtureRequest, localbus: Server) -> Iterator[Source]:
    """A bus with rules and a topic with subscriptions, on localbus as itself and as one without a developer API."""
    events, sns, sqs = (localbus.client(name) for name in ("events", "sns", "sqs"))
    events.create_event_bus(Name="orders")
    for name, pattern in RULES.items():
        events.put_rule(Name=name, EventBusName="orders", EventPattern=json.dumps(pattern))
    topic = sns.create_topic(Name="orders")["TopicArn"]
    for name, policy in POLICIES.items():
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        attributes = {} if policy is None else {"FilterPolicy": json.dumps(policy)}
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    outputs = SimpleNamespace(bus_name="orders", orders_topic_arn=topic)
    target = SimpleNamespace(events=events, sns=sns, outputs=outputs)
    with closing(Localbus(localbus.url)) as found:
        engine = found if request.param == "localbus" else None
        yield cast(Source, SimpleNamespace(target=lambda: target, localbus=lambda: engine))


def _answers(found: dict[str, Any], kind: str) -> dict[str, bool]:
    return {each["name"]: each["matched"] for each in found[kind]}


def test_every_rule_and_policy_answers(source: Source) -> None:
    """An order on the topic, or its EventBridge event, gets the same answers with and without reasons."""
    event = {"source": "orderboard.order-api", "detail-type": json.loads(PLACED)["type"], "detail": json.loads(PLACED)}

    found = explain(source, PLACED)

    assert _answers(found, "rules") == {"completed": False, "large": False, "placed": True}
    assert _answers(found, "policies") == {"all": True, "express": False, "normal": True}
    assert explain(source, json.dumps(event)) == found
    [why] = [each["why"] for each in found["policies"] if each["name"] == "express"]
    assert why == ('priority is "normal"; wanted: "express"' if source.localbus() else "Only localbus gives reasons.")


def test_the_topic_carries_commands_only(source: Source) -> None:
    """An outcome matches rules, but no subscription of the topic."""
    found = explain(source, COMPLETED)

    assert _answers(found, "rules")["completed"]
    assert not any(_answers(found, "policies").values())
    assert "commands only" in found["policies"][0]["why"]


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 20_000], ids=["empty", "truncated", "list", "nested"])
def test_an_invalid_event_is_rejected(source: Source, text: str) -> None:
    """The message says that the event must be a JSON object."""
    with pytest.raises(UsageError, match=r"The event (is not valid JSON|must be a JSON object)"):
        explain(source, text)
