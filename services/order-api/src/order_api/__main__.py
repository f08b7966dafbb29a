"""`python -m order_api`: read the settings, serve until SIGTERM or Ctrl-C, drain, exit with 0."""

import logging
import math
import signal
import socket
import sys
from typing import Final

import uvicorn
from orderboard_aws_client.json_logs import configure_json_logs
from orderboard_aws_client.startup import freeze_heap, load_settings, start_tracing

from order_api.app import create_app
from order_api.http_protocol import HttpProtocol
from order_api.settings import Settings
from order_api.trace import CorrelationFilter

log = logging.getLogger("order_api")
_KEEP_ALIVE_S: Final = 30


class _Server(uvicorn.Server):
    """uvicorn, with log events of ours for start and stop."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        freeze_heap()
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        log.info("api.listening", extra={"host": host, "port": port})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        log.info("api.draining")
        await super().shutdown(sockets)
        log.info("api.stopped")


def configure_logs() -> None:
    """Log as JSON, with the correlation id of the request; uvicorn logs only warnings."""
    configure_json_logs(
        "order-api", filters=[CorrelationFilter()], warnings_only=("uvicorn.error", "botocore", "aiobotocore")
    )


def main() -> None:
    """Run the service; exit with 2 and a message if its settings are not valid."""
    settings = load_settings("order-api", Settings)
    tracing = start_tracing("order-api")
    configure_logs()
    config = uvicorn.Config(
        create_app(settings, tracing=tracing),
        host=settings.api_host,
        port=settings.api_port,
        loop="auto",  # uvloop if it is installed
        http=HttpProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=math.ceil(settings.api_publish_deadline_s) + 1,
    )
    # After a drain uvicorn raises the signal again for the previous handler: here that is a clean exit.
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: sys.exit(0))
    try:
        _Server(config).run()
    finally:
        if tracing is not None:
            tracing.stop()


if __name__ == "__main__":
    main()
