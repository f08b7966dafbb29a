"""The cost of a worker on AWS: rates as AWS's pages have them, and the volume at which the cheaper one changes."""

from pathlib import Path

import pytest
from orderboard.cloud.prices import POLL_S
from orderboard.compute.cost import (
    Work,
    break_even,
    invocation_ms,
    lambda_usd,
    load_cost,
    orders_per_task_s,
    tasks_usd,
)
from orderboard.compute.model import Invocations, Run, Sizes
from orderboard.compute.prices import RATES, parse_rate, usd
from orderboard.system.state import WorkerCompute

SIZES = Sizes(memory_mb=1024, task_vcpu=0.25, task_gb=0.5, least_tasks=2, utilisation=0.6)
# A task costs 730 USD a month, and an invocation 10 USD.
SIMPLE = {
    "lambda-gb-second": 0.0,
    "lambda-requests": 10_000_000.0,
    "fargate-vcpu": 1.0,
    "fargate-gb": 0.0,
    "sqs-requests": 0.0,
}
ONE_TASK = Sizes(memory_mb=512, task_vcpu=1, task_gb=2, least_tasks=1, utilisation=1)
A_MONTH_S = 730 * 3600


def run(worker: WorkerCompute, *, orders: int = 1000, rate: float = 50, found: Invocations | None = None) -> Run:
    """A run whose process takes 5 ms for an order."""
    return Run(
        load="steady",
        worker=worker,
        orders=orders,
        offered_per_s=rate,
        finished_per_s=rate,
        accept_p50_ms=1,
        accept_p99_ms=2,
        end_to_end_p50_ms=3,
        end_to_end_p99_ms=4,
        valid=True,
        verdict="Valid",
        processor_ms=5.0 if worker == "container" else None,
        invocations=found,
        folder="",
    )


def invocations(**changes: float) -> Invocations:
    """A hundred warm invocations of 20 ms, of which 10 ms are processor time, and two cold ones of a second."""
    usual = {"count": 102, "cold": 2, "warm_billed_ms": 2000, "cold_billed_ms": 2000, "warm_processor_ms": 1000}
    return Invocations.model_validate({**usual, "most_memory_mb": 90, **changes})


def test_a_function_costs_its_gigabyte_seconds_its_requests_and_lambdas_polls() -> None:
    """A million orders, one an invocation of 100 ms at 1 GB: 100,000 GB-seconds are 1.67 USD, the requests 0.20 USD.

    The polls of an hour: two queues, five polls at a time (services-sqs-scaling), each of 20 s: 1,800.
    """
    assert lambda_usd(1_000_000, 0, Work(100, 1), SIZES, usd({})) == pytest.approx(1.66667 + 0.20)
    assert lambda_usd(1_000_000, 0, Work(100, 10), SIZES, usd({})) == pytest.approx(0.166667 + 0.02)
    assert lambda_usd(0, 1, Work(100, 1), SIZES, usd({})) == pytest.approx(1800 * 0.4e-6)


def test_tasks_cost_their_hours_and_their_polls() -> None:
    """Two tasks of a quarter vCPU and half a GB for an hour; each polls both queues, 20 s at a time."""
    a_task = 0.25 * 0.04048 + 0.5 * 0.004445

    assert tasks_usd(2, 1, SIZES, usd({})) == pytest.approx(2 * a_task + 2 * 2 * 180 * 0.4e-6)


def test_a_task_polls_as_it_is_deployed() -> None:
    """The template of the services sets the wait that the cost model takes."""
    services = (Path(__file__).parents[4] / "deploy" / "services.yaml").read_text()

    assert f'{{Name: ORDERBOARD_RECEIVE_WAIT_S, Value: "{POLL_S:.0f}"}}' in services


def test_a_task_works_off_what_its_processor_allows() -> None:
    """A quarter of a processor, used to 60 %, at 5 ms an order: 30 orders a second."""
    assert orders_per_task_s(5, SIZES) == pytest.approx(30)


def test_offline_an_invocation_takes_at_least_its_processor_time_by_its_share() -> None:
    """At 512 MB a function has 512/1769 of a vCPU: 10 ms of processor time take 34.6 ms, although 20 were measured.

    On AWS, and at a whole processor, the measured time stands. Cold starts are no part of it.
    """
    function = run("lambda", found=invocations())
    small = SIZES.model_copy(update={"memory_mb": 512})
    large = SIZES.model_copy(update={"memory_mb": 3008})

    assert invocation_ms(function, small, on_aws=False) == pytest.approx(10 / (512 / 1769))
    assert invocation_ms(function, small, on_aws=True) == 20
    assert invocation_ms(function, large, on_aws=False) == 20
    assert invocation_ms(run("lambda", found=invocations(count=0, cold=0)), small, on_aws=False) == 0
    assert invocation_ms(function, small.model_copy(update={"invocation_ms": 60}), on_aws=True) == 60, "as given"


def test_where_every_invocation_was_cold_they_are_all_there_is() -> None:
    """A load of two orders has no warm invocation; the cold ones are taken, which is the upper limit."""
    assert invocation_ms(run("lambda", found=invocations(count=2, warm_billed_ms=0)), SIZES, on_aws=True) == 1000


def test_a_load_needs_tasks_for_its_rate_but_never_fewer_than_the_least() -> None:
    """100 orders a second at 30 for each task are four tasks, for the 2.8 hours in which a million orders come."""
    function = run("lambda", rate=100, found=invocations())

    cost = load_cost(run("container", rate=100), function, 5.0, SIZES, usd({}), on_aws=True)
    idle = load_cost(run("container", rate=0.5), function, 5.0, SIZES, usd({}), on_aws=True)

    assert (cost.tasks, idle.tasks) == (4, 2)
    assert (cost.hours, idle.hours) == (2.8, 555.6)
    assert cost.orders_per_invocation == pytest.approx(1000 / 102, abs=0.01)
    assert cost.container_usd == pytest.approx(tasks_usd(4, 1e6 / 100 / 3600, SIZES, usd({})), abs=1e-4)
    assert idle.container_usd > 10 * idle.lambda_usd


@pytest.mark.parametrize(
    ("a_month", "least_tasks", "orders"),
    [
        (100, 1, 73),  # 730 USD for a task, 10 USD an order
        (100, 2, 146),
        (73, 1, 73),
        (72, 1, None),  # a task is full before it pays: so is every further one
        (1e12, 1, 73),
    ],
)
def test_the_break_even_is_where_the_month_costs_the_same(a_month: float, least_tasks: int, orders: int | None) -> None:
    """Tasks cost the same whatever they do, up to what they can do; a function costs by the order."""
    sizes = ONE_TASK.model_copy(update={"least_tasks": least_tasks})

    assert break_even(Work(1, 1), a_month / A_MONTH_S, sizes, SIMPLE) == orders


def test_a_function_without_a_price_never_breaks_even_and_free_tasks_always_do() -> None:
    """Rates of 0 are rates: nothing is divided by them."""
    free = dict.fromkeys(SIMPLE, 0.0)

    assert break_even(Work(1, 1), 1, ONE_TASK, {**free, "fargate-vcpu": 1.0}) is None
    assert break_even(Work(1, 1), 1, ONE_TASK, {**free, "lambda-requests": 1.0}) == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fargate=1", "unknown rate 'fargate'; expected one of lambda-gb-second"),
        ("fargate-gb=cheap", "expected a number"),
        ("fargate-gb=-1", "expected 0 to 1,000,000 USD for a GB-hour"),
        ("fargate-gb", "expected a number"),
    ],
)
def test_a_rate_that_cannot_be_is_refused(text: str, reason: str) -> None:
    """The error has the name or the unit."""
    with pytest.raises(ValueError, match=reason):
        parse_rate(text)


def test_rates_have_their_page_and_can_be_given() -> None:
    """Each is from a page of AWS; a given one takes its place."""
    assert all(rate.page.startswith("https://aws.amazon.com/") for rate in RATES.values())
    assert usd(dict([parse_rate("fargate-gb=0.5")]))["fargate-gb"] == 0.5
