"""Which message lands on which queue, by the template's subscriptions and rules."""

from support import DeployedStack


def test_smoke(stack: DeployedStack) -> None:
    """A normal order lands on the work queue."""
    stack.sns.publish(
        TopicArn=stack.outputs.orders_topic_arn,
        Message="x",
        MessageAttributes={
            "event_type": {"DataType": "String", "StringValue": "orderboard.order.placed.v1"},
            "priority": {"DataType": "String", "StringValue": "normal"},
        },
    )
    assert stack.receive(stack.outputs.work_queue, wait_s=2)
