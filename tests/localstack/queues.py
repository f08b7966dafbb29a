"""The counts of the stack's queues."""

from orderboard.orders.queues import Depth, depth
from support.stack import DeployedStack
from support.waiting import eventually


def holding(stack: DeployedStack, queue: str) -> Depth:
    """The counts of a queue."""
    return depth(stack.sqs, stack.queue_url(queue))


async def emptied(stack: DeployedStack, queue: str, *, within_s: float = 5) -> None:
    """Wait until a queue holds nothing, waiting or in flight."""
    await eventually(lambda: holding(stack, queue).total == 0, within_s=within_s)
