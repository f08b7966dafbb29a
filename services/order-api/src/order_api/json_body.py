"""Strict JSON request bodies: one document, UTF-8, no duplicate names, no NaN, no deep nesting.

If one reader is lenient and another is not, they see two different orders.
https://www.rfc-editor.org/rfc/rfc7493 (I-JSON)
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any, Final, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute

from order_api.problem import INVALID_REQUEST, MALFORMED_JSON, UNSUPPORTED_MEDIA_TYPE, ProblemError, field_error

MEDIA_TYPE: Final = "application/json"
_EXACT_BELOW: Final = 2**53
# One value each: a proxy and this API could take different ones of several.
# https://www.rfc-editor.org/rfc/rfc9110#section-5.3
_PLAIN: Final = "identity"
_ONCE: Final = ("Content-Type", "Idempotency-Key")


class MalformedJsonError(ValueError):
    """The body is not one strict JSON document; the message says where or why."""


def parse_json(body: bytes) -> object:
    """Parse body, or raise MalformedJsonError. Lone surrogates in values are left to the models, which reject them."""
    try:
        return _decoder.decode(body.decode())
    except UnicodeDecodeError as exc:
        raise MalformedJsonError(f"not UTF-8 at byte {exc.start}") from exc
    except json.JSONDecodeError as exc:
        raise MalformedJsonError(f"{exc.msg} at line {exc.lineno}, column {exc.colno}") from exc
    except RecursionError as exc:
        raise MalformedJsonError("nested too deeply") from exc
    except MalformedJsonError:
        raise
    except ValueError as exc:  # Python's limit on the digits of an integer
        raise MalformedJsonError("a number has too many digits") from exc


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedJsonError("an object has the same name twice")
    if not all(name.isascii() or _is_text(name) for name in members):
        raise MalformedJsonError("a name has a lone surrogate")
    return members


def _is_text(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _number(text: str) -> float | int:
    """Parse 2.0 as the integer 2, as JSON Schema does, up to the largest float that is exact."""
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < _EXACT_BELOW else number


def _reject_constant(constant: str) -> NoReturn:
    raise MalformedJsonError(f"{constant} is not JSON")


_decoder: Final = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_constant=_reject_constant)


def is_json(content_type: str) -> bool:
    """Return whether a Content-Type means JSON in UTF-8."""
    media_type, _, parameters = content_type.partition(";")
    charset = parameters.strip().lower().replace('"', "")
    return media_type.strip().lower() == MEDIA_TYPE and charset in ("", "charset=utf-8")


class _StrictRequest(Request):
    async def json(self) -> Any:
        try:
            return parse_json(await self.body())
        except MalformedJsonError as exc:
            raise ProblemError(MALFORMED_JSON, f"{exc}.") from exc


class StrictJsonRoute(APIRoute):
    """A route that requires one JSON media type, one key and strict JSON; FastAPI itself is lenient in all three."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            if (refusal := _refusal(request)) is not None:
                raise refusal
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly


def _refusal(request: Request) -> ProblemError | None:
    """Return the problem of headers that leave open what was ordered, or in which form."""
    headers = request.headers
    if repeated := [name for name in _ONCE if len(headers.getlist(name)) > 1]:
        errors = [field_error("header", name, "is given more than once; send it once") for name in repeated]
        return ProblemError(INVALID_REQUEST, f"Repeated: {', '.join(repeated)}.", errors=errors)
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return None
    if not is_json(headers.get("content-type", "")):
        return ProblemError(UNSUPPORTED_MEDIA_TYPE, f"Send Content-Type: {MEDIA_TYPE}.", headers={"Accept": MEDIA_TYPE})
    if any(coding.strip().lower() != _PLAIN for coding in headers.getlist("content-encoding")):
        detail = "Send the body as it is, without a Content-Encoding."
        return ProblemError(UNSUPPORTED_MEDIA_TYPE, detail, headers={"Accept-Encoding": _PLAIN})
    return None
