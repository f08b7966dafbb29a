"""The console's web application: the page, the event stream, and one route for each query and action."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, get_args

from orderboard_contracts.menu import MENU
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from orderboard.console import requests
from orderboard.console.actions import Actions
from orderboard.console.explain import explain
from orderboard.console.fault_controls import PRESETS
from orderboard.console.feed import Feed
from orderboard.console.reconcile import Reconciler
from orderboard.console.security import SameOriginOnly
from orderboard.console.snapshot import SnapshotReader
from orderboard.console.source import Source
from orderboard.console.timeline import Timelines, messages
from orderboard.console.traffic import BURST, STREAM_PER_S
from orderboard.errors import RigError, UsageError
from orderboard.system.target import AWS_ERRORS

STATIC: Final = Path(__file__).with_name("static")
_PAID_EVERY_S: Final = 5.0  # AWS bills every snapshot


def create_app(source: Source) -> Starlette:
    """Build the application for one system."""
    actions = Actions(source)
    feed = _feed(source, actions)
    routes = [
        Route("/", _page),
        Route("/healthz", _healthz),
        *_stream(feed),
        *_queries(source),
        Route("/api/do/{action}", _act(actions, feed), methods=["POST"]),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(feed.run()), asyncio.create_task(actions.traffic.follow(source))]
        yield
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)

    return Starlette(
        routes=routes,
        middleware=[Middleware(SameOriginOnly)],
        exception_handlers={
            UsageError: _error(422),
            RigError: _error(502),
            **dict.fromkeys(AWS_ERRORS, _error(502)),
            RecursionError: _error(422),  # JSON that is nested too deeply
        },
        lifespan=running,
    )


def _feed(source: Source, actions: Actions) -> Feed:
    snapshots, reconciler = SnapshotReader(source), Reconciler(source)

    def read() -> dict[str, Any]:
        actions.workers.reap()
        snapshot = snapshots.read()
        reconciliation = reconciler.read(snapshot)
        return {**snapshot.document(), **actions.document(snapshot), "reconciliation": reconciliation}

    paid = source.backend == "aws"
    return Feed(read, every_s=_PAID_EVERY_S if paid else 1.0, idle_every_s=None if paid else 5.0)


def _stream(feed: Feed) -> list[Route]:
    async def events(_: Request) -> Response:
        return StreamingResponse(feed.watch(), media_type="text/event-stream")

    async def about(_: Request) -> Response:
        return JSONResponse(
            {
                "menu": [item.model_dump() for item in MENU.values()],
                "max_per_s": requests.MAX_PER_S,
                "burst": BURST,
                "stream_per_s": STREAM_PER_S,
                "delivery_presets": list(PRESETS),
                "fault_kinds": get_args(requests.FaultKind),
                "fault_actions": get_args(requests.FaultAction),
            }
        )

    return [Route("/api/about", about), Route("/api/events", events)]


def _queries(source: Source) -> list[Route]:
    timelines = Timelines(source)

    async def queue(request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(messages, source, request.path_params["queue"]))

    async def timeline(request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(timelines.order, str(request.path_params["order_id"])))

    async def journal(request: Request) -> Response:
        query = request.query_params
        return JSONResponse(await asyncio.to_thread(timelines.journal, query.get("queue", ""), query.get("id", "")))

    async def explanation(request: Request) -> Response:
        body = await requests.read_body(request, requests.Event)
        return JSONResponse(await asyncio.to_thread(explain, source, body.event))

    return [
        Route("/api/queues/{queue}/messages", queue),
        Route("/api/orders/{order_id:uuid}/timeline", timeline),
        Route("/api/journal", journal),
        Route("/api/explain", explanation, methods=["POST"]),
    ]


def _act(actions: Actions, feed: Feed) -> Callable[[Request], Any]:
    table = actions.table()

    async def act(request: Request) -> Response:
        action = table.get(name := request.path_params["action"])
        if action is None:
            return _message(f"Unknown action {name}: expected {', '.join(table)}.", 404)
        result = await action.run(await requests.read_body(request, action.body))
        feed.nudge()
        return JSONResponse({"message": result.message, "command": result.command})

    return act


async def _page(_: Request) -> Response:
    return FileResponse(STATIC / "index.html")


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok")


def _error(status: int) -> Any:
    async def answer(_: Request, exc: Exception) -> Response:
        return _message(str(exc), status)

    return answer


def _message(text: str, status: int) -> Response:
    return JSONResponse({"message": text}, status_code=status)
