"""Serves the console on 127.0.0.1, in the foreground or as the process that `up` starts."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import uvicorn

from orderboard.console.routes import create_app
from orderboard.console.source import Source
from orderboard.system.process import start
from orderboard.system.services import HOST, Service, free_port

DEFAULT_PORT: Final = 8080
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


def start_console(logs_dir: Path) -> Service:
    """Start the console as a process that outlives this one. It may not be ready yet."""
    port = free_port(DEFAULT_PORT)
    arguments = [sys.executable, "-m", "orderboard.console", str(port)]
    process = start("console", arguments, os.environ, logs_dir / "console.log", outlives_us=True)
    return Service(process, f"http://{HOST}:{port}")
