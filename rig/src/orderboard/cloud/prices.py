"""The cost of the services on AWS: a small dated list of rates, an idle month, and a million orders.

us-east-1, on demand, without free tiers, taxes and transfer to the internet. An idle month has 730 hours, as in AWS's
calculator, and no order; what orders cost beside it is by request, so it is the same on an idle and on a busy day.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orderboard.burst.report.cost import AS_OF, USD_PER_MILLION
from orderboard.burst.targets.estimate import estimate, total_usd
from orderboard.cloud.plan import CloudPlan

__all__ = [
    "AS_OF",
    "HOURS",
    "LAMBDA_POLLERS",
    "POLL_S",
    "RATES",
    "VCPU",
    "Cost",
    "Rate",
    "idle_month",
    "million_orders",
    "stack_month",
    "total",
]

HOURS: Final = 730


@dataclass(frozen=True)
class Rate:
    """A rate: USD for a unit, the page of AWS that has it, and where it was read.

    AWS's pages fill their figures in by a script, so none could be read. `seen` is the newest dated text found with the
    rate: year, month and site; `Price List` is AWS's own price list, as infracost's tests kept it. Empty: none found.
    """

    usd: float
    unit: str
    page: str
    seen: str = ""


_FARGATE, _CLOUDWATCH = "https://aws.amazon.com/fargate/pricing/", "https://aws.amazon.com/cloudwatch/pricing/"
_ALB, _VPC = "https://aws.amazon.com/elasticloadbalancing/pricing/", "https://aws.amazon.com/vpc/pricing/"
_PRIVATELINK, _EC2 = "https://aws.amazon.com/privatelink/pricing/", "https://aws.amazon.com/ec2/pricing/on-demand/"
_JUNE_2026, _ENDPOINTS_2026 = "2026-06 factualminds.com", "2026-06 zacfukuda.com"
_JULY_2024 = "2024-07 Price List"
RATES: Final[Mapping[str, Rate]] = {
    "fargate-vcpu": Rate(0.04048, "vCPU-hour", _FARGATE, _JUNE_2026),
    "fargate-gb": Rate(0.004445, "GB-hour", _FARGATE, _JUNE_2026),
    "fargate-arm-vcpu": Rate(0.03238, "vCPU-hour", _FARGATE, "2026 awsnegotiations.com"),
    "fargate-arm-gb": Rate(0.00356, "GB-hour", _FARGATE),
    "t3.medium": Rate(0.0416, "hour", _EC2, _JULY_2024),
    "t4g.medium": Rate(0.0336, "hour", _EC2),
    "disk": Rate(0.08, "GB-month", "https://aws.amazon.com/ebs/pricing/", _JULY_2024),
    "load-balancer": Rate(0.0225, "hour", _ALB, "2026-05 awsnegotiations.com"),
    "load-balancer-unit": Rate(0.008, "LCU-hour", _ALB, "2026-05 awsnegotiations.com"),
    "public-address": Rate(0.005, "hour", _VPC, "2026-02 cloudburn.io"),
    "nat": Rate(0.045, "hour", _VPC, _ENDPOINTS_2026),
    "nat-data": Rate(0.045, "GB", _VPC, _ENDPOINTS_2026),
    "endpoint": Rate(0.01, "hour and zone", _PRIVATELINK, _ENDPOINTS_2026),
    "endpoint-data": Rate(0.01, "GB", _PRIVATELINK, _ENDPOINTS_2026),
    "secret": Rate(0.40, "month", "https://aws.amazon.com/secrets-manager/pricing/", _JULY_2024),
    "image": Rate(0.10, "GB-month", "https://aws.amazon.com/ecr/pricing/", _JUNE_2026),
    "alarm": Rate(0.10, "metric of an alarm and month", _CLOUDWATCH, _JULY_2024),
    "dashboard": Rate(3.00, "month", _CLOUDWATCH, _JUNE_2026),
    "metric": Rate(0.30, "month", _CLOUDWATCH, "2026-02 signoz.io"),
    "log": Rate(0.50, "GB", _CLOUDWATCH, _JUNE_2026),
    "poll": Rate(USD_PER_MILLION["sqs"] / 1_000_000, "request", "https://aws.amazon.com/sqs/pricing/", _JUNE_2026),
}

VCPU: Final[Mapping[str, float]] = {"small": 0.25, "medium": 0.5, "large": 1.0}  # a task has twice as many GB
_TASKS_ON_AN_INSTANCE: Final = 2
_DISK_GB: Final = 30
_IMAGES_GB: Final = 0.3  # both, compressed, as `docker push` sends them
# Of Container Insights, for a cluster, two services and their two kinds of tasks.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
_INSIGHTS_METRICS: Final = 60
POLL_S: Final = 20.0  # of the long polls of a task, as deploy/services.yaml sets them, and of Lambda
LAMBDA_POLLERS: Final = (
    5  # of a queue, at least. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
)
# Of a million orders: about 2 KB an order through the load balancer, 10 KB through endpoints, 1 KB of log lines.
_BALANCER_GB, _ENDPOINT_GB, _LOG_GB = 2.0, 10.0, 1.0


@dataclass(frozen=True)
class Cost:
    """A line of an estimate. usd is None for an instance type that is not in the list."""

    name: str
    usd: float | None


def idle_month(plan: CloudPlan, *, alarms: int, dashboards: int) -> tuple[Cost, ...]:
    """Return what a month without orders costs, the largest part first. alarms: their metrics, as AWS counts them."""
    zones = plan.zones
    mapped = 3 if plan.worker == "lambda" else 1  # queues that Lambda polls
    lines = [
        Cost("load balancer", HOURS * (_usd("load-balancer") + zones * _usd("public-address"))),
        _network(plan, zones),
        Cost("Container Insights, alarms, dashboards", _watching(alarms, dashboards)),
        Cost(
            "polls of empty queues",
            HOURS * 3600 / POLL_S * (2 * plan.workers + mapped * LAMBDA_POLLERS) * _usd("poll"),
        ),
        Cost("secret and images", _usd("secret") + _IMAGES_GB * _usd("image")),
        _tasks(plan),
    ]
    return tuple(sorted(lines, key=lambda line: -(line.usd or math.inf)))


def million_orders(plan: CloudPlan) -> tuple[Cost, ...]:
    """Return at most what a million orders cost beside the idle month, by request: each alone in every batch."""
    data = _ENDPOINT_GB * _usd("nat-data" if plan.egress == "nat" else "endpoint-data")
    return (
        Cost("requests and events", total_usd(estimate(1_000_000, None))),
        Cost("logs", _LOG_GB * _usd("log")),
        Cost("load balancer and network", _BALANCER_GB * _usd("load-balancer-unit") + data),
    )


def stack_month(*, alarms: int, dashboards: int) -> float:
    """Return what a month of template.yaml alone costs: alarms, dashboards, and the polls of the notifier's queue."""
    polls = HOURS * 3600 / POLL_S * LAMBDA_POLLERS * _usd("poll")
    return alarms * _usd("alarm") + dashboards * _usd("dashboard") + polls


def total(lines: Sequence[Cost]) -> float:
    """Return the sum of what is known."""
    return sum(line.usd or 0.0 for line in lines)


def _usd(name: str) -> float:
    return RATES[name].usd


def _tasks(plan: CloudPlan) -> Cost:
    count = plan.api_tasks + plan.workers
    if plan.capacity == "ec2":
        instances = max(2, math.ceil(count / _TASKS_ON_AN_INSTANCE))
        rate = RATES.get(plan.instance_type)
        usd = None if rate is None else instances * (HOURS * rate.usd + _DISK_GB * _usd("disk"))
        return Cost(f"{instances} instances {plan.instance_type} for {count} tasks", usd)
    arm = "arm-" if plan.architecture == "arm64" else ""
    vcpu = VCPU[plan.task_size]
    usd = count * HOURS * (vcpu * _usd(f"fargate-{arm}vcpu") + 2 * vcpu * _usd(f"fargate-{arm}gb"))
    return Cost(f"{count} tasks on Fargate, {vcpu:g} vCPU and {2 * vcpu:g} GB each", usd)


def _network(plan: CloudPlan, zones: int) -> Cost:
    if plan.vpc_id is not None:
        return Cost("network: as in your VPC", 0.0)
    if plan.egress == "nat":
        return Cost(f"{zones} NAT gateways", zones * HOURS * (_usd("nat") + _usd("public-address")))
    count = 10 if plan.capacity == "ec2" else 7
    return Cost(f"{count} VPC endpoints in {zones} zones", count * zones * HOURS * _usd("endpoint"))


def _watching(alarms: int, dashboards: int) -> float:
    return _INSIGHTS_METRICS * _usd("metric") + alarms * _usd("alarm") + dashboards * _usd("dashboard")
