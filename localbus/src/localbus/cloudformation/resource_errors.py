"""Failures of resources, and their ResourceStatusReason in CloudFormation's words."""

from __future__ import annotations

import logging
from typing import Literal

from localbus.cloudformation.resources.base import InvalidPropertiesError
from localbus.errors import AwsError
from localbus.ids import new_id

log = logging.getLogger("localbus")

_SERVICES = {"SQS": "Sqs", "SNS": "Sns", "Events": "EventBridge", "Lambda": "Lambda", "DynamoDB": "DynamoDb"}
# https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
_HANDLER_CODES = (
    ("AlreadyExists", ("AlreadyExists", "NameExists")),
    ("NotFound", ("NotFound", "DoesNotExist")),
    ("AccessDenied", ("AccessDenied", "Authorization")),
    ("ServiceLimitExceeded", ("LimitExceeded", "OverLimit")),
)

Verb = Literal["create", "update"]


class ResourcesFailedError(Exception):
    """Resources that could not be created or updated; the message is the stack's reason."""

    def __init__(self, verb: Verb, logical_ids: list[str]) -> None:
        super().__init__(f"The following resource(s) failed to {verb}: [{', '.join(logical_ids)}].")


class AbortedError(Exception):
    """A deployment stopped by CancelUpdateStack or DeleteStack."""


class PlainReasonError(Exception):
    """An error that CloudFormation itself finds, before it calls a service."""


def status_reason(logical_id: str, type_name: str, error: Exception) -> str:
    """The ResourceStatusReason for an error."""
    match error:
        case InvalidPropertiesError():
            problems = ", ".join(error.problems)
            return f"Properties validation failed for resource {logical_id} with message:\n[{problems}]"
        case PlainReasonError():
            return str(error)
        case AwsError(code="AlreadyExists"):
            text = error.message
        case AwsError():
            service = _SERVICES.get(type_name.split("::")[1], type_name)
            text = f"{error.query_message} (Service: {service}, Status Code: 400, Request ID: {new_id()})"
        case _:
            log.error("resource.failed", exc_info=error, extra={"logical_id": logical_id})
            return "Internal Failure"
    code = next((name for name, signs in _HANDLER_CODES if any(sign in error.code for sign in signs)), "InvalidRequest")
    return f'Resource handler returned message: "{text}" (RequestToken: {new_id()}, HandlerErrorCode: {code})'
