"""The watchdog of the backend: without it, an SDK retries for a long time against a backend that has gone."""

from botocore.exceptions import BotoCoreError, EndpointConnectionError

from orderboard.system.system import System


class Watchdog:
    """Checks the backend. Once it has gone, every call fails at once, retries in progress included."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.backend_gone = False

    def check(self) -> None:
        """Check once."""
        if not self.backend_gone and not self._system.backend_answers():
            self._fail_fast()
            self.backend_gone = True

    def _fail_fast(self) -> None:
        target = self._system.target

        def fail_call(**_: object) -> None:
            raise EndpointConnectionError(endpoint_url=str(target.endpoint.endpoint_url))

        def fail_retry(**_: object) -> None:
            raise BotoCoreError

        for client in (target.sqs, target.events, target.dynamodb):
            client.meta.events.register("before-call", fail_call)
            client.meta.events.register("before-send", fail_retry)
