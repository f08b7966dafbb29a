"""Serves the page of the running burst, its stream, its stop button and its metrics, on 127.0.0.1."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from orderboard_stack.process import HOST, free_port
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from orderboard.burst.export.metrics import CONTENT_TYPE
from orderboard.burst.live.feed import Feed
from orderboard.burst.report.html import asset
from orderboard.errors import UsageError
from orderboard.web.security import SameOriginOnly

LIVE_PORT: Final = 8070
_ASSETS: Final = {
    **dict.fromkeys(("uPlot.min.css", "report.css"), "text/css"),
    **dict.fromkeys(("uPlot.iife.min.js", "charts.js", "elements.js", "timeline.js", "live.js"), "text/javascript"),
}
_STREAMS_END_WITHIN_S: Final = 1
_WAITING_EVENTS: Final = 1_000  # a viewer that reads no more is dropped


def create_app(feed: Feed) -> Starlette:
    """Build the application."""

    async def page(_: Request) -> Response:
        return HTMLResponse(asset("live.html"))

    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        if (kind := _ASSETS.get(name)) is None:
            raise HTTPException(404)
        return Response(asset(name), media_type=kind)

    async def events(_: Request) -> Response:
        return StreamingResponse(_watch(feed), media_type="text/event-stream")

    async def stop(_: Request) -> Response:
        if not feed.stop_load():
            return JSONResponse({"message": "The load was stopped before."}, status_code=409)
        return JSONResponse({"message": "The load stops; the burst drains."})

    async def metrics(_: Request) -> Response:
        text = b"# EOF\n" if feed.metrics is None else await asyncio.to_thread(feed.metrics.text)
        return Response(text, headers={"Content-Type": CONTENT_TYPE})

    return Starlette(
        routes=[
            Route("/", page),
            Route("/assets/{name}", file),
            Route("/api/events", events),
            Route("/api/stop", stop, methods=["POST"]),
            Route("/metrics", metrics),
            Route("/favicon.ico", lambda _: Response(status_code=204)),
        ],
        middleware=[Middleware(SameOriginOnly)],
    )


@contextmanager
def live_page(feed: Feed, port: int | None) -> Iterator[str]:
    """Serve the page in a thread until the block ends; return its URL. Raise UsageError if the port is in use."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        number = port or free_port(LIVE_PORT)
        try:
            listening.bind((HOST, number))
            listening.listen()
        except OSError as exc:
            raise UsageError(f"--live-port {number}: {exc.strerror}. Choose another port.") from exc
        config = uvicorn.Config(
            create_app(feed),
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=_STREAMS_END_WITHIN_S,
            server_header=False,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), name="live-page", daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{number}"
        finally:
            feed.close()
            server.should_exit = True
            thread.join()


async def _watch(feed: Feed) -> AsyncIterator[str]:
    """Yield the events for one viewer, until the command ends."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str] = asyncio.Queue()

    def send(text: str) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, text)

    ended = feed.watch(send)
    try:
        while queue.qsize() < _WAITING_EVENTS:
            text = await queue.get()
            yield text
            if text.startswith("event: bye"):
                return
    finally:
        ended()
