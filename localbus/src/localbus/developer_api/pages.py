"""A page of the glass box, and the list of all: which one is asked for, and what to say when there is no such page."""

from __future__ import annotations

import base64
import difflib
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from localbus.http.message import Headers, Request, Response

INDEX = "/_localbus/"
_JSON: Headers = [(b"Content-Type", b"application/json")]
_TEXT: Headers = [(b"Content-Type", b"text/plain; charset=utf-8")]


@dataclass(frozen=True)
class Page:
    """One page. `address` has the parameters that it takes; `about` says in a line what it is for."""

    method: str
    address: str
    about: str
    answer: Callable[[Request], Response | Awaitable[Response]]

    @property
    def path(self) -> str:
        """The address without parameters."""
        return self.address.partition("?")[0]


class Pages:
    """All pages, the list of them first."""

    def __init__(self, pages: Iterable[Page]) -> None:
        self._list = [Page("GET", INDEX, "this list", self._index), *pages]
        self._pages = {(page.method, page.path): page for page in self._list}

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        """Answer by the page that is asked for; a value that it cannot use is a 400."""
        path = INDEX if request.path in {"/", INDEX.rstrip("/")} else request.path
        if request.method == "HEAD" and ("GET", path) in self._pages:
            return Response(200, [])
        page = self._pages.get((request.method, path))
        if page is None:
            return self._not_found(request.method, path)
        try:
            return page.answer(request)
        except (json.JSONDecodeError, RecursionError, UnicodeDecodeError) as exc:
            return problem(400, f"The body is not JSON: {exc}.")
        except ValueError as exc:
            return problem(400, str(exc))

    def _index(self, request: Request) -> Response:
        if "application/json" in request.header(b"accept"):
            return document(
                {
                    "pages": [
                        {"method": page.method, "address": page.address, "about": page.about} for page in self._list
                    ]
                }
            )
        lines = [f"{page.method:<4}  {page.address}\n        {page.about}" for page in self._list]
        intro = "This is localbus: SQS, SNS and EventBridge for any AWS client that has this address as its endpoint."
        return Response(200, _TEXT, "\n".join([intro, "", *lines, ""]).encode())

    def _not_found(self, method: str, path: str) -> Response:
        methods = [page.method for page in self._list if page.path == path]
        if methods:
            return problem(405, f"{path} takes {' and '.join(methods)}, not {method}.")
        near = difflib.get_close_matches(path, [page.path for page in self._list], n=1)
        guess = f" Did you mean {near[0]}?" if near else ""
        return problem(404, f"There is no page {path}.{guess} GET {INDEX} lists all.")


def document(content: object) -> Response:
    """A JSON document as an answer."""
    return Response(200, _JSON, json.dumps(content, default=_plain).encode())


def _plain(value: object) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else repr(value)


def problem(status: int, text: str) -> Response:
    """What is wrong with the request, as an answer."""
    return Response(status, _JSON, json.dumps({"error": text}).encode())
