"""Odd requests to order-api in a running system: no order is refused and published, none is accepted and lost.

Backend, order-api and worker are the processes of `orderboard up`. Two queues receive all that order-api publishes.
schemathesis sends what it derives from the OpenAPI document, `stories` what that cannot say: broken bodies and framing,
keys that are used again, cursors.
"""

from fuzz.order_api.campaign import run

__all__ = ["run"]
