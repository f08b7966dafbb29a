"""Receives and deletes every message of a queue that belongs to the rig, in background threads."""

import threading
from collections.abc import Callable
from typing import Final, Self

from orderboard.orders.queues import BATCH
from orderboard.system.target import AWS_ERRORS, Target

_STOP_WITHIN_S: Final = 10
_PAUSE_AFTER_ERROR_S: Final = 0.2


class QueueReader:
    """Reads from start() to stop(), or for the length of a with block.

    on_message gets each body, from one thread at a time. A body may come twice.
    """

    def __init__(
        self, target: Target, queue_url: str, on_message: Callable[[str], None], *, name: str, threads: int = 1
    ) -> None:
        self._target = target
        self._queue_url = queue_url
        self._on_message = on_message
        self._one_at_a_time = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._read, name=f"{name}-{number}", daemon=True) for number in range(threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the threads and wait for them."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_STOP_WITHIN_S)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _read(self) -> None:
        while not self._stopping.is_set():
            try:
                messages = self._target.sqs.receive_message(
                    QueueUrl=self._queue_url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=1
                ).get("Messages", [])
                with self._one_at_a_time:
                    for message in messages:
                        self._on_message(message["Body"])
                if messages:
                    entries = [
                        {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                        for number, message in enumerate(messages)
                    ]
                    self._target.sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)  # type: ignore[arg-type]
            except AWS_ERRORS:  # the backend is busy; what was not read is still in the queue
                self._stopping.wait(_PAUSE_AFTER_ERROR_S)
