"""Serves the console on 127.0.0.1, in the foreground or as the process that `up` starts."""

from collections.abc import Callable
from typing import Final

import uvicorn
from orderboard_stack.process import HOST

from orderboard.console.routes import create_app
from orderboard.console.source import Source

_STREAMS_END_WITHIN_S: Final = 1


def serve(source: Source, port: int, on_start: Callable[[str], None]) -> None:
    """Serve until a signal ends it. on_start gets the URL."""
    config = uvicorn.Config(
        create_app(source),
        host=HOST,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_STREAMS_END_WITHIN_S,
        server_header=False,
    )
    on_start(f"http://{HOST}:{port}")
    uvicorn.Server(config).run()
