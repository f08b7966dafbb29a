"""Failures of message handling, named by what the caller does next, and the translation of AWS errors into them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import ClientError
from orderboard_aws_client.errors import (
    AWS_ERRORS,
    BatcherFullError,
    EntryRefusedError,
    EntryTooLargeError,
    error_code,
)

# The request itself is invalid: sending it again cannot succeed.
INVALID_REQUEST_CODES: Final = frozenset(
    ("ValidationException", "ValidationError", "SerializationException", "ItemCollectionSizeLimitExceeded")
)


class PoisonError(Exception):
    """The message can never be handled, by this worker or another."""


class TransientError(Exception):
    """The message failed this time and may succeed later."""


class UnavailableError(Exception):
    """A backend does not respond, or rejects every caller: the message is not the cause."""


class RowChangedError(TransientError):
    """The order's row changed between reading and writing: read it again."""


class ReceiptExpiredError(Exception):
    """The lease on the message has ended: another worker may have received it."""


@contextmanager
def translated() -> Iterator[None]:
    """Translate the AWS errors of a block into PoisonError, TransientError or UnavailableError.

    An invalid request concerns one message. Everything else that fails a whole call (no response, a 5xx, throttling,
    a missing table, expired credentials) fails every order alike, so it does not count against a single one.
    """
    try:
        yield
    except EntryRefusedError as exc:
        raise _entry_failure(exc) from exc
    except EntryTooLargeError as exc:
        raise PoisonError(f"too large to send: {exc}") from exc
    except BatcherFullError as exc:
        raise UnavailableError(str(exc)) from exc
    except ClientError as exc:
        if error_code(exc) in INVALID_REQUEST_CODES:
            raise TransientError(str(exc)) from exc
        raise UnavailableError(str(exc)) from exc
    except AWS_ERRORS as exc:
        raise UnavailableError(f"{type(exc).__name__}: {exc}") from exc


def _entry_failure(exc: EntryRefusedError) -> PoisonError | UnavailableError | TransientError:
    if exc.error.code in INVALID_REQUEST_CODES:
        return PoisonError(str(exc))
    return UnavailableError(str(exc)) if exc.error.retryable else TransientError(str(exc))
