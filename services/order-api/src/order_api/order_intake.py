"""The short way of an order: POST /orders by ASGI alone, as FastAPI's own work costs more than the order's.

It takes valid orders only. FastAPI gets every other request, with the body that was read: `orders` has the route, which
describes the endpoint and says what is wrong with a request.
"""

import re
from typing import Any, Final

from orderboard_contracts.order import OrderRequest
from pydantic import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from order_api.error_handlers import not_published
from order_api.json_body import MalformedJsonError, is_json, parse_json
from order_api.orders import KEY_PATTERN, place
from order_api.problem import ProblemError
from order_api.publisher import NotPublishedError

_PATH: Final = "/orders"
_KEY: Final = re.compile(KEY_PATTERN.rstrip("$").encode())


class OrderIntake:
    """An ASGI app that handles valid orders, in front of the one that handles all other requests."""

    def __init__(self, app: ASGIApp, fastapi: Any) -> None:
        self._app = app
        self._state = fastapi.state
        self._route = next(each for each in fastapi.router.routes if each.path == _PATH and "POST" in each.methods)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Place the order of this request, or pass the request on."""
        if scope["path"] != _PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route  # for the metrics
        try:
            messages = await _body(receive)
            if (found := _valid(scope, messages)) is None:
                await self._app(scope, _again(messages, receive), send)
                return
            response = await place(*found, self._state.dependencies)
        except ProblemError as exc:
            response = exc.response()
        except NotPublishedError as exc:
            response = await not_published(None, exc)
        await response(scope, receive, send)


async def _body(receive: Receive) -> list[Message]:
    """Receive the whole body, or what there is of it when the client leaves."""
    messages: list[Message] = []
    more = True
    while more:
        message = await receive()
        messages.append(message)
        more = message.get("more_body", False)
    return messages


def _again(messages: list[Message], receive: Receive) -> Receive:
    """Return a receive that begins with these messages."""
    left = iter(messages)

    async def again() -> Message:
        return next(left, None) or await receive()

    return again


def _valid(scope: Scope, messages: list[Message]) -> tuple[OrderRequest, str | None] | None:
    """Return the order and its key if everything about them is as it should be."""
    key = content_type = None
    for name, value in scope["headers"]:
        if name == b"idempotency-key":
            if key is not None or _KEY.fullmatch(value) is None:
                return None
            key = value.decode()
        elif name == b"content-type":
            if content_type is not None:
                return None
            content_type = value.decode("latin-1")
        elif name == b"content-encoding":
            return None
    if messages[-1]["type"] != "http.request" or not is_json(content_type or ""):
        return None
    try:
        return OrderRequest.model_validate(parse_json(b"".join(each.get("body", b"") for each in messages))), key
    except (MalformedJsonError, ValidationError):
        return None
