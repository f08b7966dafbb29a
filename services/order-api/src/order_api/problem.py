"""Problem documents (RFC 9457, https://www.rfc-editor.org/rfc/rfc9457): the errors that clients see."""

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
class ProblemType:
    """A type of problem. Its address is /problems/<name>, which shows title and explanation."""

    name: str
    status: int
    title: str
    explanation: str
    retry_after_s: int | None = None


PROBLEM_TYPES: Final[dict[str, ProblemType]] = {}


def _define(name: str, status: int, title: str, explanation: str, *, retry_after_s: int | None = None) -> ProblemType:
    PROBLEM_TYPES[name] = ProblemType(name, status, title, explanation, retry_after_s)
    return PROBLEM_TYPES[name]


MALFORMED_JSON: Final = _define("malformed-json", 400, "The body is not valid JSON", "Send one JSON document in UTF-8.")
BAD_CURSOR: Final = _define(
    "bad-cursor", 400, "The cursor is not valid", "Send next_cursor unchanged, for the same customer_id."
)
UNAUTHORIZED: Final = _define(
    "unauthorized", 401, "A token is required", "Send the header Authorization: Bearer with the API's token."
)
NO_SUCH_PAGE: Final = _define("no-such-page", 404, "Page not found", "See /openapi.json for the available endpoints.")
NOT_RECORDED: Final = _define(
    "order-not-recorded",
    404,
    "This order is not recorded yet",
    "An order can be read once a worker has recorded it. If it was answered 202, try again. An order that was never "
    "placed gives the same response.",
    retry_after_s=1,
)
METHOD_NOT_ALLOWED: Final = _define(
    "method-not-allowed", 405, "This address does not support the method", "The Allow header lists its methods."
)
SLOW_BODY: Final = _define("slow-body", 408, "The body did not arrive in time", "Send the whole body at once.")
BODY_TOO_LARGE: Final = _define(
    "body-too-large", 413, "The body is too large", "The largest valid order is far smaller than the limit."
)
UNSUPPORTED_MEDIA_TYPE: Final = _define(
    "unsupported-media-type", 415, "The media type is not supported", "Send Content-Type: application/json, in UTF-8."
)
INVALID_REQUEST: Final = _define(
    "invalid-request", 422, "The request is invalid", "`errors` names each invalid field and what is expected."
)
KEY_REUSED: Final = _define(
    "idempotency-key-reused",
    422,
    "This Idempotency-Key belongs to another order",
    "A key identifies one order permanently. Send the first body again, or use a new key.",
)
INTERNAL_ERROR: Final = _define(
    "internal-error", 500, "Internal error", "This is a bug. The log has the cause under X-Correlation-ID."
)
NOT_PUBLISHED: Final = _define(
    "not-published",
    503,
    "The order could not be published",
    "SNS or EventBridge did not accept it in time. One of them may have: send it again with the same "
    "Idempotency-Key, which cannot order twice.",
    retry_after_s=1,
)
LOOKUP_UNAVAILABLE: Final = _define(
    "lookup-unavailable",
    503,
    "Orders cannot be read now",
    "DynamoDB did not respond in time. Placing orders does not need it.",
    retry_after_s=1,
)
NOT_READY: Final = _define(
    "not-ready", 503, "Orders cannot be accepted now", "`errors` names what does not respond.", retry_after_s=1
)


class FieldError(BaseModel):
    """One invalid part of a request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Source = Field(description="The part of the request (dependency: a service that this API needs).")
    field: str = Field(description="A JSON pointer such as /lines/0/sku in a body, else the parameter's name.")
    detail: str = Field(description="What is expected.")


class Problem(BaseModel):
    """A rejected or failed request: what is wrong and how to fix it (RFC 9457)."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems/invalid-request",
                    "title": "The request is invalid",
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

    type: str = Field(description="A relative address that explains this type of problem.")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What happened in this request.")
    errors: tuple[FieldError, ...] = ()


def field_error(source: Source, name: str, detail: str) -> FieldError:
    """Build a FieldError; a name that the client chose is escaped to ASCII and truncated."""
    shown = name.encode("ascii", "backslashreplace").decode()
    return FieldError(source=source, field=shown[:_MAX_NAME_CHARACTERS], detail=detail)


class ProblemError(HTTPException):
    """A problem. Raised below a route, it becomes the response."""

    def __init__(
        self,
        problem_type: ProblemType,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(problem_type.status, detail or problem_type.explanation, dict(headers or {}))
        self.type = problem_type
        self.errors = tuple(errors)

    def response(self) -> Response:
        """Build the HTTP response of the problem."""
        headers = dict(self.headers or {})
        if self.type.retry_after_s is not None:
            headers.setdefault("Retry-After", str(self.type.retry_after_s))
        problem = Problem(
            type=f"/problems/{self.type.name}",
            title=self.type.title,
            status=self.type.status,
            detail=self.detail,
            errors=self.errors[:MAX_ERRORS],
        )
        return Response(problem.model_dump_json(), self.type.status, headers, MEDIA_TYPE)
