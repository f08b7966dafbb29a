"""The OpenAPI document: FastAPI's, with the constraints that the code checks and the schema does not show."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from orderboard_contracts.menu import MENU

from order_api import problem
from order_api.problem import FieldError, Problem, ProblemType
from order_api.settings import Settings

_REFERENCE: Final = "#/components/schemas/{model}"
# The characters that require_printable in contracts rejects, except lone surrogates, which a schema cannot express.
_PRINTABLE: Final = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069\\ufffe\\uffff]*$"
_DESCRIPTION: Final = """\
Accepts orders. A 202 means that SNS and EventBridge have accepted the order; a worker processes it later. Send an
Idempotency-Key with every order: sending it twice then orders once.
"""
_CORRELATION: Final = {
    "X-Correlation-ID": {"description": "Identifies this request in every service.", "schema": {"type": "string"}}
}
_RETRY_AFTER: Final = {
    "Retry-After": {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer", "minimum": 0}}
}


def problem_responses(*problem_types: ProblemType) -> dict[int | str, dict[str, Any]]:
    """Build FastAPI's `responses` for these problem types; types of one status share an entry."""
    responses: dict[int | str, dict[str, Any]] = {}
    for each in problem_types:
        response = responses.setdefault(
            each.status,
            {
                "description": "",
                "content": {problem.MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model="Problem")}}},
                "headers": dict(_CORRELATION),
            },
        )
        response["description"] = "; or ".join(filter(None, (response["description"], each.title)))
        if each.retry_after_s is not None:
            response["headers"] |= _RETRY_AFTER
    return responses


def command_responses(*problem_types: ProblemType) -> dict[int | str, dict[str, Any]]:
    """Build FastAPI's `responses` for a command: 202 with the order's location, or one of these problems."""
    location = {"Location": {"description": "The order.", "required": True, "schema": {"type": "string"}}}
    return {202: {"headers": _CORRELATION | location}, **problem_responses(*problem_types)}


def describe(app: FastAPI, settings: Settings) -> dict[str, Any]:
    """Build the OpenAPI document."""
    document = get_openapi(title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes)
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["FieldError"] = FieldError.model_json_schema(ref_template=_REFERENCE)
    schemas["Problem"] = Problem.model_json_schema(ref_template=_REFERENCE)
    del schemas["Problem"]["$defs"]
    _add_checks_in_code(schemas, settings)
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    for operation in operations:
        operation["responses"] |= problem_responses(problem.INTERNAL_ERROR)
        if "requestBody" in operation:
            operation["responses"] |= problem_responses(problem.SLOW_BODY, problem.BODY_TOO_LARGE)
        operation["responses"] = dict(sorted(operation["responses"].items(), key=lambda item: str(item[0])))
    if settings.api_token is not None:
        _require_token(document)
    return document


def _add_checks_in_code(schemas: dict[str, Any], settings: Settings) -> None:
    schemas["OrderLine"]["properties"]["sku"]["enum"] = list(MENU)
    order = schemas["OrderRequest"]["properties"]
    for text in (order["note"], schemas["CancellationRequest"]["properties"]["reason"]):
        text["anyOf"][0]["pattern"] = _PRINTABLE
    if not settings.allow_faults:
        del order["fault"]


def _require_token(document: dict[str, Any]) -> None:
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        if path in ("/healthz", "/readyz"):
            continue
        for operation in operations.values():
            operation["security"] = [{"token": []}]
            operation["responses"] |= problem_responses(problem.UNAUTHORIZED)
