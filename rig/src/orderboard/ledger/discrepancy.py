"""Discrepancies of a ledger: one type for each, and the sentence that describes it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class _OrderDiscrepancy:
    order_id: str
    kind: str

    def _describe(self, text: str) -> str:
        return f"{self.order_id} ({self.kind}) {text}"


@dataclass(frozen=True)
class Lost(_OrderDiscrepancy):
    """Answered 202, and nowhere to be found."""

    def __str__(self) -> str:
        return self._describe("was answered 202 and is lost: no final row, and in no dead-letter queue")


@dataclass(frozen=True)
class Doubled(_OrderDiscrepancy):
    """It finished more than once."""

    seen: tuple[str, ...]

    def __str__(self) -> str:
        return self._describe(f"ended more than once: {', '.join(self.seen)}")


@dataclass(frozen=True)
class WrongEnding(_OrderDiscrepancy):
    """It ended once, but not in a way that its kind allows."""

    seen: str
    expected: tuple[str, ...]

    def __str__(self) -> str:
        return self._describe(f"is {self.seen}; expected {' or '.join(self.expected)}")


@dataclass(frozen=True)
class OutcomeNotPublished(_OrderDiscrepancy):
    """Its row is final, but no such outcome was received from the bus."""

    ended: str

    def __str__(self) -> str:
        return self._describe(f"is {self.ended} in the table, but no such event was received from the bus")


@dataclass(frozen=True)
class NotRefused(_OrderDiscrepancy):
    """The API accepted what it must refuse."""

    def __str__(self) -> str:
        return self._describe("was accepted; the API must refuse it")


@dataclass(frozen=True)
class OrderUnexpected:
    """Found, but never answered with 202."""

    order_id: str
    where: str

    def __str__(self) -> str:
        return f"{self.order_id} was found ({self.where}), but was never answered with 202"


@dataclass(frozen=True)
class DeadLetterUnexpected:
    """A message in a dead-letter queue that is none of the accepted orders."""

    queue: str
    message_id: str
    what: str
    order_id: str | None = None

    def __str__(self) -> str:
        return f"message {self.message_id} ({self.what}) is in {self.queue}, where it was not expected"


@dataclass(frozen=True)
class NotAccepted:
    """The API refused what it must accept."""

    kind: str
    refusals: tuple[str, ...]

    def __str__(self) -> str:
        return f"an order ({self.kind}) was not accepted: {'; '.join(self.refusals) or 'no answer'}"


@dataclass(frozen=True)
class SplitDuplicate:
    """One Idempotency-Key gave several orders."""

    order_ids: tuple[str, ...]
    kind: str

    def __str__(self) -> str:
        return f"one Idempotency-Key ({self.kind}) gave several orders: {', '.join(self.order_ids)}"


@dataclass(frozen=True)
class MissingAlert:
    """An alert was due and never announced."""

    kind: str
    order_id: str

    def __str__(self) -> str:
        return f"{self.order_id}: the alert {self.kind} was never announced"


@dataclass(frozen=True)
class UnexpectedAlert:
    """An alert was announced that was not due, or more often than due."""

    kind: str
    order_id: str
    times: int
    expected: int

    def __str__(self) -> str:
        return f"{self.order_id}: the alert {self.kind} was announced {self.times} times; expected {self.expected}"


Discrepancy = (
    Lost
    | Doubled
    | WrongEnding
    | OutcomeNotPublished
    | OrderUnexpected
    | DeadLetterUnexpected
    | NotRefused
    | NotAccepted
    | SplitDuplicate
    | MissingAlert
    | UnexpectedAlert
)
