"""The drill's dead letters: those that the loss made are redriven; an order with a fault would only come back."""

import json

import pytest
from order_api.placement import order_placed
from orderboard.recovery.disaster import redrive_of_the_loss
from orderboard_contracts.identity import new_order_id
from orderboard_contracts.order import OrderLine, OrderRequest, digest
from unit.rig.recovery.bar import OUTPUTS, Bar
from unit.worker.commands import TRACE


@pytest.mark.parametrize(("fault", "redriven"), [(None, 1), ("poison", 0)])
def test_dead_letters_of_a_loss(bar: Bar, fault: str | None, redriven: int) -> None:
    """A message that a worker without a circuit breaker gave up on is moved back to its queue."""
    for pair in OUTPUTS.queue_pairs.values():
        for name in filter(None, pair):
            bar.target.sqs.create_queue(QueueName=name)
    arn = f"arn:aws:sqs:us-east-1:000000000000:{OUTPUTS.work_dlq}"
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    work, dlq = (bar.target.queue_url(name) for name in (OUTPUTS.work_queue, OUTPUTS.work_dlq))
    bar.target.sqs.set_queue_attributes(QueueUrl=work, Attributes={"RedrivePolicy": policy})
    request = OrderRequest(customer_id="ada", lines=(OrderLine(sku="tea", quantity=1),), fault=fault)
    order = order_placed(request, order_id=new_order_id(), digest=digest(request), at=bar.now(), trace=TRACE)
    bar.target.sqs.send_message(QueueUrl=dlq, MessageBody=order.to_json())

    assert redrive_of_the_loss(bar.target) == redriven

    messages = bar.target.sqs.receive_message(QueueUrl=work).get("Messages", [])
    assert [message["Body"] for message in messages] == [order.to_json()] * redriven
