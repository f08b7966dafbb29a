"""Alarms when an exercise puts the system back."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from localbus.clock import FIXED_START
from localbus.pytest_plugin import Localbus
from orderboard.workshop import as_deployed
from orderboard.workshop.board import Board


def test_an_alarm_that_the_end_of_the_last_exercise_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """An alarm that goes off again while dead letters are being removed begins again once they are gone."""
    bus = Localbus(start=FIXED_START).start()
    sqs, cloudwatch = bus.client("sqs"), bus.client("cloudwatch")
    url = sqs.create_queue(QueueName="shop-dlq")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="tea")
    cloudwatch.put_metric_alarm(
        AlarmName="shop-dlq",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "shop-dlq"}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )

    def empty(_board: Board) -> None:
        bus.advance(60)  # letting the orders under way end takes a while
        sqs.purge_queue(QueueUrl=url)

    def nothing(*_: Any) -> None:
        """Leave the rest of the system, which is not there, as it is."""

    for name in ("_remove_own", "_queue_settings", "_subscriptions", "_workers", "_notifier"):
        monkeypatch.setattr(as_deployed, name, nothing)
    monkeypatch.setattr(as_deployed, "_empty", empty)
    target = SimpleNamespace(cloudwatch=cloudwatch)
    board = SimpleNamespace(
        engine=SimpleNamespace(change=nothing), own="own-", state=SimpleNamespace(prefix="shop"), target=target
    )

    as_deployed.put_back(cast(Board, board), {})

    state = cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"]
    bus.stop()
    assert state == "INSUFFICIENT_DATA"
