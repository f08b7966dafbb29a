"""Errors of AWS services, independent of the protocol. Each service defines its codes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class AwsError(Exception):
    """An error for the caller.

    `code` is the name of the error's shape (`QueueDoesNotExist`); the service's table has its HTTP status and its code
    in the older Query protocol. `query_message` is the Query protocol's message, if it differs. `members` are the
    error's members beside its message.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        query_message: str | None = None,
        members: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.query_message = query_message or message
        self.members = members


class UnknownActionError(Exception):
    """An action that the service does not have. Each protocol has its own error for it."""

    def __init__(self, action: str) -> None:
        super().__init__(action)
        self.action = action


class InvalidTokenError(Exception):
    """A NextToken that no list action has returned. `Service.call` turns it into the service's error."""


class MalformedRequestError(Exception):
    """A request that is not valid in its protocol, or a value of the wrong type."""


def not_implemented(service: str, action: str) -> AwsError:
    """Return the error for an action of AWS that localbus does not have. It never succeeds silently."""
    return AwsError("NotImplemented", f"{service} {action} is an action of AWS that localbus does not implement.")
