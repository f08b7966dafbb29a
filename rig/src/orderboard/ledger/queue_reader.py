"""Receives and deletes every message of a queue that belongs to the rig, in background threads.

The rig shares the processor with what it measures, so it receives seldom and much: after a receive that emptied the
queue it lets messages gather. One thread reads; the others help only while it falls behind.
"""

import threading
import time
from collections.abc import Callable
from typing import Final, Self

from orderboard.orders.queues import BATCH
from orderboard.system.target import AWS_ERRORS, Target

_STOP_WITHIN_S: Final = 10
_PAUSE_AFTER_ERROR_S: Final = 0.2
_BEHIND_AFTER: Final = 10  # full receives in a row

# Gets a body, and the time.monotonic() at which the message came into the queue.
OnMessage = Callable[[str, float], None]


class QueueReader:
    """Reads from start() to stop(), or for the length of a with block.

    on_message gets each message, from one thread at a time. A message may come twice.
    """

    def __init__(
        self,
        target: Target,
        queue_url: str,
        on_message: OnMessage,
        *,
        name: str,
        threads: int = 1,
        gather_s: float = 0.08,
    ) -> None:
        self._target = target
        self._queue_url = queue_url
        self._on_message = on_message
        self._gather_s = gather_s
        self._one_at_a_time = threading.Lock()
        self._stopping = threading.Event()
        self._behind = threading.Event()
        self._emptied_at = time.monotonic()
        self._threads = [
            threading.Thread(target=self._help if number else self._read, name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the threads and wait for them."""
        self._stopping.set()
        self._behind.set()
        for thread in self._threads:
            thread.join(_STOP_WITHIN_S)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _read(self) -> None:
        full = 0
        while not self._stopping.is_set():
            full = full + 1 if self._receive(wait_s=0 if full else 1) else 0
            if full >= _BEHIND_AFTER:
                self._behind.set()
            elif not full and not self._stopping.is_set():
                self._behind.clear()
                self._stopping.wait(self._gather_s)

    def _help(self) -> None:
        while self._behind.wait() and not self._stopping.is_set():
            if not self._receive(wait_s=0):
                self._stopping.wait(self._gather_s)

    def _receive(self, *, wait_s: int) -> bool:
        """Receive and delete once; return whether there may be more."""
        emptied_at, began_at = self._emptied_at, time.monotonic()
        try:
            messages = self._target.sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=wait_s,
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", [])
            with self._one_at_a_time:
                for message in messages:
                    self._on_message(message["Body"], came_at(message["Attributes"]["SentTimestamp"], emptied_at))
            if messages:
                entries = [
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(messages)
                ]
                self._target.sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)  # type: ignore[arg-type]
        except AWS_ERRORS:  # the backend is busy; what was not read is still in the queue
            self._stopping.wait(_PAUSE_AFTER_ERROR_S)
            return False
        if full := len(messages) == BATCH:
            return full
        self._emptied_at = began_at
        return False


def came_at(sent_timestamp_ms: str, emptied_at: float) -> float:
    """Return the time.monotonic() at which a message came: after emptied_at, however wrong the backend's clock is."""
    now = time.monotonic()
    age_s = time.time() - int(sent_timestamp_ms) / 1000
    return min(now, max(emptied_at, now - age_s))
