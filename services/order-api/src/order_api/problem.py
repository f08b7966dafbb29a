"""Errors as the client sees them: RFC 9457 problem documents. When each is raised is the business of other files.

https://www.rfc-editor.org/rfc/rfc9457
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from fastapi import HTTPException
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE: Final = "application/problem+json"
MAX_ERRORS: Final = 20
_MAX_NAME_CHARACTERS: Final = 100

Source = Literal["body", "header", "query", "path", "dependency"]


@dataclass(frozen=True)
class Kind:
    """One kind of problem. Its name is the last part of the problem's type, /problems/<name>."""

    name: str
    status: int
    title: str
    meaning: str
    retry_after_s: int | None = None


MALFORMED_JSON: Final = Kind("malformed-json", 400, "The body is not JSON", "Send one JSON document in UTF-8.")
BAD_CURSOR: Final = Kind(
    "bad-cursor", 400, "The cursor is not one of ours", "Use next_cursor as it came, for the same customer_id."
)
UNAUTHORIZED: Final = Kind(
    "unauthorized", 401, "A token is needed", "Send the header Authorization: Bearer, with the API's token."
)
NO_SUCH_PAGE: Final = Kind("no-such-page", 404, "There is nothing here", "What there is, /openapi.json says.")
NOT_RECORDED: Final = Kind(
    "order-not-recorded",
    404,
    "This order is not recorded yet",
    "An order can be read when a worker has recorded it. One that was answered 202 will be there: ask again. An order "
    "that was never placed looks the same.",
    retry_after_s=1,
)
METHOD_NOT_ALLOWED: Final = Kind(
    "method-not-allowed", 405, "This address has no such method", "The Allow header says which it has."
)
SLOW_BODY: Final = Kind("slow-body", 408, "The body did not come in time", "Send the whole body at once.")
BODY_TOO_LARGE: Final = Kind("body-too-large", 413, "The body is too large", "The largest legal order is far smaller.")
UNSUPPORTED_MEDIA_TYPE: Final = Kind(
    "unsupported-media-type", 415, "The body is of another type", "Send Content-Type: application/json, in UTF-8."
)
INVALID_REQUEST: Final = Kind(
    "invalid-request", 422, "The request is not as it should be", "`errors` names each field and what it should be."
)
KEY_REUSED: Final = Kind(
    "idempotency-key-reused",
    422,
    "This Idempotency-Key stands for another order",
    "A key stands for one order for ever. Send the first body again, or a new key.",
)
INTERNAL_ERROR: Final = Kind(
    "internal-error", 500, "Something broke here", "It is our mistake. The log has it, under X-Correlation-ID."
)
NOT_PUBLISHED: Final = Kind(
    "not-published",
    503,
    "The order could not be passed on",
    "SNS or EventBridge did not accept it in time. It may have got through in part: send it again with the same "
    "Idempotency-Key, which cannot order twice.",
    retry_after_s=1,
)
LOOKUP_UNAVAILABLE: Final = Kind(
    "lookup-unavailable",
    503,
    "Orders cannot be read now",
    "DynamoDB did not answer in time. Placing orders does not need it.",
    retry_after_s=1,
)
NOT_READY: Final = Kind(
    "not-ready", 503, "Orders cannot be accepted now", "`errors` names what does not answer.", retry_after_s=1
)

KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        MALFORMED_JSON,
        BAD_CURSOR,
        UNAUTHORIZED,
        NO_SUCH_PAGE,
        NOT_RECORDED,
        METHOD_NOT_ALLOWED,
        SLOW_BODY,
        BODY_TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
        INVALID_REQUEST,
        KEY_REUSED,
        INTERNAL_ERROR,
        NOT_PUBLISHED,
        LOOKUP_UNAVAILABLE,
        NOT_READY,
    )
}


class FieldError(BaseModel):
    """One thing that is wrong, where it is, and what it should be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Source = Field(description="Which part of the request (dependency: what this service needs to run).")
    field: str = Field(description="In a body a JSON pointer such as /lines/0/sku, else the parameter's name.")
    detail: str = Field(description="What it should be.")


class Problem(BaseModel):
    """Why a request was refused or failed, and what mends it (RFC 9457)."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems/invalid-request",
                    "title": "The request is not as it should be",
                    "status": 422,
                    "detail": "1 error; see errors.",
                    "errors": [
                        {
                            "source": "body",
                            "field": "/lines/0/quantity",
                            "detail": "Input should be less than or equal to 50",
                        }
                    ],
                }
            ]
        },
    )

    type: str = Field(description="A relative address that explains this kind of problem.")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What happened this time.")
    errors: tuple[FieldError, ...] = ()


def field_error(source: Source, name: str, detail: str) -> FieldError:
    """A FieldError whose name is safe to show: a client's own text is escaped to ASCII and cut."""
    shown = name.encode("ascii", "backslashreplace").decode()
    return FieldError(source=source, field=shown[:_MAX_NAME_CHARACTERS], detail=detail)


class ProblemError(HTTPException):
    """Raise it anywhere below a route: the client gets this problem."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind.status, detail, dict(headers or {}))
        self.kind = kind
        self.errors = tuple(errors)


def problem_response(
    kind: Kind, detail: str, *, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """The HTTP response that carries this problem."""
    all_headers = dict(headers or {})
    if kind.retry_after_s is not None:
        all_headers.setdefault("Retry-After", str(kind.retry_after_s))
    problem = Problem(
        type=f"/problems/{kind.name}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        errors=tuple(errors[:MAX_ERRORS]),
    )
    return Response(problem.model_dump_json(), kind.status, all_headers, MEDIA_TYPE)
