"""Notices within about a second that the backend has gone, in a thread: the SDK would try again for long."""

import threading
from typing import Final

from orderboard_stack.backend import Endpoint

from orderboard.system.backends import listens

_EVERY_S: Final = 1.0


class Lookout:
    """Looks until it is stopped, or has seen that nothing listens there any more."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lookout", daemon=True)
        self.backend_gone = False

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            if not listens(self._endpoint):
                self.backend_gone = True
                return
