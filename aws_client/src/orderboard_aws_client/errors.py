"""Errors of single entries in a batch call: the service's answer, and the exceptions a submitter sees."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EntryError:
    """The service's error for one entry of a call that otherwise succeeded."""

    code: str
    message: str
    retryable: bool


class BatcherFullError(Exception):
    """The entry was not queued: too many entries are waiting, or the batcher is closing. Try again later."""


class EntryTooLargeError(Exception):
    """The entry alone exceeds the size limit of a call, so it can never be sent."""


class EntryRefusedError(Exception):
    """The service rejected this entry: permanently, or on every attempt."""

    def __init__(self, error: EntryError) -> None:
        super().__init__(f"{error.code}: {error.message}")
        self.error = error
