"""Dead-letter queues on LocalStack: poison ends there, and StartMessageMoveTask brings it back."""

import httpx
from localstack.orders import finished, look, place
from localstack.workers import STOPS_WITHIN_S, Workers
from orderboard.orders.queues import peek
from orderboard.orders.redrive import plan, redrive
from orderboard.system.process import stop_all
from support.stack import DeployedStack
from support.waiting import eventually


async def test_poison_stays_in_the_dead_letter_queue_until_it_is_redriven(
    api: httpx.Client, workers: Workers, stack: DeployedStack
) -> None:
    """A poisoned order holds up no other; when its cause is fixed, a message move task brings it back to be made."""
    dlq = stack.queue_url(stack.outputs.work_dlq)
    poisoned_worker = workers.start(allow_faults=True)
    poisoned = place(api, fault="poison")
    sound = [place(api) for _ in range(5)]

    for order_id in sound:
        await finished(api, order_id, within_s=10)
    (resting,) = await eventually(lambda: peek(stack.sqs, dlq), within_s=20)
    assert poisoned in resting.body
    assert look(api, poisoned).status_code == httpx.codes.NOT_FOUND

    stop_all([poisoned_worker.process], deadline_s=STOPS_WITHIN_S)
    workers.start(allow_faults=False)
    redriven = redrive(stack.sqs, plan("work", stack.outputs), stack.outputs, lambda moved, total: None)

    assert (redriven.moved, redriven.way) == (1, "message move task")
    order = await finished(api, poisoned, within_s=10)
    assert order["status"] == "completed"
    assert peek(stack.sqs, dlq) == []


async def test_a_message_that_is_not_an_event_is_dead_lettered_unchanged(
    workers: Workers, stack: DeployedStack
) -> None:
    """Junk is kept byte for byte."""
    dlq = stack.queue_url(stack.outputs.express_dlq)
    workers.start()

    stack.sqs.send_message(QueueUrl=stack.queue_url(stack.outputs.express_queue), MessageBody='{"no": "event" ☕}')

    (resting,) = await eventually(lambda: peek(stack.sqs, dlq), within_s=20)
    assert resting.body == '{"no": "event" ☕}'
    stack.sqs.purge_queue(QueueUrl=dlq)
