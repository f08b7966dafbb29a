"""Why an entry was not sent or not accepted: what a service answers for one entry, and what its caller is told."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refused:
    """One entry of a call that otherwise went through, by the service's own code and message."""

    code: str
    message: str
    retryable: bool


class BatcherFullError(Exception):
    """The entry was not taken: too many wait already, or the batcher is closing. Try again later."""


class EntryTooLargeError(Exception):
    """The entry alone is larger than a call may be: it can never be sent."""


class EntryRefusedError(Exception):
    """The service refused this entry, at once for good or after every attempt."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(f"{refused.code}: {refused.message}")
        self.refused = refused
