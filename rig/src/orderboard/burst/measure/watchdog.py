"""The watchdog of the backend: without it, an SDK retries for a long time against a backend that has gone."""

import time
from typing import Final

from botocore.exceptions import BotoCoreError, EndpointConnectionError

from orderboard.system.system import System

_RESTARTED_WITHIN_S: Final = 30.0


class Watchdog:
    """Checks the backend. Once it has gone, every call fails at once, retries in progress included.

    A backend whose first process runs starts its engines again; it has gone when that takes too long.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self._answered_at = time.monotonic()
        self.backend_gone = False

    def check(self) -> None:
        """Check once."""
        if self.backend_gone:
            return
        if self._system.backend_answers():
            self._answered_at = time.monotonic()
        elif not self._is_kept() or time.monotonic() - self._answered_at > _RESTARTED_WITHIN_S:
            self._fail_fast()
            self.backend_gone = True

    def _is_kept(self) -> bool:
        return any(each.name == "backend" and each.find() is not None for each in self._system.processes())

    def _fail_fast(self) -> None:
        target = self._system.target

        def fail_call(**_: object) -> None:
            raise EndpointConnectionError(endpoint_url=str(target.endpoint.endpoint_url))

        def fail_retry(**_: object) -> None:
            raise BotoCoreError

        for client in (target.sqs, target.events, target.dynamodb):
            client.meta.events.register("before-call", fail_call)
            client.meta.events.register("before-send", fail_retry)
