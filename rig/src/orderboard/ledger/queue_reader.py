"""Takes every message from a queue of the rig's own and hands its body on, in threads of its own."""

import threading
import time
from collections.abc import Callable
from typing import Final

from orderboard.orders.queues import BATCH
from orderboard.system.target import AWS_ERRORS, Target

_STOP_WITHIN_S: Final = 10
_PAUSE_AFTER_ERROR_S: Final = 0.2


class Reader:
    """Receives and deletes until it is stopped. hear is called by one thread at a time; a body may come twice."""

    def __init__(
        self, target: Target, queue_url: str, hear: Callable[[str], None], *, name: str, threads: int = 1
    ) -> None:
        self._target = target
        self._queue_url = queue_url
        self._hear = hear
        self._one_at_a_time = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._listen, name=f"{name}-{number}", daemon=True) for number in range(threads)
        ]

    def start(self) -> None:
        """Begin to listen."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_STOP_WITHIN_S)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                messages = self._target.sqs.receive_message(
                    QueueUrl=self._queue_url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=1
                ).get("Messages", [])
                with self._one_at_a_time:
                    for message in messages:
                        self._hear(message["Body"])
                if messages:
                    self._target.sqs.delete_message_batch(
                        QueueUrl=self._queue_url,
                        Entries=[
                            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                            for number, message in enumerate(messages)
                        ],
                    )
            except AWS_ERRORS:  # a busy backend; what was not heard is still in the queue
                time.sleep(_PAUSE_AFTER_ERROR_S)
