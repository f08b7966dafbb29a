"""The alarms of the stack's template go off by what happens to its queues, and their messages arrive in the inbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from localbus.clock import FIXED_START
from localbus.pytest_plugin import Localbus
from localbus.upstream.function_counts import FunctionName
from orderboard_stack.deploy import TEMPLATE
from support.cloudformation import StackClient
from template_file import document

_KINDS = ("AWS::SQS::", "AWS::SNS::", "AWS::CloudWatch::Alarm")
_DLQS = ("work-dlq", "express-dlq", "alerts-dlq", "inbox-dlq", "undelivered")


def queues_topics_and_alarms() -> str:
    """Return the template without what needs another engine; its parameter NotifierFunction replaces the function."""
    given = document(TEMPLATE)
    resources = {name: one for name, one in given["Resources"].items() if one["Type"].startswith(_KINDS)}
    parameters = {name: {"Default": "unused", **one} for name, one in given["Parameters"].items()}
    parameters["NotifierFunction"] = {"Type": "String", "Default": "orderboard-notifier"}
    parts = {name: given[name] for name in ("Mappings", "Conditions") if name in given}
    for one in resources.values():  # they restrict themselves to roles and rules that are left out
        if one["Type"].endswith("Policy"):
            statements = one["Properties"]["PolicyDocument"]["Statement"]
            one["Properties"]["PolicyDocument"]["Statement"] = [
                each for each in statements if _is_complete(each, given)
            ]
    kept = {name: one for name, one in resources.items() if _is_complete(one, given) and not _is_empty(one)}
    return json.dumps({"Parameters": parameters, "Resources": kept, **parts})


def _is_empty(resource: dict[str, Any]) -> bool:
    return bool(resource["Properties"].get("PolicyDocument", {}).get("Statement") == [])


def _is_complete(part: Any, given: dict[str, Any]) -> bool:
    text = json.dumps(part)
    gone = [name for name, one in given["Resources"].items() if not one["Type"].startswith(_KINDS)]
    return not any(f'"{name}"' in text or f"${{{name}" in text for name in gone if name != "NotifierFunction")


class Stack:
    """The deployed part of the template."""

    def __init__(self, bus: Localbus) -> None:
        self.bus = bus
        self.sqs, self.cloudwatch = bus.client("sqs"), bus.client("cloudwatch")
        assert StackClient(bus).create(queues_topics_and_alarms()) == "CREATE_COMPLETE"

    def url(self, queue: str) -> str:
        """Return the URL of a queue, without its prefix."""
        return str(self.sqs.get_queue_url(QueueName=f"orderboard-{queue}")["QueueUrl"])

    def send(self, queue: str) -> None:
        """Send a message to a queue."""
        self.sqs.send_message(QueueUrl=self.url(queue), MessageBody="tea")

    def alarms(self, state: str) -> set[str]:
        """Return the alarms in a state, without their prefix."""
        found = self.cloudwatch.describe_alarms(StateValue=state)["MetricAlarms"]
        return {each["AlarmName"].removeprefix("orderboard-") for each in found}

    def inbox(self) -> list[tuple[str, str]]:
        """Take the messages of the inbox: alarm and state."""
        found = []
        while messages := self.sqs.receive_message(QueueUrl=self.url("inbox"), MaxNumberOfMessages=10).get("Messages"):
            for each in messages:
                body = json.loads(each["Body"])
                found.append((body["AlarmName"].removeprefix("orderboard-"), body["NewStateValue"]))
                self.sqs.delete_message(QueueUrl=self.url("inbox"), ReceiptHandle=each["ReceiptHandle"])
        return sorted(found)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack on an engine whose clock stands."""
    bus = Localbus(start=FIXED_START).start()
    yield Stack(bus)
    bus.stop()


def test_a_backlog_without_a_worker(stack: Stack) -> None:
    """An order that nothing receives raises two alarms: after three minutes and by its age; a worker ends both."""
    stack.send("work")
    stack.bus.advance(240)
    first = stack.inbox()
    stack.bus.advance(300)
    second = stack.inbox()
    handle = stack.sqs.receive_message(QueueUrl=stack.url("work"))["Messages"][0]["ReceiptHandle"]
    stack.sqs.delete_message(QueueUrl=stack.url("work"), ReceiptHandle=handle)
    raised = stack.alarms("ALARM")
    stack.bus.advance(60)

    assert (first, second) == ([("no-worker", "ALARM")], [("work-backlog", "ALARM")])
    assert (raised, stack.alarms("ALARM")) == ({"no-worker", "work-backlog"}, set())


def test_dead_letters(stack: Stack) -> None:
    """A message in a dead-letter queue raises its alarm within a minute; it ends when the queue is empty."""
    for queue in _DLQS:
        stack.send(queue)
    stack.bus.advance(60)
    raised = stack.inbox()
    for queue in _DLQS:
        stack.sqs.purge_queue(QueueUrl=stack.url(queue))
    stack.bus.advance(60)

    names = {"undelivered": "undelivered-not-empty"}
    assert raised == sorted((names.get(queue, f"{queue}-not-empty"), "ALARM") for queue in _DLQS)
    assert stack.alarms("ALARM") == set()


def test_a_failing_notifier(stack: Stack) -> None:
    """An error of the notifier raises its alarm, which ends when the error is out of its range."""
    notifier = FunctionName("000000000000", "us-east-1", "orderboard-notifier")
    stack.bus.engine.upstream.functions.begin(notifier).answered(200, failed=True, waited=True)
    stack.bus.advance(60)
    raised = stack.inbox()
    stack.bus.advance(180)

    assert raised == [("notifier-errors", "ALARM")]
    assert stack.alarms("ALARM") == set()
