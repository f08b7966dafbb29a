"""The policies of the template are asked: each role, each AWS service, another account, and a call without TLS."""

from functools import cache
from itertools import product
from pathlib import Path

import botocore.session
import pytest
from orderboard_stack.deploy import TEMPLATE
from template_file import document
from unit.stack.policy_simulator import ACCOUNT, REGION, STRANGER, Decision, Simulator
from unit.stack.template_model import Template

PAGE = Path(__file__).parents[3] / "docs" / "security.md"
ROLES = {
    "order-api": "OrderApiRole",
    "worker": "WorkerRole",
    "worker as a Lambda": "WorkerFunctionRole",
    "notifier": "NotifierRole",
}
# Actions that are no operation of the API.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
NAMED_OTHERWISE = {"dynamodb": [f"PartiQL{each}" for each in ("Insert", "Select", "Update", "Delete")]}


@cache
def simulator() -> Simulator:
    """The template with everything that can be switched on."""
    given = {"NotifierCodeBucket": "code", "NotifierCodeKey": "notifier.zip"}
    given |= {"WorkerCompute": "lambda", "WorkerCodeKey": "worker.zip"}
    return Simulator(TEMPLATE.read_text(), given)


@cache
def actions(service: str) -> list[str]:
    """Every action of a service, by the operations of its API."""
    operations = botocore.session.get_session().get_service_model(service).operation_names
    return [f"{service}:{each}" for each in [*operations, *NAMED_OTHERWISE.get(service, [])]]


def resources() -> dict[str, str]:
    """Every resource that a policy can name, by its ARN; the index of the orders, too."""
    found = {simulator().arn(name): name for name in simulator().types if simulator().arn(name).startswith("arn:")}
    index = f"{simulator().arn('OrdersTable')}/index/by-customer"
    return found | {index: "OrdersTable/index/by-customer"}


def questions() -> list[tuple[str, str]]:
    """Every action on every resource of its service."""
    found = []
    for arn in resources():
        service = arn.split(":")[2]
        found += [(action, arn) for action in (actions(service) if service != "iam" else ["sts:AssumeRole"])]
    return found


def on_the_page(service: str) -> set[tuple[str, str]]:
    """The actions of a service, each with its resource, in the table of docs/security.md."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.read_text().splitlines()]
    return {
        (action, resource)
        for who, may, on in (row for row in rows if len(row) == 3)
        for action, resource in product(may.split(", "), on.split(", "))
        if who == service
    }


@pytest.mark.parametrize("service", ROLES)
def test_a_service_may_do_what_the_page_says_and_nothing_else(service: str) -> None:
    """Of all actions of SQS, SNS, EventBridge, DynamoDB, Lambda, CloudWatch and Logs on all resources."""
    asked = simulator()

    allowed = {(action, arn) for action, arn in questions() if asked.role(ROLES[service], action, arn) == "allowed"}

    assert {(action, resources()[arn]) for action, arn in allowed} == on_the_page(service)


def test_topics_and_rules_send_to_their_queues_and_to_no_other() -> None:
    """Every topic and rule, and every queue: those of the flow and their dead letters are allowed, the rest is not."""
    asked = simulator()
    edges = {(each.source, each.principal, each.queue) for each in Template(document(TEMPLATE)).edges()}
    senders = {(source, principal) for source, principal, _ in edges}
    queues = [name for name, kind in asked.types.items() if kind == "AWS::SQS::Queue"]

    allowed = {
        (source, principal, queue)
        for (source, principal), queue in product(senders, queues)
        if asked.service(principal, "sqs:SendMessage", asked.arn(queue), asked.arn(source)) == "allowed"
    }

    assert allowed == edges
    assert len(edges) > 10


def test_a_service_does_nothing_for_a_stranger() -> None:
    """The same topic, rule, alarm or task of another account gets nowhere (the confused deputy)."""
    asked = simulator()
    sources = {
        "sns.amazonaws.com": f"arn:aws:sns:{REGION}:{STRANGER}:orderboard-orders",
        "events.amazonaws.com": f"arn:aws:events:{REGION}:{STRANGER}:rule/orderboard/orderboard-rejection",
        "cloudwatch.amazonaws.com": f"arn:aws:cloudwatch:{REGION}:{STRANGER}:alarm:orderboard-work-backlog",
        "ecs-tasks.amazonaws.com": f"arn:aws:ecs:{REGION}:{STRANGER}:*",
    }

    found = {
        (service, action, arn): asked.service(service, action, arn, source)
        for service, source in sources.items()
        for action, arn in questions()
    }

    assert {key for key, decision in found.items() if decision == "allowed"} == set()


def test_alarms_of_the_account_reach_the_alerts_topic_alone() -> None:
    """CloudWatch publishes alerts, and no orders."""
    asked = simulator()
    alarm = asked.arn("WorkBacklogAlarm")

    def publishes(topic: str) -> Decision:
        return asked.service("cloudwatch.amazonaws.com", "sns:Publish", asked.arn(topic), alarm)

    assert (publishes("AlertsTopic"), publishes("OrdersTopic")) == ("allowed", "implicitDeny")


def test_nothing_is_public() -> None:
    """Another account, whatever its own policies allow, may do nothing on any resource."""
    found = {(action, arn) for action, arn in questions() if simulator().stranger(action, arn) == "allowed"}

    assert found == set()


def test_a_task_may_assume_its_role() -> None:
    """ECS may for tasks of this account, Lambda for its functions; neither may take the other's."""
    asked = simulator()
    task = f"arn:aws:ecs:{REGION}:{ACCOUNT}:*"

    def assumes(service: str, role: str) -> bool:
        return asked.service(service, "sts:AssumeRole", asked.arn(role), task) == "allowed"

    assert [role for role in ROLES.values() if assumes("ecs-tasks.amazonaws.com", role)] == [
        "OrderApiRole",
        "WorkerRole",
    ]
    assert [role for role in ROLES.values() if assumes("lambda.amazonaws.com", role)] == [
        "WorkerFunctionRole",
        "NotifierRole",
    ]


def test_a_call_without_tls_is_denied() -> None:
    """Every queue denies everything over plain HTTP, every topic to publish, also what a role's own policy allows.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html
    """
    asked = simulator()
    queues = [name for name, kind in asked.types.items() if kind == "AWS::SQS::Queue"]
    topics = [name for name, kind in asked.types.items() if kind == "AWS::SNS::Topic"]
    calls = [*product(queues, actions("sqs")), *product(topics, ["sns:Publish"])]

    plain = {
        (role, name, action): asked.role(role, action, asked.arn(name), aws__SecureTransport="false")
        for role, (name, action) in product(ROLES.values(), calls)
    }

    assert len(queues) + len(topics) > 10
    assert set(plain.values()) == {"explicitDeny"}
