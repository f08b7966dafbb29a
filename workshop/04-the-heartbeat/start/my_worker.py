"""A worker. `work` makes the orders of a queue; several processes run it at the same time. It is yours to change."""

from collections.abc import Callable
from typing import Any


def work(sqs: Any, queue_url: str, make: Callable[[str], None]) -> None:
    """Receive orders and make them, until somebody kills this process.

    sqs: a client of boto3. make: makes an order, given the body of its message; it returns when the order is made.
    """
    while True:
        received = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=2)
        for message in received.get("Messages", []):
            make(message["Body"])
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
