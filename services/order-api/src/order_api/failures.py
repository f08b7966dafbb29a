"""From an exception to the problem that the client sees: one table, registered with the app."""

import logging
from typing import Final, cast

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException as StarletteHTTPException

from order_api import problem
from order_api.cursor import BadCursorError
from order_api.lookup import LookupUnavailableError
from order_api.problem import FieldError, Kind, ProblemError, Source, field_error, problem_response
from order_api.publisher import NotPublishedError

log = logging.getLogger(__name__)

_KIND_BY_STATUS: Final[dict[int, Kind]] = {
    404: problem.NO_SUCH_PAGE,
    405: problem.METHOD_NOT_ALLOWED,
    400: problem.MALFORMED_JSON,
}


# pydantic's words where they say what was looked for, not what to do.
_MENDS: Final = {
    "missing": "is required; send it",
    "extra_forbidden": "is unknown here; leave it out",
    "model_attributes_type": "should be a JSON object",
}


async def _raised(request: Request, exc: Exception) -> Response:
    error = cast(StarletteHTTPException, exc)
    headers = dict(error.headers or {})
    if isinstance(error, ProblemError):
        return problem_response(error.kind, error.detail, errors=error.errors, headers=headers)
    kind = _KIND_BY_STATUS.get(error.status_code, problem.INTERNAL_ERROR)
    if kind is problem.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return problem_response(kind, kind.meaning, headers=headers)


def _methods(request: Request) -> set[str]:
    """All methods of the address, also where each has a route of its own."""
    template = request.scope["route"].path
    return {
        method
        for route in request.app.routes
        if getattr(route, "path", None) == template
        for method in getattr(route, "methods", None) or ()
    }


async def _invalid(_: Request, exc: Exception) -> Response:
    found = cast(RequestValidationError, exc).errors()
    errors = [_field_error(error) for error in found[: problem.MAX_ERRORS]]
    shown = "see errors" if len(errors) == len(found) else f"errors has the first {len(errors)}"
    detail = f"{len(found)} error{'s' if len(found) > 1 else ''}; {shown}."
    return problem_response(problem.INVALID_REQUEST, detail, errors=errors)


def _field_error(error: dict[str, object]) -> FieldError:
    source, *path = cast(tuple[str | int, ...], error["loc"])
    name = "".join(f"/{_escaped(part)}" for part in path) if source == "body" else ".".join(map(str, path))
    said = str(error["msg"]).removeprefix("Value error, ")
    return field_error(cast(Source, source), name, _MENDS.get(str(error["type"]), said))


def _escaped(part: str | int) -> str:
    """https://www.rfc-editor.org/rfc/rfc6901#section-3."""
    return str(part).replace("~", "~0").replace("/", "~1")


async def _not_published(_: Request, exc: Exception) -> Response:
    log.warning("order.not_published", extra={"reason": str(exc)})
    return problem_response(problem.NOT_PUBLISHED, problem.NOT_PUBLISHED.meaning)


async def _lookup_unavailable(_: Request, exc: Exception) -> Response:
    log.warning("lookup.unavailable", extra={"reason": str(exc)})
    return problem_response(problem.LOOKUP_UNAVAILABLE, problem.LOOKUP_UNAVAILABLE.meaning)


async def _bad_cursor(_: Request, exc: Exception) -> Response:
    errors = [field_error("query", "cursor", f"{exc}; use next_cursor as it came, or leave it out")]
    return problem_response(problem.BAD_CURSOR, problem.BAD_CURSOR.meaning, errors=errors)


def register_failures(app: FastAPI) -> None:
    """Make app answer each of these with its problem. What is not here is our mistake: see boundary.py."""
    for error, handler in (
        (StarletteHTTPException, _raised),
        (HTTPException, _raised),
        (RequestValidationError, _invalid),
        (NotPublishedError, _not_published),
        (LookupUnavailableError, _lookup_unavailable),
        (BadCursorError, _bad_cursor),
    ):
        app.add_exception_handler(error, handler)
