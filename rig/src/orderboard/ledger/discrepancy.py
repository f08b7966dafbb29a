"""What can be wrong in a ledger: one type for each, and the sentence that names it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Lost:
    """Answered 202, and nowhere to be found."""

    order_id: str
    kind: str

    def __str__(self) -> str:
        return f"{self.order_id} ({self.kind}) was answered 202 and is lost: no final row, and in no dead-letter queue"


@dataclass(frozen=True)
class Doubled:
    """It ended in more than one place, or finished more than once."""

    order_id: str
    kind: str
    seen: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.order_id} ({self.kind}) ended more than once: {', '.join(self.seen)}"


@dataclass(frozen=True)
class WrongEnding:
    """It ended once, but not where such an order may end."""

    order_id: str
    kind: str
    seen: str
    expected: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.order_id} ({self.kind}) is {self.seen}; expected {' or '.join(self.expected)}"


@dataclass(frozen=True)
class Unsaid:
    """Its row is final, but the bus never heard so."""

    order_id: str
    kind: str
    ended: str

    def __str__(self) -> str:
        return f"{self.order_id} ({self.kind}) is {self.ended} in the table, but no such event was heard on the bus"


@dataclass(frozen=True)
class OrderUnexpected:
    """Found, but nobody was told 202 for it."""

    order_id: str
    where: str

    def __str__(self) -> str:
        return f"{self.order_id} was found ({self.where}), but nobody was answered 202 for it"


@dataclass(frozen=True)
class DeadLetterUnexpected:
    """A message rests in a dead-letter queue that is no order of ours."""

    queue: str
    message_id: str
    what: str

    def __str__(self) -> str:
        return f"message {self.message_id} ({self.what}) rests in {self.queue}; nobody expected it there"


@dataclass(frozen=True)
class NotRefused:
    """The API took what it must refuse."""

    order_id: str
    kind: str

    def __str__(self) -> str:
        return f"{self.order_id} ({self.kind}) was accepted; the API must refuse it"


@dataclass(frozen=True)
class NotAccepted:
    """The API did not take what it must accept."""

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
    | Unsaid
    | OrderUnexpected
    | DeadLetterUnexpected
    | NotRefused
    | NotAccepted
    | SplitDuplicate
    | MissingAlert
    | UnexpectedAlert
)
