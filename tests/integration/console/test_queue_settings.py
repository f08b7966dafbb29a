"""Visibility timeout and maxReceiveCount of the work queues, changed from the console and reset."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from localbus.pytest_plugin import Localbus as Server
from orderboard.console.queue_settings import QueueSettings
from orderboard.console.requests import QueueSettings as Body
from orderboard.console.source import Source
from orderboard.system.workers import Workers
from orderboard_stack.backend import Endpoint

NAMES = ("work", "express")


@pytest.fixture
def settings(localbus: Server) -> QueueSettings:
    """Two work queues as deployed with 30 s and five receives, each with a dead-letter queue, and no workers."""
    sqs = localbus.client("sqs")
    for name in NAMES:
        sqs.create_queue(QueueName=f"{name}-dlq")
        sqs.create_queue(QueueName=name)
    outputs = SimpleNamespace(
        work_queue="work",
        express_queue="express",
        queue_pairs={name: (name, f"{name}-dlq") for name in NAMES},
        work_visibility_timeout_s="30",
        work_max_receive_count="5",
        orders_topic_arn="arn:aws:sns:us-east-1:000000000000:orders",
    )
    target = SimpleNamespace(sqs=sqs, outputs=outputs, endpoint=Endpoint("embedded", localbus.url))
    source = SimpleNamespace(
        target=lambda: target,
        state=lambda: None,
        queue_url=lambda name: sqs.get_queue_url(QueueName=name)["QueueUrl"],
    )
    return QueueSettings(cast(Source, source), cast(Workers, SimpleNamespace(environment={})))


def _attributes(localbus: Server, name: str) -> dict[str, Any]:
    sqs = localbus.client("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    policy = json.loads(found["RedrivePolicy"])
    return {
        "timeout": found["VisibilityTimeout"],
        "receives": policy["maxReceiveCount"],
        "dlq": policy["deadLetterTargetArn"],
    }


def test_both_queues_are_changed_and_reset(localbus: Server, settings: QueueSettings) -> None:
    """A change reaches work and express, the page shows it, and without values both are as deployed again."""
    result = settings.change(Body(visibility_timeout_s=5, max_receive_count=2))
    found, controls = settings.document()

    for name in NAMES:
        dlq = f"arn:aws:sqs:us-east-1:000000000000:{name}-dlq"
        assert _attributes(localbus, name) == {"timeout": "5", "receives": 2, "dlq": dlq}
    assert found == {
        "visibility_timeout_s": 5,
        "max_receive_count": 2,
        "deployed": {"visibility_timeout_s": 30, "max_receive_count": 5},
    }
    assert result.command.count("set-queue-attributes") == 2
    assert controls["queue-settings"].command == result.command

    settings.change(Body())
    assert _attributes(localbus, "work")["timeout"] == "30"
    assert _attributes(localbus, "express")["receives"] == 5


def test_a_queue_without_a_redrive_policy_is_shown(settings: QueueSettings) -> None:
    """Somebody may have removed it: its receives are then unlimited, shown as 0, and the command sets the deployed."""
    found, controls = settings.document()

    assert found is not None
    assert found["max_receive_count"] == 0
    assert '\\"maxReceiveCount\\": 5' in controls["queue-settings"].command
