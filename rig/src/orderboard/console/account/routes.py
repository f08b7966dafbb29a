"""The routes of the page of resources, and its redirect: without an order system it is the console's only page."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from orderboard.console import requests
from orderboard.console.account.actions import ResourceActions
from orderboard.console.account.reading import Account
from orderboard.console.account.views import Views
from orderboard.console.source import Source
from orderboard.errors import RigError, UsageError
from orderboard.system.target import AWS_ERRORS

PAGE: Final = "/resources"
_STATIC: Final = Path(__file__).parents[1] / "static"


class Matches(requests.Body):
    """A text that the user pasted, to be tested by a rule, a filter policy or filter criteria."""

    arn: str
    text: str


class ResourcePage:
    """The page of resources for one source."""

    def __init__(self, source: Source) -> None:
        self._account = Account(source)
        self._views = Views(self._account)
        self._actions = ResourceActions(self._account).table()

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(PAGE, _page),
            Route("/api/resources", self._list),
            Route("/api/resources/about", self._about),
            Route("/api/resources/messages", self._of(self._views.messages, "arn", "message_id")),
            Route("/api/resources/journal", self._of(self._views.journal, "arn", "message_id")),
            Route("/api/resources/deliveries", self._of(self._views.deliveries, "arn")),
            Route("/api/resources/arrival", self._of(self._views.arrival, "message_id")),
            Route("/api/resources/matches", self._matches, methods=["POST"]),
            Route("/api/resources/do/{action}", self._act, methods=["POST"]),
        ]

    async def board_or_page(self, _: Request) -> Response:
        """Answer / with the board, or without an order system to show with a redirect to this page."""
        try:
            why_no_board = await asyncio.to_thread(self._account.why_no_board)
        except (RigError, *AWS_ERRORS):  # the board says what is wrong
            why_no_board = None
        return FileResponse(_STATIC / "index.html") if why_no_board is None else RedirectResponse(PAGE, 307)

    async def _list(self, request: Request) -> Response:
        fresh = request.query_params.get("fresh") == "1"
        return JSONResponse(await asyncio.to_thread(lambda: self._account.document(fresh=fresh)))

    async def _about(self, _: Request) -> Response:
        return JSONResponse({"why_no_board": await asyncio.to_thread(self._account.why_no_board)})

    async def _matches(self, request: Request) -> Response:
        body = await requests.read_body(request, Matches)
        return JSONResponse(await asyncio.to_thread(self._views.matches, body.arn, body.text))

    async def _act(self, request: Request) -> Response:
        action = request.path_params["action"]
        if action not in self._actions:
            raise UsageError(f"Unknown action {action}: expected {', '.join(self._actions)}.")
        model, act = self._actions[action]
        return JSONResponse(asdict(await asyncio.to_thread(act, await requests.read_body(request, model))))

    @staticmethod
    def _of(read: Callable[..., dict[str, Any]], *names: str) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            given = {name: request.query_params[name] for name in names if name in request.query_params}
            return JSONResponse(await asyncio.to_thread(lambda: read(**given)))

        return answer


async def _page(_: Request) -> Response:
    return FileResponse(_STATIC / "resources" / "index.html")
