"""`python -m order_api`: read the settings, wire the app once, serve until SIGTERM or Ctrl-C, drain, exit 0."""

import gc
import logging
import math
import signal
import socket
import sys
from typing import Final, NoReturn

import uvicorn
from pydantic import ValidationError

from order_api.app import create_app
from order_api.logs import configure_logs
from order_api.settings import Settings

log = logging.getLogger("order_api")
_CANNOT_START: Final = 2
_KEEP_ALIVE_S: Final = 30


class _Server(uvicorn.Server):
    """uvicorn, saying where it listens and when it has ended in our own events."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()  # what start has made stays: full collections, which stop every request, need not look at it again
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        log.info("api.listening", extra={"host": host, "port": port})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        log.info("api.draining")
        await super().shutdown(sockets)
        log.info("api.stopped")


def main() -> None:
    """Run the service; exit 2 with a message when its settings do not allow it to start."""
    try:
        settings = Settings()
    except ValidationError as exc:
        _refuse_to_start(exc)
    configure_logs()
    config = uvicorn.Config(
        create_app(settings),
        host=settings.api_host,
        port=settings.api_port,
        loop="auto",  # uvloop where there is one
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=math.ceil(settings.api_publish_deadline_s) + 1,
    )
    # uvicorn drains and then raises the signal again for whoever handled it before: to us that is a clean end.
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: sys.exit(0))
    _Server(config).run()


def _refuse_to_start(exc: ValidationError) -> NoReturn:
    for error in exc.errors(include_url=False, include_input=False):
        variable = "".join(f"ORDERBOARD_{str(part).upper()}: " for part in error["loc"])
        message = error["msg"].removeprefix("Value error, ")
        print(f"order-api cannot start: {variable}{message}", file=sys.stderr)
    sys.exit(_CANNOT_START)


if __name__ == "__main__":
    main()
