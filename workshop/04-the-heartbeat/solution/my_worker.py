"""A worker. `work` makes the orders of a queue, and keeps a message hidden as long as it is alive and busy with it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

VISIBILITY_TIMEOUT_S = 2
BEAT_S = 0.5


def work(sqs: Any, queue_url: str, make: Callable[[str], None]) -> None:
    """Receive orders and make them, with a heartbeat for each."""
    while True:
        received = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=2)
        for message in received.get("Messages", []):
            with heartbeat(sqs, queue_url, message["ReceiptHandle"]):
                make(message["Body"])
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


@contextmanager
def heartbeat(sqs: Any, queue_url: str, receipt_handle: str) -> Iterator[None]:
    """Hide a message for two more seconds, twice a second, until the block ends or the process dies."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(BEAT_S):
            sqs.change_message_visibility(
                QueueUrl=queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=VISIBILITY_TIMEOUT_S
            )

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
