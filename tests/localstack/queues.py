"""The stack's queues by name, looked at without taking."""

from orderboard.orders.queues import Depth, depth
from support import DeployedStack, eventually


def holding(stack: DeployedStack, queue: str) -> Depth:
    """How much a queue holds."""
    return depth(stack.sqs, stack.queue_url(queue))


async def emptied(stack: DeployedStack, queue: str, *, within_s: float = 5) -> None:
    """Wait until a queue holds nothing, waiting or in flight."""
    await eventually(lambda: holding(stack, queue).total == 0, within_s=within_s)
