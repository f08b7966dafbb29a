"""The cost of a deployment before it, and its addresses after it, for people."""

from typing import Final

from orderboard_stack.aws import Account
from orderboard_stack.backend import DEFAULT_REGION

from orderboard.cloud.deployment import STACKS, Deployed
from orderboard.cloud.plan import CloudPlan
from orderboard.cloud.prices import AS_OF, RATES, Cost, idle_month, million_orders, stack_month, total
from orderboard.system.command_line import aws

# Resources that are or make alarms: target tracking makes two, above and below its target.
_ALARMS: Final = {"AWS::CloudWatch::Alarm": 1, "AWS::ApplicationAutoScaling::ScalingPolicy": 2}
_DASHBOARD: Final = "Type: AWS::CloudWatch::Dashboard"


def whose(account: Account) -> str:
    """Name the account, the region and the identity."""
    return f"AWS account {account.account_id} in {account.endpoint.region}, as {account.arn}"


def question(account: Account, plan: CloudPlan) -> str:
    """Return what is to be deployed, where, and what it costs, for the user to agree to."""
    month, orders = estimate(plan)
    unknown = ", ".join(line.name for line in month if line.usd is None)
    lines = [
        f"This deploys {', '.join(plan.name_of(name) for name in stacks(plan))} to {whose(account)}.",
        f"It costs about {total(month):,.0f} USD a month without an order{f', and {unknown}' if unknown else ''}:",
        *(f"  {_usd(line):>8}  {line.name}" for line in month),
        f"and at most {total(orders):.2f} USD for a million orders:",
        *(f"  {_usd(line):>8}  {line.name}" for line in orders),
        f"Prices of {AS_OF}, us-east-1, without free tiers and taxes ({len(RATES)} rates, docs/deploy.md).",
    ]
    if account.endpoint.region != DEFAULT_REGION:
        lines.append(f"{account.endpoint.region} may cost more.")
    if plan.http:
        lines.append("Over HTTP others on the way can read the token and the orders.")
    return "\n".join(lines)


def estimate(plan: CloudPlan) -> tuple[tuple[Cost, ...], tuple[Cost, ...]]:
    """Return the lines of an idle month, and of a million orders."""
    texts = [plan.template(name).read_text() for name in stacks(plan)]
    dashboards = sum(text.count(_DASHBOARD) for text in texts)
    return idle_month(plan, alarms=sum(map(_alarm_metrics, texts)), dashboards=dashboards), million_orders(plan)


def cost_of_main(plan: CloudPlan) -> str:
    """Return what template.yaml alone costs, in a sentence."""
    text = plan.template("main").read_text()
    usd = stack_month(alarms=_alarm_metrics(text), dashboards=text.count(_DASHBOARD))
    return f"about {usd:.2f} USD a month without an order, at the prices of {AS_OF}"


def stacks(plan: CloudPlan) -> tuple[str, ...]:
    """The stacks of the plan."""
    return tuple(name for name in STACKS if name != "network" or plan.vpc_id is None)


def result(account: Account, plan: CloudPlan, deployed: Deployed) -> str:
    """Return the addresses, and what to do with them."""
    outputs = deployed.outputs
    secret = ("secretsmanager", "get-secret-value", "--query", "SecretString", "--output", "text")
    token = aws(account.endpoint, *secret, "--secret-id", outputs["ApiTokenSecretArn"])
    lines = [
        f" order-api      {deployed.api_url}",
        f" account        {account.account_id} in {account.endpoint.region}",
        f" stacks         {', '.join(plan.name_of(name) for name in stacks(plan))}",
        f" logs           {', '.join(outputs[key] for key in ('OrderApiLogs', 'WorkerLogs') if key in outputs)}",
        "",
    ]
    if not deployed.reachable:
        lines += [
            f" order-api does not answer from here yet. It lets {plan.value('services', 'AllowedCidr')}; its name "
            f"must lead to {outputs['LoadBalancerName']}.",
            "",
        ]
    rule = outputs.get("WorkerScaling")
    lines += [
        " Take its token, then place an order",
        f'   export ORDERBOARD_API_TOKEN="$({token})"',
        f"   orderboard place --api-url {deployed.api_url} < orders.jsonl",
        *([" Try its scaling rule here", f"   orderboard burst --orders 20000 --workers {rule}"] if rule else []),
        " Remove all of it, with its orders",
        "   orderboard down --backend aws",
    ]
    return "\n".join(lines)


def document(account: Account, plan: CloudPlan, deployed: Deployed) -> dict[str, object]:
    """Return all of it for scripts."""
    month, orders = estimate(plan)
    return {
        "api_url": deployed.api_url,
        "reachable": deployed.reachable,
        "backend": "aws",
        "services": "fargate",
        "account": account.account_id,
        "region": account.endpoint.region,
        "stacks": [plan.name_of(name) for name in stacks(plan)],
        "outputs": dict(deployed.outputs),
        "usd_idle_month": round(total(month), 2),
        "usd_million_orders": round(total(orders), 2),
        "prices_as_of": AS_OF,
        "environment": account.endpoint.environment() | deployed.stack.environment(),
    }


def _usd(line: Cost) -> str:
    return "?" if line.usd is None else f"{line.usd:,.2f}"


def _alarm_metrics(template: str) -> int:
    """Return the metrics of a template's alarms: an alarm on an expression is charged for each metric in it."""
    found = 0
    for resource in template.split("    Type: AWS::")[1:]:
        alarms = _ALARMS.get(f"AWS::{resource.split(maxsplit=1)[0]}", 0)
        found += alarms * max(1, resource.count("MetricStat:"))
    return found
