"""A real worker on a real endpoint: what it makes of good, double, early, late and bad messages."""

import json
from pathlib import Path

from integration.worker.processes import worker_process
from integration.worker.worker_stack import WorkerStack
from orderboard_contracts.events import OrderRejected
from support.stack import DeployedStack
from support.waiting import eventually
from unit.worker.commands import cancellation, placed


async def test_a_burst_is_made(system: WorkerStack, tmp_path: Path) -> None:
    """Normal and express orders, each published twice, end as one row and one outcome, and the queues are empty."""
    normal = [placed() for _ in range(60)]
    express = [placed(priority="express") for _ in range(20)]
    sold_out = [placed(sku="cinnamon-bun") for _ in range(5)]
    system.publish(*normal, *express, *sold_out, *normal, *express)

    with worker_process(system.stack, tmp_path, environment={"ORDERBOARD_SOLD_OUT": "cinnamon-bun"}) as worker:
        await eventually(lambda: system.left() == 0 and len(system.outcomes()) >= 165, within_s=20)

        statuses = [record.status for record in system.rows().values()]
        assert (statuses.count("completed"), statuses.count("rejected")) == (80, 5)
        assert len(system.distinct_outcomes()) == 85
        assert system.dead() == 0
        assert worker.health() == (200, {"status": "ok", "worker_id": worker.health()[1]["worker_id"], "problems": {}})
        assert worker.drain() == 0


async def test_cancellations_early_and_late(system: WorkerStack, tmp_path: Path) -> None:
    """One that overtakes its order wins; one that comes after the order is refused; the bus gets both outcomes."""
    early, late = placed(), placed()

    with worker_process(system.stack, tmp_path) as worker:
        await worker.polls()
        system.publish(cancellation(early.subject), late)
        await eventually(lambda: system.left() == 0 and len(system.rows()) == 2)
        tombstone = system.rows()[early.subject]
        system.publish(early, cancellation(late.subject))
        await eventually(lambda: system.left() == 0 and len(system.outcomes()) == 3)

    rows = system.rows()
    assert tombstone.status == "cancellation_pending"
    assert tombstone.expires_at is not None
    assert (rows[early.subject].status, rows[late.subject].status) == ("cancelled", "completed")
    assert rows[early.subject].expires_at is None
    assert sorted(event.type.split(".")[2] for event in system.outcomes()) == [
        "cancellation_refused",
        "cancelled",
        "completed",
    ]


async def test_a_second_order_under_one_id_is_a_conflict(system: WorkerStack, tmp_path: Path) -> None:
    """The first order stays as it is."""
    first = placed()
    second = placed(first.subject, quantity=9)

    with worker_process(system.stack, tmp_path):
        system.publish(first)
        await eventually(lambda: len(system.outcomes()) == 1, within_s=15)
        system.publish(second)
        await eventually(lambda: len(system.outcomes()) == 2)

    conflict = next(event for event in system.outcomes() if isinstance(event, OrderRejected))
    assert conflict.data.reason == "idempotency_conflict"
    assert system.rows()[first.subject].digest == first.data.digest


async def test_invalid_messages_go_to_the_dlq(system: WorkerStack, tmp_path: Path) -> None:
    """Messages that are not valid commands go to the dead-letter queue at once, while fifty orders are made."""
    invalid = [
        "no JSON",
        "[]",
        "[" * 10_000 + "]" * 10_000,
        json.dumps({"type": "orderboard.order.placed.v7", "specversion": "1.0"}),
        placed().to_json().replace("orderboard.order.placed.v1", "orderboard.order.eaten.v1"),
        '{"total_cents": ' + "9" * 5000 + "}",
        placed(fault="poison").to_json(),
        placed().to_json().replace('"total_cents":390', '"total_cents":' + "9" * 60),
    ]
    system.send(*invalid[:4], *(placed().to_json() for _ in range(50)), *invalid[4:])

    with worker_process(system.stack, tmp_path) as worker:
        await eventually(lambda: system.dead() == len(invalid) and system.left() == 0, within_s=20)

        assert len(system.rows()) == 50
        poisoned = worker.lines("message.poison")
        assert len(poisoned) == 8 * 3, "once for each receive"
        assert all(line["reason"] for line in poisoned)
    dead = []
    while messages := system.stack.receive(system.stack.outputs.work_dlq):
        dead += [message["Body"] for message in messages]
    assert sorted(dead) == sorted(invalid)


async def test_a_flaky_order_heals(system: WorkerStack, tmp_path: Path) -> None:
    """flaky:2 is made at its third receive, the last before the dead-letter queue.

    It takes seconds: the waits between retries grow.
    """
    order = placed(fault="flaky:2")
    system.publish(order)

    with worker_process(system.stack, tmp_path) as worker:
        await eventually(lambda: system.left() == 0 and system.rows(), within_s=15)

        assert system.rows()[order.subject].receive_count == 3
        assert len(worker.lines("message.retry_scheduled")) == 2


async def test_a_queue_that_is_not_there_ends_the_start(system: WorkerStack, tmp_path: Path) -> None:
    """Exit status 2 and a log line that names the queue and the fix."""
    with worker_process(system.stack, tmp_path, environment={"ORDERBOARD_WORK_QUEUE": "nowhere"}) as worker:
        assert worker.wait() == 2

        reason = worker.lines("worker.misconfigured")[0]["reason"]
        assert "'nowhere'" in reason
        assert "ORDERBOARD_WORK_QUEUE" in reason


async def test_a_backend_that_is_gone_is_waited_for(stack: DeployedStack, tmp_path: Path) -> None:
    """The worker retries with pauses, reports what is missing, and still stops on a signal."""
    gone = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    with worker_process(stack, tmp_path, environment=gone) as worker:
        await eventually(lambda: len(worker.lines("queue.not_found_yet")) >= 2, within_s=20)

        def both_are_reported() -> None:
            status, body = worker.health()
            assert status == 503
            missing = {f"queue {stack.outputs.work_queue}", f"queue {stack.outputs.express_queue}"}
            assert set(body["problems"]) == missing

        await eventually(both_are_reported, within_s=20)  # one may have been asked for twice before the other once
        assert worker.drain() == 0


async def test_several_workers_share_the_work(system: WorkerStack, tmp_path: Path) -> None:
    """Two workers on the same queues make every order once, and both take part.

    It takes seconds: they share 20 s of preparation.
    """
    system.publish(*(placed(fault="slow:200") for _ in range(100)))

    with (
        worker_process(system.stack, tmp_path, "--concurrency", "4") as one,
        worker_process(system.stack, tmp_path, "--concurrency", "4") as other,
    ):
        await eventually(lambda: system.left() == 0 and len(system.rows()) == 100, within_s=20)

        assert one.lines("order.completed")
        assert other.lines("order.completed")
        assert len(system.distinct_outcomes()) == 100
