"""Routes of the developer API: the table, the index page, dispatch and errors."""

from __future__ import annotations

import base64
import difflib
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from localbus.developer_api.services import ServedBy
from localbus.http.message import Headers, Request, Response
from localbus.protocol.json_codec import read_request

INDEX = "/_localbus/"
JSON_HEADERS: Headers = [(b"Content-Type", b"application/json")]
_TEXT: Headers = [(b"Content-Type", b"text/plain; charset=utf-8")]


@dataclass(frozen=True)
class Route:
    """One route. `address` is the path with its query parameters, `about` a line for the index."""

    method: str
    address: str
    about: str
    answer: Callable[[Request], Response | Awaitable[Response]]

    @property
    def path(self) -> str:
        """The address without query parameters."""
        return self.address.partition("?")[0]

    def check_query(self, query: Iterable[str]) -> None:
        """Raise ValueError for a query parameter that the address does not list."""
        known = [name for name, _ in parse_qsl(self.address.partition("?")[2], keep_blank_values=True)]
        for name in query:
            if name not in known:
                raise ValueError(f"Unknown query parameter {name!r}: expected {', '.join(known) or 'none'}.")


class Routes:
    """All routes. The first is the index, which lists them."""

    def __init__(self, routes: Iterable[Route], services: Sequence[ServedBy] = ()) -> None:
        self._services = services
        self._list = [Route("GET", INDEX, "this list", self._index), *routes]
        self._by_key = {(route.method, route.path): route for route in self._list}

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        """Answer by the route of a request. An invalid value (ValueError) becomes a 400."""
        path = INDEX if request.path in {"/", INDEX.rstrip("/")} else request.path
        if request.method == "HEAD" and ("GET", path) in self._by_key:
            answer = self._by_key["GET", path].answer(request) if path.endswith("/health") else None
            return Response(answer.status if isinstance(answer, Response) else 200, [])
        route = self._by_key.get((request.method, path))
        if route is None:
            return self._not_found(request.method, path)
        try:
            if path.startswith(INDEX):
                route.check_query(request.query)
            return route.answer(request)
        except (json.JSONDecodeError, RecursionError, UnicodeDecodeError) as exc:
            return problem(400, f"The body is not JSON: {exc if isinstance(exc, ValueError) else 'it is too deep'}.")
        except ValueError as exc:
            return problem(400, str(exc))

    def _index(self, request: Request) -> Response:
        if "application/json" in request.header(b"accept"):
            routes = [{"method": one.method, "address": one.address, "about": one.about} for one in self._list]
            return document({"pages": routes, "services": [one._asdict() for one in self._services]})
        lines = [f"{route.method:<4}  {route.address}\n        {route.about}" for route in self._list]
        intro = (
            "This is localbus: SQS, SNS, EventBridge and DynamoDB for any AWS client with this address as its endpoint."
        )
        table = [f"{one.service:<18}{one.engine:<10}{one.reach}" for one in self._services]
        parts = [intro, "", *lines, "", "Services, and the engines that serve them:", "", *table, ""]
        return Response(200, _TEXT, "\n".join(parts).encode())

    def _not_found(self, method: str, path: str) -> Response:
        methods = [route.method for route in self._list if route.path == path]
        if methods:
            return problem(405, f"{path} accepts {' and '.join(methods)}, not {method}.")
        near = difflib.get_close_matches(path, [route.path for route in self._list], n=1)
        guess = f" Did you mean {near[0]}?" if near else ""
        return problem(404, f"Unknown route {path}.{guess} GET {INDEX} lists all routes.")


def json_object(request: Request, expected: dict[str, Any]) -> dict[str, Any]:
    """Parse a body that must be an object with exactly the members of `expected`, an example for the error."""
    given = read_request(request.body)
    if not isinstance(given, dict) or given.keys() != expected.keys():
        raise ValueError(f"Invalid body: expected {json.dumps(expected)}.")
    return given


def document(content: object) -> Response:
    """Build a JSON response."""
    return Response(200, JSON_HEADERS, json.dumps(content, default=_plain).encode())


def _plain(value: object) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else repr(value)


def problem(status: int, text: str) -> Response:
    """Build the response for an invalid request."""
    return Response(status, JSON_HEADERS, json.dumps({"error": text}).encode())
