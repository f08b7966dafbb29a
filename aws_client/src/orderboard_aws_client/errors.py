"""Errors of AWS calls: calls that fail as a whole, and entries that a batch call rejects."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

# A response that is cut off or garbled reaches the caller as aiohttp, the parser or the system raised it.
AWS_ERRORS: Final = (
    ClientError,
    BotoCoreError,
    ResponseParserError,
    aiohttp.ClientError,
    OSError,
    json.JSONDecodeError,
)


def error_code(exc: ClientError) -> str:
    """Return the service's error code, such as Throttling."""
    return str(exc.response.get("Error", {}).get("Code", "Unknown"))


def summary(exc: BaseException) -> str:
    """Summarise an AWS error for a log: the operation and the service's code, or the kind of connection failure."""
    if isinstance(exc, ClientError):
        return f"{exc.operation_name}: {error_code(exc)}"
    return type(exc).__name__


@dataclass(frozen=True)
class EntryError:
    """The service's error for one entry of a call that otherwise succeeded."""

    code: str
    message: str
    retryable: bool

    @classmethod
    def of(cls, failure: Mapping[str, Any]) -> Self:
        """Read a BatchResultErrorEntry of SQS or SNS. SenderFault means that a retry would fail again.

        https://docs.aws.amazon.com/sns/latest/api/API_BatchResultErrorEntry.html
        """
        return cls(
            failure.get("Code", "Unknown"), failure.get("Message", ""), retryable=not failure.get("SenderFault", False)
        )


class BatcherFullError(Exception):
    """The entry was not queued: too many entries are waiting, or the batcher is closing. Try again later."""


class EntryTooLargeError(Exception):
    """The entry alone exceeds the size limit of a call, so it can never be sent."""


class EntryRefusedError(Exception):
    """The service rejected this entry: permanently, or on every attempt."""

    def __init__(self, error: EntryError) -> None:
        super().__init__(f"{error.code}: {error.message}")
        self.error = error
