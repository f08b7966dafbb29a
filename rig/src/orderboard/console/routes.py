"""The console's web application: the page, the event stream, and one route for each query and action."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from secrets import token_hex
from typing import Any, Final, get_args

from orderboard_contracts.menu import MENU
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from orderboard.console import requests
from orderboard.console.account.routes import ResourcePage
from orderboard.console.actions import Actions
from orderboard.console.alarms import read_alarms
from orderboard.console.explain import explain
from orderboard.console.fault_controls import PRESETS
from orderboard.console.feed import Feed
from orderboard.console.lab import Lab, experiments, program
from orderboard.console.meanings import MEANINGS
from orderboard.console.queue_settings import MAX_RECEIVE_COUNTS, VISIBILITY_TIMEOUTS_S
from orderboard.console.reconcile import Reconciler
from orderboard.console.snapshot import SnapshotReader
from orderboard.console.source import Source
from orderboard.console.timeline import Timelines, messages
from orderboard.console.traffic import BURST, STREAM_PER_S
from orderboard.console.workshop.page import WorkshopPage
from orderboard.errors import RigError, UsageError
from orderboard.system.target import AWS_ERRORS
from orderboard.web.security import SameOriginOnly

STATIC: Final = Path(__file__).with_name("static")
_RUN: Final = token_hex(8)  # the page forgets the guide's ticks of another run
_PAID_EVERY_S: Final = 5.0  # AWS bills every snapshot


class Console:
    """The parts of the console for one system, and their endpoints."""

    def __init__(self, source: Source, workshop: WorkshopPage) -> None:
        self._source, self._workshop = source, workshop
        self._snapshots, self._reconciler = SnapshotReader(source), Reconciler(source)
        self._actions = Actions(source, self._reconciler)
        self._table = self._actions.table()
        self._timelines = Timelines(source)
        self._lab = Lab()
        paid = source.backend == "aws"
        self._feed = Feed(self._read, every_s=_PAID_EVERY_S if paid else 1.0, idle_every_s=None if paid else 5.0)

    def _read(self) -> dict[str, Any]:
        self._actions.workers.reap()
        self._workshop.reap()
        snapshot = self._snapshots.read()
        self._reconciler.count_from(self._workshop.opened_at())
        reconciliation = self._reconciler.read(snapshot)
        return {**snapshot.document(), **self._actions.document(snapshot), "reconciliation": reconciliation}

    @asynccontextmanager
    async def running(self, _: Starlette) -> AsyncIterator[None]:
        """Poll the system and send orders for the length of the block."""
        sending = self._actions.traffic.follow(self._source)
        tasks = [asyncio.create_task(self._feed.run()), asyncio.create_task(sending)]
        yield
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)
        await asyncio.to_thread(self._lab.close)

    async def events(self, _: Request) -> Response:
        """Stream snapshots."""
        return StreamingResponse(self._feed.watch(), media_type="text/event-stream")

    async def queue(self, request: Request) -> Response:
        """Return the messages of a queue."""
        return JSONResponse(await asyncio.to_thread(messages, self._source, request.path_params["queue"]))

    async def timeline(self, request: Request) -> Response:
        """Return an order's timeline."""
        return JSONResponse(await asyncio.to_thread(self._timelines.order, str(request.path_params["order_id"])))

    async def journal(self, request: Request) -> Response:
        """Return entries of localbus's journal."""
        query = request.query_params
        read = self._timelines.journal
        return JSONResponse(await asyncio.to_thread(read, query.get("queue", ""), query.get("id", "")))

    async def alarms(self, _: Request) -> Response:
        """Return the stack's alarms, with the seconds since their last change."""
        return JSONResponse(await asyncio.to_thread(read_alarms, self._source))

    async def explanation(self, request: Request) -> Response:
        """Explain how an event is routed."""
        body = await requests.read_body(request, requests.Event)
        return JSONResponse(await asyncio.to_thread(explain, self._source, body.event))

    async def run_experiment(self, request: Request) -> Response:
        """Run an experiment of the lab; stream its timeline."""
        body = await requests.read_body(request, requests.Experiment)
        lines = await asyncio.to_thread(self._lab.run, body.name)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    async def act(self, request: Request) -> Response:
        """Run an action."""
        action = self._table.get(name := request.path_params["action"])
        if action is None:
            return _message(f"Unknown action {name}: expected {', '.join(self._table)}.", 404)
        result = await action.run(await requests.read_body(request, action.body))
        self._feed.nudge()
        return JSONResponse(asdict(result))


def create_app(source: Source) -> Starlette:
    """Build the application for one system."""
    resources, workshop = ResourcePage(source), WorkshopPage(source)
    console = Console(source, workshop)
    return Starlette(
        routes=[
            Route("/", resources.board_or_page),
            Route("/healthz", _healthz),
            Route("/api/about", _about),
            Route("/api/events", console.events),
            Route("/api/queues/{queue}/messages", console.queue),
            Route("/api/orders/{order_id:uuid}/timeline", console.timeline),
            Route("/api/alarms", console.alarms),
            Route("/api/journal", console.journal),
            Route("/api/explain", console.explanation, methods=["POST"]),
            Route("/lab", _lab_page),
            Route("/api/lab", _experiments),
            Route("/api/lab/run", console.run_experiment, methods=["POST"]),
            Route("/api/lab/{name}/{form}", _program),
            Route("/api/do/{action}", console.act, methods=["POST"]),
            *resources.routes(),
            *workshop.routes(),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(SameOriginOnly)],
        exception_handlers={
            UsageError: _error(422),
            RigError: _error(502),
            **dict.fromkeys(AWS_ERRORS, _error(502)),
            OSError: _error(500),  # such as a state folder that cannot be written
            RecursionError: _error(422),  # JSON that is nested too deeply
        },
        lifespan=console.running,
    )


async def _lab_page(_: Request) -> Response:
    return FileResponse(STATIC / "lab.html")


async def _experiments(_: Request) -> Response:
    return JSONResponse(await asyncio.to_thread(experiments))


async def _program(request: Request) -> Response:
    name, form = request.path_params["name"], request.path_params["form"]
    return JSONResponse({"text": await asyncio.to_thread(program, name, form)})


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _about(_: Request) -> Response:
    return JSONResponse(
        {
            "menu": [item.model_dump() for item in MENU.values()],
            "max_per_s": requests.MAX_PER_S,
            "burst": BURST,
            "stream_per_s": STREAM_PER_S,
            "delivery_presets": list(PRESETS),
            "fault_kinds": get_args(requests.FaultKind),
            "fault_actions": get_args(requests.FaultAction),
            "visibility_timeouts_s": VISIBILITY_TIMEOUTS_S,
            "max_receive_counts": MAX_RECEIVE_COUNTS,
            "meanings": MEANINGS,
            "run": _RUN,
        }
    )


def _error(status: int) -> Any:
    async def answer(_: Request, exc: Exception) -> Response:
        return _message(str(exc), status)

    return answer


def _message(text: str, status: int) -> Response:
    return JSONResponse({"message": text}, status_code=status)
