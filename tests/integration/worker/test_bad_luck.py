"""Promises 1, 5 and 6 with real processes and signals, and a network that loses responses."""

import signal
from pathlib import Path

import pytest
from integration.worker.faulty_proxy import Fault, faulty_proxy
from integration.worker.processes import worker_process
from integration.worker.worker_stack import WorkerStack
from support.waiting import eventually
from unit.worker.commands import placed


async def test_work_longer_than_the_visibility_timeout_is_kept(system: WorkerStack, tmp_path: Path) -> None:
    """Orders that take 1.5 timeouts, some of them buffered, are made by the worker that received them.

    It takes seconds: orders last longer than the visibility timeout, which is three seconds.
    """
    system.publish(*(placed(fault="slow:4500") for _ in range(4)))

    with worker_process(system.stack, tmp_path, "--concurrency", "3") as first:
        await eventually(lambda: first.lines("worker.polling"), within_s=15)
        with worker_process(system.stack, tmp_path, "--concurrency", "3"):
            await eventually(lambda: system.left() == 0, within_s=20)

    assert {record.receive_count for record in system.rows().values()} == {1}
    assert len(system.outcomes()) == 4


async def test_an_order_that_crashes_the_worker_heals(system: WorkerStack, tmp_path: Path) -> None:
    """The fault crash ends the process like SIGKILL; the next worker makes the order."""
    order = placed(fault="crash")
    system.publish(order, placed(), placed())

    with worker_process(system.stack, tmp_path) as victim:
        assert victim.wait() == -signal.SIGKILL
    with worker_process(system.stack, tmp_path):
        await eventually(lambda: system.left() == 0, within_s=15)

    assert system.rows()[order.subject].receive_count == 2
    assert len(system.rows()) == 3


async def test_a_frozen_worker_does_no_harm_when_it_resumes(system: WorkerStack, tmp_path: Path) -> None:
    """After SIGSTOP past the visibility timeout another worker makes the orders; the first drops them on SIGCONT.

    It takes seconds: the second worker waits for the visibility timeout of the first.
    """
    orders = [placed(fault="slow:1000") for _ in range(12)]
    system.publish(*orders)

    with worker_process(system.stack, tmp_path, "--concurrency", "4") as frozen:
        await eventually(lambda: len(frozen.lines("order.completed")) >= 4, within_s=15)
        frozen.signal(signal.SIGSTOP)
        with worker_process(system.stack, tmp_path):
            await eventually(lambda: system.left() == 0, within_s=20)
            rows = system.rows()
            frozen.signal(signal.SIGCONT)
            await eventually(lambda: frozen.lines("message.lost") or frozen.lines("message.receipt_expired"))
            assert frozen.drain() == 0

    assert len(rows) == 12
    assert system.rows() == rows
    assert len(system.distinct_outcomes()) == 12


async def test_ctrl_c_drains(system: WorkerStack, tmp_path: Path) -> None:
    """Orders under way are finished, the rest stays for others, nothing is half done, and the exit is clean."""
    system.publish(*(placed(fault="slow:200") for _ in range(60)))

    with worker_process(system.stack, tmp_path, "--concurrency", "4") as worker:
        await eventually(lambda: worker.lines("order.completed"), within_s=15)
        worker.signal(signal.SIGINT)
        assert worker.wait() == 0

    made = len(system.rows())
    assert 0 < made < 60
    assert system.left() == 60 - made
    assert system.stack.waiting(system.stack.outputs.work_queue) == 60 - made
    await eventually(lambda: len(system.distinct_outcomes()) == made)


async def test_a_drain_keeps_its_deadline(system: WorkerStack, tmp_path: Path) -> None:
    """Longer work is given back at once, so that another worker does not wait for its visibility timeout."""
    system.publish(*(placed(fault="slow:60000") for _ in range(6)))
    environment = {"ORDERBOARD_DRAIN_DEADLINE_S": "1", "ORDERBOARD_WORK_VISIBILITY_TIMEOUT_S": "600"}

    with worker_process(system.stack, tmp_path, "--concurrency", "3", environment=environment) as worker:
        await eventually(lambda: system.stack.waiting(system.stack.outputs.work_queue) == 0, within_s=15)
        worker.signal(signal.SIGTERM)
        assert worker.wait(within_s=6) == 0

    assert system.stack.waiting(system.stack.outputs.work_queue) == 6
    assert not system.rows()


async def test_a_second_signal_ends_it_at_once(system: WorkerStack, tmp_path: Path) -> None:
    """The second signal does not wait for the drain."""
    system.publish(placed(fault="slow:60000"))

    with worker_process(system.stack, tmp_path) as worker:
        await eventually(lambda: system.stack.waiting(system.stack.outputs.work_queue) == 0, within_s=15)
        worker.signal(signal.SIGTERM)
        await eventually(lambda: worker.lines("worker.draining"))
        worker.signal(signal.SIGTERM)

        assert worker.wait(within_s=2) == 128 + signal.SIGTERM


@pytest.mark.parametrize("fault", ["throttle", "fail", "drop_response"])
async def test_a_bad_network_loses_nothing_and_repeats_nothing(
    system: WorkerStack, tmp_path: Path, fault: Fault
) -> None:
    """Calls are throttled, fail, or lose their response: every order is recorded once, none is dead-lettered.

    It takes seconds: every operation fails six times, and the waits between retries grow.
    """
    operations = ("ReceiveMessage", "BatchExecuteStatement", "PutEvents", "DeleteMessageBatch")
    assert system.stack.endpoint.endpoint_url is not None

    async with faulty_proxy(system.stack.endpoint.endpoint_url) as proxy:
        for operation in operations:
            proxy.plan(operation, fault, calls=6)
        system.publish(*(placed() for _ in range(60)))
        with worker_process(system.stack, tmp_path, environment=proxy.environment):
            await eventually(lambda: system.left() == 0 and len(system.distinct_outcomes()) == 60, within_s=40)

    assert proxy.met == dict.fromkeys(operations, 6)
    assert {record.status for record in system.rows().values()} == {"completed"}
    assert len(system.rows()) == 60
    assert system.dead() == 0


async def test_an_outage_of_the_table_uses_up_no_receives(system: WorkerStack, tmp_path: Path) -> None:
    """With three receives at most, no order goes to the dead-letter queue.

    It takes seconds: the waits between four retries grow.
    """
    assert system.stack.endpoint.endpoint_url is not None

    async with faulty_proxy(system.stack.endpoint.endpoint_url) as proxy:
        proxy.plan("BatchExecuteStatement", "fail", calls=10**6)
        system.publish(*(placed() for _ in range(30)))
        with worker_process(system.stack, tmp_path, environment=proxy.environment) as worker:
            await eventually(lambda: len(worker.lines("backend.unavailable")) >= 4, within_s=30)
            status, body = worker.health()
            calls = proxy.met["BatchExecuteStatement"]
            proxy.plan("BatchExecuteStatement", "fail", calls=0)
            await eventually(lambda: system.left() == 0, within_s=30)
            assert worker.health()[0] == 200

    assert status == 503
    assert "orders table and event bus" in body["problems"]
    assert calls < 100
    assert {record.receive_count for record in system.rows().values()} == {1}
    assert system.dead() == 0
