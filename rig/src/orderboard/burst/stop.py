"""A burst that is stopped before its end: by Ctrl-C, by its page, or by a threshold."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

STOPPED: Final = "stopped the load"  # the end of the mark that says who or what did


@dataclass
class Stop:
    """A request to stop the load and to drain. by: the reason, as the start of a sentence; empty without a request."""

    by: str = ""

    def request(self, by: str) -> None:
        """Stop the load; a second request changes nothing."""
        self.by = self.by or by


@contextmanager
def stopped_by_ctrl_c(stop: Stop) -> Iterator[None]:
    """Turn the first SIGINT into a request to stop. The next one raises KeyboardInterrupt, as ever."""

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.by:
            signal.default_int_handler(number, frame)
        stop.request("Ctrl-C")

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
