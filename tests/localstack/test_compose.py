"""compose.yaml as a newcomer uses it."""

import httpx
import pytest
from localstack.compose import Compose, compose_up, require_compose
from localstack.engine import LAMBDA_IMAGE, LOCALSTACK_IMAGE, PYTHON_IMAGE, container_names, require
from localstack.orders import finished, place
from localstack_client.session import Session  # type: ignore[import-untyped]
from orderboard.orders.queues import peek
from orderboard_contracts.alert import parse_alert
from support.waiting import eventually
from unit.deploy.stacks import Deployment, load

OWN_SERVICES = {"deploy", "order-api", "worker"}


@pytest.mark.timeout(900)  # the images may have to be built from nothing
async def test_compose_brings_up_all_that_an_order_needs_and_leaves_nothing() -> None:
    """An order through the containers is made and announced; afterwards no container, volume or network is left.

    Meanwhile ECS's health check of a worker, from deploy/services.yaml, passes in its image.
    """
    require(LOCALSTACK_IMAGE, LAMBDA_IMAGE, PYTHON_IMAGE)
    require_compose()

    with compose_up() as up:
        check_confinement(up)
        with httpx.Client(base_url=up.api_url) as api:
            order_id = place(api, priority="express", quantity=50)
            assert (await finished(api, order_id, within_s=20))["status"] == "completed"
        assert up.run_in("worker", Deployment(load()).container("worker")["HealthCheck"]["Command"][1:]) == (0, "")
        await eventually(lambda: announced(up, order_id) == ["express_ready", "large_order"], within_s=60)
        assert container_names(f"{up.project}-localstack-1-lambda-orderboard-notifier")

    await eventually(lambda: up.leftovers() == [], within_s=40)


def announced(up: Compose, order_id: str) -> list[str]:
    """The kinds of the alerts that wait in the inbox for this order."""
    sqs = Session(localstack_host=up.aws_url.removeprefix("http://")).client("sqs")
    letters = peek(sqs, sqs.get_queue_url(QueueName="orderboard-inbox")["QueueUrl"])
    alerts = [parse_alert(letter.body) for letter in letters]
    return sorted(alert.kind for alert in alerts if alert.order_id == order_id)


def check_confinement(up: Compose) -> None:
    """Ports are published on 127.0.0.1 only, and our own containers can do no more than they need."""
    for container in up.containers():
        published = container["HostConfig"]["PortBindings"] or {}
        assert {binding["HostIp"] for bindings in published.values() for binding in bindings} <= {"127.0.0.1"}
        if container["Config"]["Labels"]["com.docker.compose.service"] in OWN_SERVICES:
            assert container["Config"]["User"] == "10001:10001"
            assert container["HostConfig"]["ReadonlyRootfs"]
            assert container["HostConfig"]["CapDrop"] == ["ALL"]
            assert "no-new-privileges:true" in container["HostConfig"]["SecurityOpt"]
