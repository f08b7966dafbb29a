"""The worker as a Lambda function on LocalStack: in its own container, from the zip for Lambda's Linux."""

import secrets
from collections.abc import Iterator

import pytest
from integration.stack.traffic import publish
from localstack.container import LocalStack
from orderboard.system.deploy import deploy_stack, pack_functions, remove_stack
from orderboard_stack.backend import Endpoint
from support.stack import DeployedStack
from support.waiting import eventually
from unit.worker.commands import placed

MADE_WITHIN_S = 60  # the first order waits for the function's container


@pytest.fixture(scope="module")
def stack(backend: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedStack]:
    """A stack whose worker is a function, beside that of the other tests."""
    name = f"test-{secrets.token_hex(4)}"
    zips = pack_functions(backend, tmp_path_factory.mktemp("functions"), "lambda", print)
    parameters = {"WorkMaxReceiveCount": "2", "WithArchive": "false"}
    outputs = deploy_stack(backend, zips, stack_name=name, prefix=name, parameters=parameters, progress=print)
    yield DeployedStack(name=name, prefix=name, endpoint=backend, outputs=outputs)
    remove_stack(backend, name, name)


async def test_a_function_makes_orders_and_returns_what_nobody_can_make(
    stack: DeployedStack, localstack: LocalStack
) -> None:
    """Orders of both queues are recorded by the function; garbage among them rests in the dead-letter queue."""
    normal, express = placed(), placed(priority="express")
    stack.sqs.send_message(QueueUrl=stack.queue_url(stack.outputs.work_queue), MessageBody="{garbage")
    for order in (normal, express):
        publish(stack, order)

    def row(order_id: str) -> dict[str, str]:
        key = {"order_id": {"S": order_id}}
        found = stack.dynamodb.get_item(TableName=stack.outputs.orders_table, Key=key).get("Item", {})
        return {name: str(value.get("S")) for name, value in found.items()}

    for order in (normal, express):
        recorded = await eventually(lambda order=order: row(order.subject), within_s=MADE_WITHIN_S)  # type: ignore[misc]
        assert recorded["status"] == "completed"
        assert recorded["worker_id"].startswith(f"{stack.outputs.worker_function}-")
    await eventually(lambda: stack.waiting(stack.outputs.work_dlq) == 1, within_s=MADE_WITHIN_S)
    assert [each["Body"] for each in stack.receive(stack.outputs.work_dlq)] == ["{garbage"]
    assert localstack.function_containers(str(stack.outputs.worker_function))
