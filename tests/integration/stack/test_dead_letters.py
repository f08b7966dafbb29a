"""Dead-letter queues of the stack."""

import pytest
from integration.stack import sample_events
from integration.stack.traffic import publish
from orderboard_contracts.routing import message_attributes
from support.stack import DeployedStack, DeployStack
from support.waiting import eventually


@pytest.fixture
def impatient_stack(deploy_stack: DeployStack) -> DeployedStack:
    """A stack whose orders move to the dead-letter queue after two receives."""
    return deploy_stack({"WorkMaxReceiveCount": "2"})


def make_visible(stack: DeployedStack, queue: str) -> str | None:
    """Receive one message, make it visible again at once, and return its body."""
    messages = stack.receive(queue, wait_s=1, delete=False)
    for message in messages:
        stack.sqs.change_message_visibility(
            QueueUrl=stack.queue_url(queue), ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    return messages[0]["Body"] if messages else None


async def test_a_message_is_dead_lettered_after_its_last_receive(impatient_stack: DeployedStack) -> None:
    """After maxReceiveCount receives an order is in the dead-letter queue, with its body and its attributes."""
    stack, names = impatient_stack, impatient_stack.outputs
    order = sample_events.placed("express")
    publish(stack, order)

    for _ in range(2):
        assert await eventually(lambda: make_visible(stack, names.express_queue)) == order.to_json()

    assert make_visible(stack, names.express_queue) is None
    (resting,) = await eventually(lambda: stack.receive(names.express_dlq, wait_s=1))
    assert resting["Body"] == order.to_json()
    assert {name: each.get("StringValue") for name, each in resting["MessageAttributes"].items()} == (
        message_attributes(order)
    )
