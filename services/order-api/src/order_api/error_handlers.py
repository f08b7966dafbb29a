"""Error handlers: one table from exceptions to the problems that clients see."""

import logging
from typing import Final, cast

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException as StarletteHTTPException

from order_api import problem
from order_api.cursor import InvalidCursorError
from order_api.order_queries import QueryUnavailableError
from order_api.problem import FieldError, ProblemError, ProblemType, Source, field_error
from order_api.publisher import NotPublishedError

log = logging.getLogger(__name__)

_BY_STATUS: Final[dict[int, ProblemType]] = {
    404: problem.NO_SUCH_PAGE,
    405: problem.METHOD_NOT_ALLOWED,
    400: problem.MALFORMED_JSON,
}
# Replacements for messages in which pydantic states its expectation but not the fix.
_FIXES: Final = {
    "missing": "is required",
    "extra_forbidden": "is not a known field; remove it",
    "model_attributes_type": "should be a JSON object",
}


async def _http_error(request: Request, exc: Exception) -> Response:
    error = cast(StarletteHTTPException, exc)
    if isinstance(error, ProblemError):
        return error.response()
    headers = dict(error.headers or {})
    problem_type = _BY_STATUS.get(error.status_code, problem.INTERNAL_ERROR)
    if problem_type is problem.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return ProblemError(problem_type, headers=headers).response()


def _methods(request: Request) -> set[str]:
    """Return all methods of the requested path, which may be spread over several routes."""
    template = request.scope["route"].path
    return {
        method
        for route in request.app.routes
        if getattr(route, "path", None) == template
        for method in getattr(route, "methods", None) or ()
    }


async def _invalid_request(_: Request, exc: Exception) -> Response:
    found = cast(RequestValidationError, exc).errors()
    errors = [_field_error(error) for error in found[: problem.MAX_ERRORS]]
    shown = "see errors" if len(errors) == len(found) else f"errors has the first {len(errors)}"
    detail = f"{len(found)} error{'s' if len(found) > 1 else ''}; {shown}."
    return ProblemError(problem.INVALID_REQUEST, detail, errors=errors).response()


def _field_error(error: dict[str, object]) -> FieldError:
    source, *path = cast(tuple[str | int, ...], error["loc"])
    name = "".join(f"/{_escaped(part)}" for part in path) if source == "body" else ".".join(map(str, path))
    message = str(error["msg"]).removeprefix("Value error, ")
    return field_error(cast(Source, source), name, _FIXES.get(str(error["type"]), message))


def _escaped(part: str | int) -> str:
    """https://www.rfc-editor.org/rfc/rfc6901#section-3."""
    return str(part).replace("~", "~0").replace("/", "~1")


async def _invalid_cursor(_: Request, exc: Exception) -> Response:
    errors = [field_error("query", "cursor", f"{exc}; send next_cursor unchanged, or omit it")]
    return ProblemError(problem.BAD_CURSOR, errors=errors).response()


async def not_published(_: object, exc: Exception) -> Response:
    """Log and respond to a NotPublishedError."""
    log.warning("order.not_published", extra={"reason": str(exc)})
    return ProblemError(problem.NOT_PUBLISHED).response()


async def _lookup_unavailable(_: Request, exc: Exception) -> Response:
    log.warning("lookup.unavailable", extra={"reason": str(exc)})
    return ProblemError(problem.LOOKUP_UNAVAILABLE).response()


async def _unexpected(_: Request, __: Exception) -> Response:
    return ProblemError(problem.INTERNAL_ERROR).response()


def add_error_handlers(app: FastAPI) -> None:
    """Register the handlers. Any other exception is a bug, which boundary.py logs."""
    for error, handler in (
        (StarletteHTTPException, _http_error),
        (HTTPException, _http_error),
        (RequestValidationError, _invalid_request),
        (InvalidCursorError, _invalid_cursor),
        (NotPublishedError, not_published),
        (QueryUnavailableError, _lookup_unavailable),
        (Exception, _unexpected),
    ):
        app.add_exception_handler(error, handler)
