"""The cost of a deployment follows from its parameters and a dated list of rates."""

import re
from pathlib import Path
from types import MappingProxyType

import pytest
from orderboard.cloud.plan import CloudPlan
from orderboard.cloud.presentation import estimate, question
from orderboard.cloud.prices import RATES, Rate, idle_month, million_orders, total
from orderboard_stack.aws import Account
from orderboard_stack.backend import Endpoint
from template_file import document

ROOT = Path(__file__).parents[4]
DOCS = (ROOT / "docs" / "deploy.md").read_text()


def plan(**given: str) -> CloudPlan:
    """A plan with these parameters."""
    return CloudPlan(ROOT / "deploy", http=True, given=MappingProxyType(given))


def lines(found: CloudPlan) -> dict[str, float | None]:
    """The lines of an idle month with ten alarms and two dashboards."""
    return {line.name: line.usd for line in idle_month(found, alarms=10, dashboards=2)}


def test_an_idle_month_by_hand() -> None:
    """730 hours: four tasks of 0.5 vCPU and 1 GB, 7 endpoints in 2 zones, a load balancer with 2 addresses."""
    month = lines(plan())

    assert month["4 tasks on Fargate, 0.5 vCPU and 1 GB each"] == pytest.approx(4 * 730 * (0.02024 + 0.004445))
    assert month["7 VPC endpoints in 2 zones"] == pytest.approx(102.2)
    assert month["load balancer"] == pytest.approx(730 * 0.0325)
    assert month["Container Insights, alarms, dashboards"] == pytest.approx(60 * 0.30 + 1.0 + 6.0)


def test_the_estimate_counts_what_the_templates_make() -> None:
    """The endpoints of the estimate are those of network.yaml, with instances three more."""
    kinds = [
        each["Type"] + str(each["Properties"]) for each in document(ROOT / "deploy/network.yaml")["Resources"].values()
    ]
    interfaces = sum("VPCEndpoint" in kind and "'Interface'" in kind for kind in kinds)

    assert interfaces == 10
    assert lines(plan(Capacity="ec2"))["10 VPC endpoints in 2 zones"] == pytest.approx(146.0)
    assert "7 VPC endpoints in 3 zones" in lines(plan(ZoneCount="3"))


@pytest.mark.parametrize(
    ("given", "name", "usd"),
    [
        ({"Egress": "nat"}, "2 NAT gateways", 73.0),
        ({"TaskSize": "small"}, "4 tasks on Fargate, 0.25 vCPU and 0.5 GB each", 36.04),
        ({"ApiMinTasks": "3"}, "5 tasks on Fargate, 0.5 vCPU and 1 GB each", 90.10),
        ({"Capacity": "ec2"}, "2 instances t3.medium for 4 tasks", 65.54),
        (
            {"VpcId": "vpc-1", "PublicSubnetIds": "subnet-1,subnet-2", "PrivateSubnetIds": "subnet-3,subnet-4"},
            "network: as in your VPC",
            0.0,
        ),
    ],
)
def test_parameters_change_the_estimate(given: dict[str, str], name: str, usd: float) -> None:
    """Each choice has its price."""
    assert lines(plan(**given))[name] == pytest.approx(usd, abs=0.01)


def test_an_unknown_instance_has_no_price() -> None:
    """A type that is not in the list is named, not guessed."""
    assert lines(plan(Capacity="ec2", InstanceType="m7i.large"))["2 instances m7i.large for 4 tasks"] is None


def test_arm_costs_less() -> None:
    """The rates of Graviton count for images of arm64."""
    arm = CloudPlan(ROOT / "deploy", http=True, architecture="arm64")

    assert total(idle_month(arm, alarms=0, dashboards=0)) < total(idle_month(plan(), alarms=0, dashboards=0))


def test_a_worker_as_a_function_has_no_tasks() -> None:
    """Only order-api's tasks count."""
    found = CloudPlan(ROOT / "deploy", http=True, worker="lambda")

    assert "2 tasks on Fargate, 0.5 vCPU and 1 GB each" in lines(found)


def test_the_question_names_account_region_and_cost() -> None:
    """All that a user has to agree to, with the date of the prices, and a word about HTTP."""
    account = Account("123456789012", "arn:aws:iam::123456789012:user/ada", Endpoint("aws", None, "eu-central-1"))
    found = plan()
    month, orders = estimate(found)

    text = question(account, found)

    assert "orderboard, orderboard-network, orderboard-images, orderboard-services" in text
    assert "123456789012 in eu-central-1, as arn:aws:iam::123456789012:user/ada" in text
    assert f"about {total(month):,.0f} USD a month" in text
    assert f"at most {total(orders):.2f} USD for a million orders" in text
    assert "2026-06" in text
    assert "eu-central-1 may cost more" in text
    assert "can read the token" in text
    assert total(million_orders(found)) == total(orders)


def test_every_rate_has_a_page_and_is_in_the_docs() -> None:
    """A price without its source is a guess; docs/deploy.md has each rate with its page and where it was read."""
    rows = re.findall(
        r"^\| ([\w.-]+) \| ([0-9.]+)( a million)? \| ([^|]+) \| \[[^]]+\]\(([^)]+)\) \| ([^|]+) \|$", DOCS, re.MULTILINE
    )
    documented = {
        name: Rate(float(usd) / (1_000_000 if million else 1), unit, page, "" if seen == "none" else seen)
        for name, usd, million, unit, page, seen in rows
    }

    assert documented == RATES
    assert all(rate.page.startswith("https://aws.amazon.com/") and rate.usd > 0 for rate in RATES.values())


def test_an_alarm_costs_as_many_metrics_as_it_reads() -> None:
    """template.yaml: eleven alarms of one metric, one of three. services.yaml: five of one, one of two, two policies.

    https://aws.amazon.com/cloudwatch/pricing/ charges by the metric in an alarm; a policy makes two alarms, here
    on one metric and on three.
    """
    month, _orders = estimate(plan())
    [watching] = [line.usd for line in month if line.name.startswith("Container Insights")]

    main, services, dashboards = 14, 5 + 2 + 2 + 2 * 3, 2
    assert watching == pytest.approx(60 * 0.30 + (main + services) * 0.10 + dashboards * 3.0)


@pytest.mark.parametrize(
    ("given", "row"),
    [
        ({}, "as it comes"),
        ({"Egress": "nat"}, "`Egress=nat`"),
        ({"TaskSize": "small", "Egress": "nat"}, "`TaskSize=small` `Egress=nat`"),
        ({"ZoneCount": "3"}, "`ZoneCount=3`"),
        ({"Capacity": "ec2", "Egress": "nat"}, "`Capacity=ec2` `Egress=nat`"),
    ],
)
def test_the_costs_in_the_docs_are_the_estimates(given: dict[str, str], row: str) -> None:
    """The page has what `up` prints before it asks."""
    [documented] = re.findall(rf"^\| {re.escape(row)}[^|]*\| (\d+) \|$", DOCS, re.MULTILINE)

    month, orders = estimate(plan(**given))

    assert abs(int(documented) - total(month)) < 2  # an alarm more need not change the page
    assert total(orders) < 12.5
