"""The one place where SDK errors become the worker's own, by what the caller does next."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from orderboard_aws_client.errors import BatcherFullError, EntryError, EntryRefusedError, EntryTooLargeError

from worker.failures import PoisonError, TransientError, UnavailableError

# Whatever a call to a backend that is gone, slow, half-way down or garbled may raise.
CALL_ERRORS: Final = (
    BotoCoreError,
    ClientError,
    ResponseParserError,
    aiohttp.ClientError,
    OSError,
    json.JSONDecodeError,
)

REFUSED_FOR_GOOD: Final = frozenset(
    ("ValidationException", "ValidationError", "SerializationException", "ItemCollectionSizeLimitExceeded")
)
# Per statement and per entry. These say "later", to whoever asks.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
_LATER: Final = frozenset(
    (
        "RequestLimitExceeded",
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
        "ThrottlingException",
        "InternalServerError",
        "InternalFailure",
        "InternalException",
        "TransactionConflict",
        "ResourceNotFound",
        "AccessDenied",
        "UnprocessedKey",
    )
)


def code_of(error: ClientError) -> str:
    """The service's own name of an error."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def refused(code: str, message: str) -> EntryError:
    """One entry of a batch that was refused, and whether the same again may pass."""
    return EntryError(code, message, retryable=code in _LATER)


@contextmanager
def translated() -> Iterator[None]:
    """Run calls to a backend; what they raise comes out as PoisonError, TransientError or UnavailableError.

    A refusal for good concerns one entry. Everything else that fails a whole call (no answer, a 5xx, throttling,
    a table that is not there, a credential that expired) fails every order alike, so it is never held against one.
    """
    try:
        yield
    except EntryRefusedError as exc:
        raise _of_entry(exc) from exc
    except EntryTooLargeError as exc:
        raise PoisonError(f"too large to send: {exc}") from exc
    except BatcherFullError as exc:
        raise UnavailableError(str(exc)) from exc
    except ClientError as exc:
        if code_of(exc) in REFUSED_FOR_GOOD:
            raise TransientError(str(exc)) from exc
        raise UnavailableError(str(exc)) from exc
    except CALL_ERRORS as exc:
        raise UnavailableError(f"{type(exc).__name__}: {exc}") from exc


def _of_entry(error: EntryRefusedError) -> PoisonError | UnavailableError | TransientError:
    if error.error.code in REFUSED_FOR_GOOD:
        return PoisonError(str(error))
    if error.error.retryable:
        return UnavailableError(str(error))
    return TransientError(str(error))
