"""The figures of docs/decisions, computed again from the price lists and from the kept result of compare-workers."""

from pathlib import Path

import pytest
from orderboard.burst.report.cost import USD_PER_MILLION
from orderboard.cloud.prices import HOURS, RATES, VCPU
from orderboard.compute.compare import price
from orderboard.compute.model import Comparison
from orderboard.compute.prices import usd
from orderboard.compute.report import markdown

PAGES = Path(__file__).parents[4] / "docs" / "decisions"
MEASURED = Comparison.model_validate_json((PAGES / "compare-workers.json").read_text())
# https://aws.amazon.com/rds/postgresql/pricing/: db.t4g.medium in one zone, us-east-1; a second zone doubles it.
RDS_AN_HOUR = 0.065


def page(name: str) -> str:
    """The page as one line."""
    return " ".join((PAGES / f"{name}.md").read_text().split())


def test_lambda_or_container_has_the_tables_of_its_measurement() -> None:
    """The kept result, priced with today's rates, gives the tables of the page."""
    costs = price(MEASURED.runs, MEASURED.sizes, usd({}), on_aws=False)
    tables = markdown(MEASURED.model_copy(update={"costs": costs})).split("\n\n- ")[0]

    assert MEASURED.costs == costs
    assert tables in (PAGES / "lambda-or-container.md").read_text()
    assert all(run.valid for run in MEASURED.runs)


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "from 57 to 115 million orders a month"),
        (60.0, "from 25 to 59 million, which is 10 to 23 orders a second"),
    ],
)
def test_the_break_evens_are_those_of_the_model(ms: float | None, text: str) -> None:
    """As measured, and for an invocation that waits for the network."""
    sizes = MEASURED.sizes.model_copy(update={"invocation_ms": ms})
    costs = price(MEASURED.runs, sizes, usd({}), on_aws=False)

    found = sorted(cost.break_even_orders or 0 for cost in costs)

    assert f"from {found[0] / 1e6:.0f} to {found[-1] / 1e6:.0f} million" in text
    assert text in page("lambda-or-container")


def test_fargate_or_ec2_has_the_rates_of_the_price_list() -> None:
    """An instance with its disk, two tasks of each size, and the share at which both cost the same."""
    instance = HOURS * RATES["t3.medium"].usd + 30 * RATES["disk"].usd
    whole = HOURS * (2 * RATES["fargate-vcpu"].usd + 4 * RATES["fargate-gb"].usd)
    found = page("fargate-or-ec2")

    assert f"{instance / HOURS:.4f} USD an hour, {instance:.2f} USD a month" in found
    assert f"**{100 * instance / whole:.0f} %**" in found
    assert f"{3 * 2 * HOURS * RATES['endpoint'].usd:.2f} USD a month" in found
    for vcpu in VCPU.values():
        tasks = 2 * HOURS * (vcpu * RATES["fargate-vcpu"].usd + 2 * vcpu * RATES["fargate-gb"].usd)
        cheaper = f"EC2, by {100 * (1 - instance / tasks):.0f} %" if instance < tasks else "Fargate"
        assert f"| {100 * vcpu:.0f} % | {tasks:.2f} | {instance:.2f} | {cheaper} |" in found


def test_dynamodb_or_relational_breaks_even_where_it_says() -> None:
    """Two write units an order, and two machines."""
    a_million, machines = 2 * USD_PER_MILLION["dynamodb-write"], 2 * RDS_AN_HOUR * HOURS
    found = page("dynamodb-or-relational")

    assert f"{a_million:.2f} USD for a million orders" in found
    assert f"{machines:.2f} USD a month" in found
    assert f"**{machines / a_million:.0f} million orders a month**" in found
    assert f"{machines / a_million * 1e6 / HOURS / 3600:.0f} a second" in found
