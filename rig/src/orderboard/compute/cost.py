"""The cost of a worker on AWS, as tasks on Fargate and as a function, from measured work for an order. Pure.

Tasks are paid by the hour whether they work or not, a function by its invocations. Both poll, which is charged too:
a worker with one poll a queue at a time, Lambda with five.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from orderboard.cloud.prices import HOURS, LAMBDA_POLLERS, POLL_S
from orderboard.compute.model import MS, LoadCost, Run, Sizes

MILLION: Final = 1_000_000
# A function has a processor in proportion to its memory. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MB_OF_A_VCPU: Final = 1769
QUEUES: Final = 2
_MOST_ORDERS: Final = 1_000_000_000
_SECONDS_H: Final = 3600.0


def invocation_ms(run: Run, sizes: Sizes, *, on_aws: bool) -> float:
    """Return the billed time of one invocation, to be taken for the cost.

    On AWS it is as measured. A process here has a whole processor and a function on AWS a share, so it takes at least
    its processor time divided by that share.
    """
    found = run.invocations
    if sizes.invocation_ms is not None:
        return sizes.invocation_ms
    if found is None or not found.count:
        return 0.0
    if on_aws:
        return found.warm_ms
    share = min(1.0, sizes.memory_mb / MB_OF_A_VCPU)
    return max(found.warm_ms, found.processor_ms / share)


@dataclass(frozen=True)
class Work:
    """The work of a function: the billed time of an invocation, and the orders in one."""

    ms: float
    orders: float


def lambda_usd(orders: float, hours: float, work: Work, sizes: Sizes, usd: Mapping[str, float]) -> float:
    """Return the price of the function for so many orders within these hours."""
    invocations = orders / work.orders
    compute = invocations * work.ms / MS * sizes.memory_mb / 1024 * usd["lambda-gb-second"]
    requests = invocations * usd["lambda-requests"] / MILLION
    polls = QUEUES * LAMBDA_POLLERS * hours * _SECONDS_H / POLL_S
    return compute + requests + polls * usd["sqs-requests"] / MILLION


def tasks_usd(tasks: int, hours: float, sizes: Sizes, usd: Mapping[str, float]) -> float:
    """Return the price of so many tasks for these hours."""
    hourly = sizes.task_vcpu * usd["fargate-vcpu"] + sizes.task_gb * usd["fargate-gb"]
    polls = tasks * QUEUES * hours * _SECONDS_H / POLL_S
    return tasks * hours * hourly + polls * usd["sqs-requests"] / MILLION


def orders_per_task_s(processor_ms: float, sizes: Sizes) -> float:
    """Return the rate that one task can work off within its utilisation."""
    return sizes.task_vcpu * sizes.utilisation * MS / max(processor_ms, 0.001)


def load_cost(
    container: Run, function: Run, processor_ms: float, sizes: Sizes, usd: Mapping[str, float], *, on_aws: bool
) -> LoadCost:
    """Compare the two at the rate of this load. processor_ms: of a worker process for an order under load."""
    rate, capacity = container.offered_per_s, orders_per_task_s(processor_ms, sizes)
    hours = MILLION / rate / _SECONDS_H
    tasks = max(sizes.least_tasks, math.ceil(rate / capacity))
    count = function.invocations.count if function.invocations else 0
    work = Work(invocation_ms(function, sizes, on_aws=on_aws), function.orders / count if count else 1.0)
    return LoadCost(
        load=container.load,
        hours=round(hours, 1),
        tasks=tasks,
        container_usd=round(tasks_usd(tasks, hours, sizes, usd), 4),
        lambda_usd=round(lambda_usd(MILLION, hours, work, sizes, usd), 4),
        invocation_ms=round(work.ms, 1),
        orders_per_invocation=round(work.orders, 2),
        break_even_orders=break_even(work, capacity, sizes, usd),
    )


def break_even(work: Work, capacity_per_s: float, sizes: Sizes, usd: Mapping[str, float]) -> int | None:
    """Return the orders a month from which tasks are cheaper than the function; None if not below a billion.

    Orders come evenly, and as many tasks run all month as their rate needs. If the least number of tasks is full before
    it pays, each further task is so, too: it costs the same and does the same.
    """
    fixed, an_order = lambda_usd(0, HOURS, work, sizes, usd), lambda_usd(1, 0, work, sizes, usd)
    dearer = max(0.0, tasks_usd(sizes.least_tasks, HOURS, sizes, usd) - fixed)
    if dearer and not an_order:
        return None
    orders = math.ceil(dearer / an_order) if dearer else 0
    most = min(_MOST_ORDERS, sizes.least_tasks * capacity_per_s * HOURS * _SECONDS_H)
    return orders if orders <= most else None
