"""The calls that running services send are those that their roles grant: none is refused on AWS, no grant is idle."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from botocore import xform_name
from e2e.board import Board, board
from orderboard.orders.kinds import Ending
from support.stack import DeployStack
from support.waiting import eventually
from unit.stack.test_permissions import action_of_operation, granted

EITHER: frozenset[Ending] = frozenset(("cancelled", "completed"))
_COUNTER = re.compile(
    r'^orderboard_aws_requests_total\{operation="(\w+)",service="([\w-]+)"\} ([0-9.e+]+)$', re.MULTILINE
)


@pytest.fixture
async def running(deploy_stack: DeployStack, tmp_path: Path) -> AsyncIterator[Board]:
    """A pipeline with no worker yet."""
    async with board(deploy_stack({}), tmp_path) as started:
        yield started


def calls(url: str) -> set[str]:
    """The IAM actions of the requests that a service has sent, by its counters."""
    counted = _COUNTER.findall(httpx.get(f"{url}/metrics", trust_env=False).text)
    return {action_of_operation()[xform_name(operation)] for operation, _, count in counted if float(count)}


async def test_running_services_send_what_their_roles_grant(running: Board) -> None:
    """Orders that complete, fail once, and are cancelled before the worker sees them; reads of them; and a probe."""
    outputs, sqs = running.target.outputs, running.target.sqs
    early, _ = await running.place(may_end=EITHER)
    await running.place(fault="flaky:1")
    await running.http.post(f"/orders/{early}/cancellation", json={})
    work = running.target.queue_url(outputs.work_queue)
    held = sqs.receive_message(QueueUrl=work, MaxNumberOfMessages=10, MessageAttributeNames=["All"])["Messages"]
    worker = await running.worker()
    row = {"TableName": outputs.orders_table, "Key": {"order_id": {"S": early}}}
    await eventually(lambda: "Item" in running.target.dynamodb.get_item(**row), within_s=10)  # type: ignore[arg-type]
    for message in held:  # the cancelled order comes after its cancellation
        sqs.send_message(QueueUrl=work, MessageBody=message["Body"])
        sqs.delete_message(QueueUrl=work, ReceiptHandle=message["ReceiptHandle"])
    assert (await running.http.get("/readyz")).status_code == httpx.codes.OK
    assert (await running.http.get("/orders", params={"customer_id": "ada"})).status_code == httpx.codes.OK
    assert await running.status(early) is not None

    def same() -> None:
        assert calls(running.target.api()) == granted("OrderApiRole")
        assert calls(worker.url) == granted("WorkerRole")

    await eventually(same, within_s=20)
