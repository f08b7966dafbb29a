"""The ledger: what clients were answered against what is found afterwards. evidence.py looks, this file judges."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

from orderboard_contracts.alert import AlertKind
from orderboard_contracts.events import OrderPlaced

from orderboard.ledger.discrepancy import (
    DeadLetterUnexpected,
    Discrepancy,
    Doubled,
    Lost,
    MissingAlert,
    NotAccepted,
    NotRefused,
    OrderUnexpected,
    SplitDuplicate,
    UnexpectedAlert,
    Unsaid,
    WrongEnding,
)
from orderboard.orders.kinds import Ending

ALERT_KINDS: Final[tuple[AlertKind, ...]] = get_args(AlertKind)
PLACED: Final[str] = OrderPlaced.model_fields["type"].default


@dataclass(frozen=True)
class Placed:
    """What the client knows of one order: what it asked for and how it was answered."""

    kind: str
    may_end: frozenset[Ending]  # empty: the API must refuse it
    order_ids: tuple[str, ...] = ()  # one for each answer 202
    refusals: tuple[str, ...] = ()  # what the other answers said
    total_cents: int = 0
    express: bool = False
    cancellation_accepted: bool = False

    @property
    def order_id(self) -> str | None:
        """The id it was answered with, None when it never was accepted."""
        return self.order_ids[0] if self.order_ids else None


@dataclass(frozen=True)
class Outcome:
    """A final outcome that was heard on the bus. A redelivery may say it again, with the same event id."""

    event_id: str
    order_id: str
    ended: Ending


@dataclass(frozen=True)
class DeadLetter:
    """A message that rests in a dead-letter queue. order_id and event_type are None when its body is no event.

    is_fact: it came by the bus to be announced. Where its order ended is another matter.
    """

    queue: str
    message_id: str
    order_id: str | None
    event_type: str | None
    receive_count: int
    reason: str | None = None
    is_fact: bool = False

    @property
    def is_order(self) -> bool:
        """Whether it is an order that was not made."""
        return self.event_type == PLACED and not self.is_fact


@dataclass(frozen=True)
class Announcement:
    """An alert that reached the inbox. It may do so twice; the alert id tells that the two are one."""

    alert_id: str
    kind: str
    order_id: str


@dataclass(frozen=True)
class Evidence:
    """What is found afterwards, by looking at the table, the bus, the dead-letter queues and the inbox."""

    final_rows: Mapping[str, Ending] = field(default_factory=dict)  # order id -> what its row says
    outcomes: tuple[Outcome, ...] = ()
    dead_letters: tuple[DeadLetter, ...] = ()
    announcements: tuple[Announcement, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One accepted order and where it ended (None: nowhere)."""

    order_id: str
    kind: str
    ended: Ending | None
    alerts: tuple[AlertKind, ...]


@dataclass(frozen=True)
class Ledger:
    """Every accepted order, and whatever does not balance."""

    entries: tuple[Entry, ...]
    refused: int
    alerts: Mapping[str, tuple[int, int]]  # kind -> (expected, announced)
    discrepancies: tuple[Discrepancy, ...]

    @property
    def balanced(self) -> bool:
        """Whether everything is where it must be, once."""
        return not self.discrepancies


def balance(placed: Sequence[Placed], evidence: Evidence, *, large_order_cents: int) -> Ledger:
    """Hold what was asked for against what is found, and name every difference."""
    accepted = [order for order in placed if order.order_id is not None]
    endings, said = _endings(evidence), _said(evidence)
    entries = tuple(_entry(order, endings, large_order_cents) for order in accepted)
    due = Counter((str(kind), entry.order_id) for entry in entries for kind in entry.alerts)
    alerts = {alert.alert_id: (alert.kind, alert.order_id) for alert in evidence.announcements}
    announced = Counter(alerts.values())
    return Ledger(
        entries=entries,
        refused=sum(order.order_id is None for order in placed),
        alerts={
            kind: (_count(due, kind), _count(announced, kind))
            for kind in sorted({*ALERT_KINDS, *(kind for kind, _ in announced)})
        },
        discrepancies=(
            *(found for order in placed for found in _answers(order)),
            *(found for order in accepted for found in _ended(order, endings, said, evidence.final_rows)),
            *_strangers({id_ for order in accepted for id_ in order.order_ids}, evidence),
            *_alerts(due, announced),
        ),
    )


def _endings(evidence: Evidence) -> dict[str, set[Ending]]:
    found: dict[str, set[Ending]] = {order_id: {ended} for order_id, ended in evidence.final_rows.items()}
    for letter in evidence.dead_letters:
        if letter.order_id is not None and letter.is_order:
            found.setdefault(letter.order_id, set()).add("dead-lettered")
    return found


def _said(evidence: Evidence) -> dict[str, dict[str, Ending]]:
    said: dict[str, dict[str, Ending]] = {}
    for outcome in evidence.outcomes:
        said.setdefault(outcome.order_id, {})[outcome.event_id] = outcome.ended
    return said


def _entry(order: Placed, endings: Mapping[str, set[Ending]], large_order_cents: int) -> Entry:
    order_id = order.order_ids[0]
    ended = next(iter(sorted(endings.get(order_id, ()))), None)
    return Entry(order_id, order.kind, ended, tuple(_due_alerts(order, ended, large_order_cents)))


def _due_alerts(order: Placed, ended: Ending | None, large_order_cents: int) -> Iterable[AlertKind]:
    if order.total_cents >= large_order_cents:
        yield "large_order"
    if ended == "rejected":
        yield "order_rejected"
    if ended == "completed" and order.express:
        yield "express_ready"
    if ended in ("completed", "rejected") and order.cancellation_accepted:
        yield "cancellation_refused"


def _answers(order: Placed) -> Iterable[Discrepancy]:
    if not order.may_end:
        if order.order_id is not None:
            yield NotRefused(order.order_id, order.kind)
    elif order.order_id is None or order.refusals:
        yield NotAccepted(order.kind, order.refusals)
    if len(set(order.order_ids)) > 1:
        yield SplitDuplicate(tuple(dict.fromkeys(order.order_ids)), order.kind)


def _ended(
    order: Placed,
    endings: Mapping[str, set[Ending]],
    all_said: Mapping[str, Mapping[str, Ending]],
    final_rows: Mapping[str, Ending],
) -> Iterable[Discrepancy]:
    order_id = order.order_ids[0]
    ends = sorted(endings.get(order_id, ()))
    said = all_said.get(order_id, {})
    if not ends:
        yield Lost(order_id, order.kind)
    if len(ends) > 1:
        yield Doubled(order_id, order.kind, tuple(ends))
    if len(said) > 1:
        yield Doubled(order_id, order.kind, tuple(f"{ended} (event {id_})" for id_, ended in said.items()))
    if len(ends) == 1 and order.may_end and ends[0] not in order.may_end:
        yield WrongEnding(order_id, order.kind, ends[0], tuple(sorted(order.may_end)))
    row = final_rows.get(order_id)
    if row is not None and row not in said.values():
        yield Unsaid(order_id, order.kind, row)


def _strangers(known: set[str], evidence: Evidence) -> Iterable[Discrepancy]:
    for order_id, ended in evidence.final_rows.items():
        if order_id not in known:
            yield OrderUnexpected(order_id, f"{ended} in the table")
    for letter in evidence.dead_letters:
        if letter.order_id not in known or not letter.is_order:
            yield DeadLetterUnexpected(letter.queue, letter.message_id, letter.event_type or "no event")


def _alerts(due: Counter[tuple[str, str]], announced: Counter[tuple[str, str]]) -> Iterable[Discrepancy]:
    for kind, order_id in sorted(due.keys() | announced.keys()):
        expected, times = due[kind, order_id], announced[kind, order_id]
        if times < expected:
            yield MissingAlert(kind, order_id)
        elif times > expected:
            yield UnexpectedAlert(kind, order_id, times, expected)


def _count(alerts: Counter[tuple[str, str]], kind: str) -> int:
    return sum(times for (each, _), times in alerts.items() if each == kind)
