"""The seven promises of the design, on the whole pipeline: real processes, a real Lambda, the embedded backend."""

import asyncio
import re
import secrets
import signal
import statistics
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from conftest import HOST_RUNTIME
from e2e.board import Board, board
from e2e.recording_proxy import recording_proxy
from orderboard.orders.kinds import Ending
from orderboard.orders.redrive import plan, redrive
from orderboard.system.process import stop_all
from orderboard_stack.backend import Endpoint
from orderboard_stack.deploy import delete, deploy
from support.stack import DeployedStack, DeployStack
from support.waiting import eventually

REPOSITORY = Path(__file__).parents[2]
CANCELLED: frozenset[Ending] = frozenset(("cancelled",))
DEAD_LETTERED: frozenset[Ending] = frozenset(("dead-lettered",))
VISIBILITY_TIMEOUT_S = 3
_REGION = re.compile(r"\b[a-z]{2}-[a-z]+-[1-9]\b")


@pytest.fixture
async def running(deploy_stack: DeployStack, tmp_path: Path) -> AsyncIterator[Board]:
    """A pipeline whose messages come back quickly, with no worker yet."""
    stack = deploy_stack({"WorkVisibilityTimeoutS": str(VISIBILITY_TIMEOUT_S), "WorkMaxReceiveCount": "4"})
    async with board(stack, tmp_path) as started:
        yield started


async def test_1_every_order_answered_202_ends_once_though_its_worker_is_killed(running: Board) -> None:
    """Two workers killed in the middle, orders sent twice: none is lost, none is made twice, each is announced once.

    Takes more than 5 s: four workers start, and the orders of the killed ones come back after 3 s.
    """
    first = await running.worker(ORDERBOARD_PREPARATION_MS="20")
    second = await running.worker(ORDERBOARD_PREPARATION_MS="20")

    burst = asyncio.gather(
        running.place_many(150),
        running.place_many(30, priority="express"),
        *(running.place(sends=3) for _ in range(10)),
        running.place(fault="poison", may_end=DEAD_LETTERED),
        running.place(lines=[{"sku": "catering-box", "quantity": 2}]),
    )
    await eventually(lambda: running.listener.finished >= 20, within_s=20)
    first.process.kill()
    await running.worker()
    await eventually(lambda: running.listener.finished >= 60, within_s=20)
    second.process.kill()
    await burst

    await eventually(running.assert_balanced, within_s=40)
    endings = [entry.ended for entry in running.ledger().entries]
    assert (endings.count("completed"), endings.count("dead-lettered")) == (191, 1)


async def test_2_the_api_does_not_feel_the_worker(running: Board) -> None:
    """With the worker frozen every order is answered 202 as soon as ever, and the queue holds them until it thaws."""
    worker = await running.worker()
    while_running, usual_s = await _timed(running, 40)
    # An outcome is published before its message is deleted, and a frozen worker deletes nothing.
    await eventually(lambda: running.listener.finished >= 40 and running.waiting() == 0, within_s=20)

    worker.process.popen.send_signal(signal.SIGSTOP)
    while_frozen, frozen_s = await _timed(running, 40)

    assert len(set(while_running)) == len(set(while_frozen)) == 40
    assert "" not in while_frozen
    assert frozen_s < 2 * usual_s + 0.02, "the API waits for the worker"
    assert running.waiting() == 40
    assert running.listener.finished == 40

    worker.process.popen.send_signal(signal.SIGCONT)
    await eventually(running.assert_balanced, within_s=30)


async def test_3_a_cancellation_that_overtakes_its_order_cancels_it_and_a_late_one_is_refused(running: Board) -> None:
    """Whatever overtakes what, the order ends in one legal state, and messages that come again change nothing."""
    early, _ = await running.place(may_end=CANCELLED)  # on the work queue; nobody takes it yet
    late, _ = await running.place()
    accepted = await running.http.post(f"/orders/{early}/cancellation", json={"reason": "changed my mind"})
    work = running.target.queue_url(running.target.outputs.work_queue)
    held = running.target.sqs.receive_message(
        QueueUrl=work, MaxNumberOfMessages=10, VisibilityTimeout=60, MessageAttributeNames=["All"]
    )["Messages"]
    await running.worker()
    row = {"TableName": running.target.outputs.orders_table, "Key": {"order_id": {"S": early}}}
    await eventually(lambda: "Item" in running.target.dynamodb.get_item(**row), within_s=10)  # type: ignore[arg-type]

    for message in held * 3:  # each order arrives late, and three times
        running.target.sqs.send_message(QueueUrl=work, MessageBody=message["Body"])
    for message in held:
        running.target.sqs.delete_message(QueueUrl=work, ReceiptHandle=message["ReceiptHandle"])
    await eventually(lambda: running.listener.finished == 2, within_s=10)
    too_late = await running.http.post(f"/orders/{late}/cancellation", json={})

    assert accepted.status_code == too_late.status_code == httpx.codes.ACCEPTED
    await eventually(lambda: running.alerts() == [("cancellation_refused", late)], within_s=10)
    await eventually(lambda: running.waiting() == 0, within_s=10)
    assert (await running.status(early), await running.status(late)) == ("cancelled", "completed")
    assert {(said.order_id, said.ended) for said in running.listener.outcomes} == {
        (early, "cancelled"),
        (late, "completed"),
    }
    assert len({said.event_id for said in running.listener.outcomes}) == 2


async def test_4_a_poisonous_message_holds_up_nobody_and_can_be_redriven(running: Board) -> None:
    """Poison and garbage rest in the dead-letter queue as they came, all others are made; redriven to a worker that can
    handle it, the order is made too.
    """
    poisoned, _ = await running.place(fault="poison", may_end=DEAD_LETTERED)
    outputs = running.target.outputs
    running.target.sqs.send_message(QueueUrl=running.target.queue_url(outputs.work_queue), MessageBody="\x09{not json")
    worker = await running.worker()

    await running.place_many(60)

    await eventually(lambda: running.listener.finished == 60, within_s=20)
    dlq = running.target.queue_url(outputs.work_dlq)

    def both_rest() -> None:
        found = running.target.sqs.receive_message(
            QueueUrl=dlq, MaxNumberOfMessages=10, VisibilityTimeout=0, MessageAttributeNames=["All"]
        ).get("Messages", [])
        by_body = {message["Body"]: message.get("MessageAttributes", {}) for message in found}
        assert "\x09{not json" in by_body
        (attributes,) = [attributes for body, attributes in by_body.items() if poisoned in body]
        assert attributes["priority"]["StringValue"] == "normal"
        assert attributes["event_type"]["StringValue"] == "orderboard.order.placed.v1"

    await eventually(both_rest, within_s=20)
    assert await running.status(poisoned) is None

    stop_all([worker.process], deadline_s=10)
    redriven = redrive(running.target.sqs, plan("work", outputs), outputs, lambda _moved, _total: None)
    await running.worker(ORDERBOARD_ALLOW_FAULTS="false")  # the fix: this one ignores faults

    assert redriven.moved == 2
    await eventually(lambda: running.listener.finished == 61, within_s=20)
    assert await running.status(poisoned) == "completed"


async def test_5_long_work_stays_with_its_worker_while_that_lives(running: Board) -> None:
    """Work of three visibility timeouts is received once while its worker lives.

    Takes more than 5 s: the work does, 9 s.
    """
    await running.worker()
    await running.worker()

    order_id, _ = await running.place(fault=f"slow:{VISIBILITY_TIMEOUT_S * 3000}")
    await eventually(lambda: running.listener.finished == 1, within_s=VISIBILITY_TIMEOUT_S * 3 + 10)

    row = (await running.http.get(f"/orders/{order_id}")).json()
    assert row["receive_count"] == 1
    await eventually(running.assert_balanced, within_s=10)


async def test_5_and_is_taken_over_when_its_worker_dies(running: Board) -> None:
    """A second worker finishes what a killed one had in hand, after the visibility timeout."""
    first = await running.worker(ORDERBOARD_PREPARATION_MS="60000")
    order_id, _ = await running.place()
    await eventually(lambda: running.waiting() == 1 and running.in_flight() == 1, within_s=10)

    first.process.kill()
    second = await running.worker()

    await eventually(lambda: running.listener.finished == 1, within_s=VISIBILITY_TIMEOUT_S + 10)
    row = (await running.http.get(f"/orders/{order_id}")).json()
    assert (row["worker_id"], row["receive_count"]) == (second.process.name, 2)


async def test_6_sigterm_drains(running: Board) -> None:
    """A worker that gets SIGTERM finishes what it has in hand, takes no more, and leaves the rest to be taken."""
    worker = await running.worker(
        ORDERBOARD_PREPARATION_MS="1500", ORDERBOARD_WORKER_CONCURRENCY="5", ORDERBOARD_DRAIN_DEADLINE_S="10"
    )
    await running.place_many(30)
    await eventually(lambda: running.in_flight() >= 5, within_s=10)

    worker.process.popen.terminate()
    code = await asyncio.to_thread(worker.process.popen.wait, 15)

    assert code == 0
    finished = len(running.ledger().entries) - running.waiting()
    assert finished >= 5
    assert running.in_flight() == 0, "what was not finished was not given back"
    assert await eventually(lambda: running.listener.finished == finished, within_s=10)
    assert finished < 30, "it went on taking orders"
    await running.worker()
    await eventually(running.assert_balanced, within_s=20)


async def test_7_the_services_know_no_backend(backend: Endpoint, host_notifier_zip: Path, tmp_path: Path) -> None:
    """The same services work in another region, with other names, behind another address: each of their requests is
    signed for that region and names nothing elsewhere, and each of their connections leads to that address.
    """
    elsewhere = replace(backend, region="eu-south-2")
    session, name, runtime = elsewhere.session(), f"cafe-{secrets.token_hex(3)}", {"NotifierRuntime": HOST_RUNTIME}
    outputs = deploy(
        session,
        elsewhere.endpoint_url,
        stack_name=name,
        prefix=name,
        notifier_zip=host_notifier_zip,
        parameters=runtime,
    )
    async with recording_proxy(str(elsewhere.endpoint_url)) as proxy:
        stack = DeployedStack(endpoint=elsewhere, outputs=outputs, name=name, prefix=name)
        async with board(stack, tmp_path, proxy.url) as running:
            await running.worker()
            await running.place(priority="express")
            await running.place()
            await eventually(lambda: running.listener.finished == 2, within_s=20)
            connected = {port for service in running.services for port in _connected(service.process.pid)}
            await eventually(running.assert_balanced, within_s=20)
    delete(session, elsewhere.endpoint_url, stack_name=name, prefix=name)

    assert connected == {urlsplit(proxy.url).port}
    assert {"AWSEvents.PutEvents", "DynamoDB_20120810.BatchExecuteStatement"} < set(proxy.seen)
    for authorization, body in proxy.texts:
        assert "/eu-south-2/" in authorization
        assert set(_REGION.findall(body)) <= {"eu-south-2"}


def test_7_and_their_sources_name_none() -> None:
    """No service names a backend, endpoint, region, account or resource; the LocalStack tests run the same code."""
    known = re.compile(
        r"localstack|ministack|localbus|endpoint_url|4566|amazonaws\.com(?!/)"
        r"|\b[a-z]{2}-[a-z]+-[1-9]\b|arn:aws:|\b[0-9]{12}\b"
        r"|\borderboard-(orders|work|express|alerts|inbox|undelivered|notifier)",
        re.IGNORECASE,
    )
    sources = [path for path in (REPOSITORY / "services").rglob("*.py") if "src" in path.parts]

    named = [
        f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()}"
        for path in sources
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if known.search(re.sub(r"https://docs\.aws\.amazon\.com\S*", "", line))
    ]

    assert len(sources) > 30
    assert named == []


def _connected(pid: int) -> set[int]:
    """The remote ports of the connections that a process opened itself."""
    connections = psutil.Process(pid).net_connections("tcp")
    own = {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
    return {each.raddr.port for each in connections if each.raddr and each.laddr.port not in own}


async def _timed(running: Board, count: int) -> tuple[list[str], float]:
    """Place orders one after the other; return their ids, and the median of their seconds."""
    order_ids, seconds = [], []
    for _ in range(count):
        began = time.perf_counter()
        order_id, _ = await running.place()
        seconds.append(time.perf_counter() - began)
        order_ids.append(order_id)
    return order_ids, statistics.median(seconds)
