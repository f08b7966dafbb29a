"""An error as AWS answers it, whatever the protocol. Which codes there are is said by the service that raises them."""

from __future__ import annotations


class AwsError(Exception):
    """What the caller gets back: a code, a message and an HTTP status.

    `code` is the name of the error's shape (`QueueDoesNotExist`); the service's table gives its HTTP status and the
    code that the older Query protocol has for it. `query_message` is the message where that one words it otherwise.
    """

    def __init__(self, code: str, message: str, *, query_message: str | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.query_message = query_message or message


class UnknownActionError(Exception):
    """The service has no such action. Each protocol words this in its own way."""

    def __init__(self, action: str) -> None:
        super().__init__(action)
        self.action = action


class InvalidTokenError(Exception):
    """A NextToken that no list action has returned. `Service.call` turns it into the service's error."""


class MalformedRequestError(Exception):
    """The request is not of the protocol's form, or a value is not of the type that the model gives."""


def not_implemented(service: str, action: str) -> AwsError:
    """The answer to an action that AWS has and this engine has not: never a silent success."""
    return AwsError("NotImplemented", f"{service} {action} is known to AWS and not built in localbus.")
