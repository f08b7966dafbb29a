"""The console's web application: the page, the stream of looks, and one route for each thing that it can do."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from orderboard_contracts.menu import MENU
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from orderboard.client import Accepted
from orderboard.console.board import BoardLook, Looker, queue_names
from orderboard.console.feed import Feed
from orderboard.console.follow import Follower
from orderboard.console.knobs import Knobs, Turned, number, text
from orderboard.console.matches import matches
from orderboard.console.orders import KINDS, Kind
from orderboard.console.peek import CannotPeekError, peek
from orderboard.console.safety import SameOriginOnly
from orderboard.console.source import Source
from orderboard.console.traffic import MAX_BURST, MAX_PER_S, Traffic
from orderboard.console.workers import Workers
from orderboard.errors import RigError, UsageError
from orderboard.player import refusal
from orderboard.target import AWS_ERRORS

log: Final = logging.getLogger(__name__)

STATIC: Final = Path(__file__).with_name("static")
_SHOWN_MESSAGES: Final = 50
_MAX_PREPARATION_MS: Final = 60_000
_PAID_EVERY_S: Final = 5.0  # on AWS every look is billed

Body = dict[str, Any]
Action = Callable[[Body], Awaitable[Turned]]


@dataclass
class Console:
    """Everything that the routes need."""

    source: Source
    traffic: Traffic = field(default_factory=Traffic)

    def __post_init__(self) -> None:
        self.workers = Workers(self.source)
        self.knobs = Knobs(self.source, self.workers)
        self.follower = Follower(self.source)
        paid = self.source.backend == "aws"
        looker = Looker(self.source)
        self._looked: BoardLook | None = None

        def look() -> BoardLook:
            self.workers.reap()
            self._looked = looker.look()
            return self._looked

        self.feed = Feed(look, self._more, every_s=_PAID_EVERY_S if paid else 1.0, idle_every_s=None if paid else 5.0)

    def _more(self) -> Body:
        assert self._looked is not None  # noqa: S101 - the feed asks after a look
        state = self.source.state()
        self.traffic.faults = state is not None and state.allow_faults
        return {**self.knobs.document(self._looked), "traffic": self.traffic.document()}

    async def place(self, body: Body) -> Turned:
        """One order: of a kind, or as the form has it."""
        kind = _kind(body.get("kind"))
        order = body.get("order")
        if order is not None and not isinstance(order, dict):
            raise UsageError("order must be an object.")
        answer, sent = await self.traffic.place(kind, order)
        if not isinstance(answer, Accepted):
            raise RigError(refusal(answer) or "order-api refused it.")
        url = self.source.target().api()
        quoted = json.dumps(sent, ensure_ascii=False).replace("'", "'\\''")
        return Turned(answer.order_id, f"curl {url}/orders --json '{quoted}'")

    async def burst(self, body: Body) -> Turned:
        """Many at once."""
        count = int(number(body, "count", 1, MAX_BURST))
        self.traffic.burst(count)
        return Turned(f"{count} orders are on their way to order-api.", "orderboard place orders.jsonl")

    async def stream(self, body: Body) -> Turned:
        """So many a second, until told otherwise."""
        per_s = number(body, "per_s", 0, MAX_PER_S)
        self.traffic.stream(per_s)
        return Turned(
            f"{per_s:g} orders a second." if per_s else "No more orders are sent.", "orderboard place orders.jsonl"
        )

    def actions(self) -> dict[str, Action]:
        """What can be done, by the last part of its path."""
        knobs = self.knobs

        def threaded(act: Callable[[Body], Turned]) -> Action:
            async def run(body: Body) -> Turned:
                return await asyncio.to_thread(act, body)

            return run

        return {
            "place": self.place,
            "burst": self.burst,
            "stream": self.stream,
            "worker": threaded(lambda body: knobs.worker(text(body, "name"), _worker_action(body))),
            "add-worker": threaded(lambda _: knobs.add_worker()),
            "preparation": threaded(
                lambda body: knobs.preparation(int(number(body, "milliseconds", 0, _MAX_PREPARATION_MS)))
            ),
            "mapping": threaded(lambda body: knobs.mapping(enabled=body.get("enabled") is True)),
            "redrive": threaded(lambda body: knobs.redrive(text(body, "queue"))),
            "purge": threaded(lambda body: knobs.purge(text(body, "queue"))),
            "replay": threaded(lambda _: knobs.replay()),
        }


def create_app(source: Source) -> Starlette:
    """The application around one system."""
    console = Console(source)
    actions = console.actions()

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(console.feed.run()), asyncio.create_task(_send_orders(console))]
        yield
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)

    async def page(_: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def events(_: Request) -> Response:
        return StreamingResponse(console.feed.watch(), media_type="text/event-stream")

    async def about(_: Request) -> Response:
        return JSONResponse(
            {
                "menu": [item.model_dump() for item in MENU.values()],
                "looks": console.feed.looks,
                "max_per_s": MAX_PER_S,
                "max_burst": MAX_BURST,
            }
        )

    async def act(request: Request) -> Response:
        body = await _body(request)
        turned = await actions[request.path_params["action"]](body)
        console.feed.nudge()
        return JSONResponse({"said": turned.said, "command": turned.command})

    async def messages(request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(_messages, source, request.path_params["queue"]))

    async def story(request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(console.follower.story, str(request.path_params["order_id"])))

    async def match(request: Request) -> Response:
        body = await _body(request)
        return JSONResponse(await asyncio.to_thread(matches, source, text(body, "event")))

    return Starlette(
        routes=[
            Route("/", page),
            Route("/healthz", healthz),
            Route("/api/about", about),
            Route("/api/events", events),
            Route("/api/queues/{queue}/messages", messages),
            Route("/api/orders/{order_id:uuid}/story", story),
            Route("/api/match", match, methods=["POST"]),
            Route("/api/do/{action}", act, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(SameOriginOnly)],
        exception_handlers={
            UsageError: _refused,
            RigError: _failed,
            KeyError: _unknown,
            **dict.fromkeys(AWS_ERRORS, _failed),
        },
        lifespan=running,
    )


def _messages(source: Source, key: str) -> Body:
    target = source.target()
    short, _, dead = key.partition(".")
    names = queue_names(target.outputs).get(short)
    name = None if names is None else names[1] if dead == "dlq" else names[0]
    if name is None:
        raise UsageError(f"There is no queue {key}.")
    try:
        found = peek(target.endpoint, source.queue_url(name))
    except CannotPeekError as exc:
        return {"queue": name, "count": None, "messages": [], "why_not": str(exc)}
    shown = [each.document() for each in found[:_SHOWN_MESSAGES]]
    return {"queue": name, "count": len(found), "messages": shown, "why_not": None}


async def _send_orders(console: Console) -> None:
    """Be a client of order-api, wherever it is, as soon as it is known."""
    while True:
        with suppress(RigError, *AWS_ERRORS):
            await console.traffic.run((await asyncio.to_thread(console.source.target)).api())
        await asyncio.sleep(1)


async def _body(request: Request) -> Body:
    try:
        body = await request.json()
    except ValueError as exc:
        raise UsageError(f"The action's body is no JSON: {exc}") from exc
    if not isinstance(body, dict):
        raise UsageError("The action's body must be an object.")
    return body


def _kind(value: object) -> Kind:
    for kind in KINDS:
        if kind == value:
            return kind
    raise UsageError(f"kind must be one of {', '.join(KINDS)}.")


def _worker_action(body: Body) -> str:
    action = text(body, "action")
    if action not in ("stop", "start", "kill", "freeze", "thaw"):
        raise UsageError("action must be one of stop, start, kill, freeze, thaw.")
    return action


async def _refused(_: Request, exc: Exception) -> Response:
    return JSONResponse({"said": str(exc)}, status_code=422)


async def _failed(_: Request, exc: Exception) -> Response:
    return JSONResponse({"said": str(exc)}, status_code=502)


async def _unknown(_: Request, exc: Exception) -> Response:
    return JSONResponse({"said": f"There is no action {exc}."}, status_code=404)
