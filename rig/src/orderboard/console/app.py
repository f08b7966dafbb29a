"""The console's web application: the page, the stream of looks, and one route for each thing that it can do."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from orderboard_contracts.menu import MENU
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from orderboard.console import asked
from orderboard.console.actions import Actions
from orderboard.console.disturbances import ACTIONS, DISORDERS, KINDS
from orderboard.console.matches import matches
from orderboard.console.messages import messages
from orderboard.console.safety import SameOriginOnly
from orderboard.console.source import Source
from orderboard.console.traffic import BURST, MAX_PER_S, STREAM_PER_S
from orderboard.console.watch import Watch
from orderboard.errors import RigError, UsageError
from orderboard.system.target import AWS_ERRORS

STATIC: Final = Path(__file__).with_name("static")


def create_app(source: Source) -> Starlette:
    """The application around one system."""
    actions = Actions(source)
    watch = Watch(source, actions)
    routes = [
        Route("/", _page),
        Route("/healthz", _healthz),
        *_watching(watch),
        *_looking_closer(source, watch),
        *_acting(actions, watch),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(watch.feed.run()), asyncio.create_task(actions.traffic.follow(source))]
        yield
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)

    return Starlette(
        routes=routes,
        middleware=[Middleware(SameOriginOnly)],
        exception_handlers={
            UsageError: _answering(422),
            RigError: _answering(502),
            **dict.fromkeys(AWS_ERRORS, _answering(502)),
            RecursionError: _answering(422),  # JSON that is nested too deep
        },
        lifespan=running,
    )


def _watching(watch: Watch) -> list[Route]:
    async def events(_: Request) -> Response:
        return StreamingResponse(watch.feed.watch(), media_type="text/event-stream")

    async def about(_: Request) -> Response:
        return JSONResponse(
            {
                "menu": [item.model_dump() for item in MENU.values()],
                "looks": watch.feed.looks,
                "max_per_s": MAX_PER_S,
                "burst": BURST,
                "stream_per_s": STREAM_PER_S,
                "disorders": list(DISORDERS),
                "fault_kinds": KINDS,
                "fault_actions": ACTIONS,
            }
        )

    return [Route("/api/about", about), Route("/api/events", events)]


def _looking_closer(source: Source, watch: Watch) -> list[Route]:
    async def queue(request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(messages, source, request.path_params["queue"]))

    async def story(request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(watch.follower.story, str(request.path_params["order_id"])))

    async def journal(request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(watch.journal_document, request.query_params))

    async def match(request: Request) -> Response:
        body = await asked.body(request)
        return JSONResponse(await asyncio.to_thread(matches, source, asked.text(body, "event")))

    return [
        Route("/api/queues/{queue}/messages", queue),
        Route("/api/orders/{order_id:uuid}/story", story),
        Route("/api/journal", journal),
        Route("/api/match", match, methods=["POST"]),
    ]


def _acting(actions: Actions, watch: Watch) -> list[Route]:
    table = actions.table()

    async def act(request: Request) -> Response:
        body = await asked.body(request)
        action = table.get(request.path_params["action"])
        if action is None:
            return _said(f"There is no action {request.path_params['action']}.", 404)
        turned = await action(body)
        watch.feed.nudge()
        return JSONResponse({"said": turned.said, "command": turned.command})

    return [Route("/api/do/{action}", act, methods=["POST"])]


async def _page(_: Request) -> Response:
    return FileResponse(STATIC / "index.html")


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok")


def _answering(status: int) -> Any:
    async def answer(_: Request, exc: Exception) -> Response:
        return _said(str(exc), status)

    return answer


def _said(text: str, status: int) -> Response:
    document: Mapping[str, str] = {"said": text}
    return JSONResponse(document, status_code=status)
