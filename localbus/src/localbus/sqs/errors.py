"""The errors of SQS that more than one module raises, in AWS's words."""

from __future__ import annotations

from localbus.errors import AwsError


def invalid(text: str) -> AwsError:
    """A parameter that may not be as it is."""
    return AwsError("InvalidParameterValueException", text)


def refusal(parameter: str, value: str, reason: str) -> AwsError:
    """A value that may not be, and why."""
    return invalid(f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


def missing(parameter: str) -> AwsError:
    """A parameter that is not there."""
    return AwsError("MissingRequiredParameterException", f"The request must contain the parameter {parameter}.")


def does_not_exist() -> AwsError:
    """A queue that is not there."""
    return AwsError(
        "QueueDoesNotExist",
        "The specified queue does not exist.",
        query_message="The specified queue does not exist for this wsdl version.",
    )


def no_handle(handle: str) -> AwsError:
    """A text that is no receipt handle, or one of another queue."""
    return AwsError("ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.')


def unavailable(handle: str) -> AwsError:
    """A handle whose message is gone, or has been received again."""
    reason = "Message does not exist or is not available for visibility timeout change."
    return refusal("ReceiptHandle", handle, reason)


def beyond_limit(timeout_s: int, limit_s: int) -> AwsError:
    """A visibility timeout that would hide a message for longer than AWS does, counted from its receive."""
    reason = f"Total VisibilityTimeout for the message is beyond the limit [{limit_s} seconds]"
    return refusal("VisibilityTimeout", str(timeout_s), reason)
