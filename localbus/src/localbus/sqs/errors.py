"""Errors of SQS that several modules raise, in AWS's words."""

from __future__ import annotations

from localbus.errors import AwsError


class ExpiredHandleError(AwsError):
    """A handle of a FIFO queue whose visibility timeout has ended. A batch of deletes has another code for it."""

    def __init__(self, handle: str) -> None:
        error = invalid_value("ReceiptHandle", handle, "The receipt handle has expired.")
        super().__init__(error.code, error.message)


def invalid(text: str) -> AwsError:
    """Return the error for an invalid parameter."""
    return AwsError("InvalidParameterValueException", text)


def invalid_value(parameter: str, value: str, reason: str) -> AwsError:
    """Return the error for an invalid value of a parameter."""
    return invalid(f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


def missing(parameter: str) -> AwsError:
    """Return the error for a missing parameter."""
    return AwsError("MissingRequiredParameterException", f"The request must contain the parameter {parameter}.")


def does_not_exist() -> AwsError:
    """Return the error for a queue that does not exist."""
    return AwsError(
        "QueueDoesNotExist",
        "The specified queue does not exist.",
        query_message="The specified queue does not exist for this wsdl version.",
    )


def invalid_handle(handle: str) -> AwsError:
    """Return the error for a text that is not a receipt handle of this queue."""
    return AwsError("ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.')


def unavailable(handle: str) -> AwsError:
    """Return the error for a handle whose message is deleted or was received again."""
    reason = "Message does not exist or is not available for visibility timeout change."
    return invalid_value("ReceiptHandle", handle, reason)


def beyond_limit(timeout_s: int, limit_s: int) -> AwsError:
    """Return the error for a visibility timeout that ends later than the limit, counted from the receive."""
    reason = f"Total VisibilityTimeout for the message is beyond the limit [{limit_s} seconds]"
    return invalid_value("VisibilityTimeout", str(timeout_s), reason)
