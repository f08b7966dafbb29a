"""The worker's scaling policy is the rule of the burst rig: the same data points, bounds and cooldowns."""

import math
import re
from typing import Any

import pytest
from orderboard.burst.faults.target_tracking import ScalingPolicy, TargetTracking, parse_policy
from unit.deploy.stacks import Deployment, load

FOUND = Deployment(load())
POLICY: Any = FOUND.services.properties("WorkerScaling")["TargetTrackingScalingPolicyConfiguration"]
METRICS = {each["Id"]: each for each in POLICY["CustomizedMetricSpecification"]["Metrics"]}


def as_deployed() -> ScalingPolicy:
    """The policy of the template with the defaults of its parameters."""
    capacity = FOUND.services.properties("WorkerCapacity")
    return ScalingPolicy(
        least=int(FOUND.text(capacity["MinCapacity"])),
        most=int(FOUND.text(capacity["MaxCapacity"])),
        backlog_per_worker=float(FOUND.text(POLICY["TargetValue"])),
        scale_out_cooldown_s=float(FOUND.text(POLICY["ScaleOutCooldown"])),
        scale_in_cooldown_s=float(FOUND.text(POLICY["ScaleInCooldown"])),
    )


def data_point(*, work: float | None, express: float | None, running: float | None) -> float | None:
    """The metric math of the template for one period. None: no data.

    FILL: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    expression = METRICS["backlog"]["Expression"]
    assert re.fullmatch(r"[a-zFIL0-9 ,()+/]+", expression)
    names = {"work": work, "express": express, "running": running}
    fill = {"FILL": lambda value, instead: instead if value is None else value}
    try:
        return float(eval(expression, {"__builtins__": {}}, {**names, **fill}))  # noqa: S307 - the template's own
    except (TypeError, ZeroDivisionError):
        return None


def test_the_metrics_are_those_of_both_queues_and_of_the_running_tasks() -> None:
    """Average in a period, of what waits in work and express, and of the worker's running tasks."""
    stats = {name: metric["MetricStat"] for name, metric in METRICS.items() if "MetricStat" in metric}
    watched = {
        name: (stat["Metric"]["MetricName"], FOUND.text(stat["Metric"]["Dimensions"][-1]["Value"]))
        for name, stat in stats.items()
    }

    assert watched == {
        "work": ("ApproximateNumberOfMessagesVisible", "orderboard-work"),
        "express": ("ApproximateNumberOfMessagesVisible", "orderboard-express"),
        "running": ("RunningTaskCount", "${WorkerService.Name}"),
    }
    assert {stat["Stat"] for stat in stats.values()} == {"Average"}
    assert [name for name, metric in METRICS.items() if metric["ReturnData"]] == ["backlog"]


def test_running_tasks_are_counted() -> None:
    """RunningTaskCount exists only with Container Insights."""
    assert FOUND.services.properties("Cluster")["ClusterSettings"] == [
        {"Name": "containerInsights", "Value": "enabled"}
    ]


def test_its_cooldowns_and_alarms_are_the_defaults_of_the_rig() -> None:
    """The rig's policy with nothing but bounds and target is the template's: alarms are AWS's, 3 and 15 minutes."""
    deployed = as_deployed()

    assert deployed == ScalingPolicy(deployed.least, deployed.most, deployed.backlog_per_worker)
    assert (deployed.period_s, deployed.out_periods, deployed.in_periods) == (60, 3, 15)


def test_the_output_is_an_option_of_a_burst() -> None:
    """The stack prints the rule as `burst --workers` takes it."""
    separator, parts = FOUND.documents["services"]["Outputs"]["WorkerScaling"]["Value"]["Fn::Join"]

    assert parse_policy(separator.join(FOUND.text(each) for each in parts)) == as_deployed()


@pytest.mark.parametrize(
    ("work", "express", "running"),
    [(4000, 200, 2), (1500, None, 2), (None, 9000, 3), (10, 0, 2), (None, None, 2), (700, 0, 0)],
)
def test_both_make_the_same_of_a_backlog(work: float | None, express: float | None, running: int) -> None:
    """After as many periods as its alarm takes, the rig wants what target tracking computes from the data point."""
    policy = as_deployed()
    tracking = TargetTracking(policy)
    tracking.desired = running or policy.least
    point = data_point(work=work, express=express, running=running)

    decisions = [
        tracking.observe(60.0 * number, waiting=int((work or 0) + (express or 0)), workers=running)
        for number in range(1, policy.in_periods + 1)
    ]

    decided = [each for each in decisions if each is not None]
    if point is None or point <= policy.backlog_per_worker:
        assert not decided  # at its least, or without a data point
        return
    assert decisions.index(decided[0]) + 1 == policy.out_periods
    assert decided[0].backlog_per_worker == point
    assert decided[0].workers == min(policy.most, math.ceil(running * point / policy.backlog_per_worker))
