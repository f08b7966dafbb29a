"""The ledger: compares what clients were answered with what is found afterwards. `evidence` gathers, this judges."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

from orderboard_contracts.alert import AlertKind

from orderboard.ledger.discrepancy import (
    DeadLetterUnexpected,
    Discrepancy,
    Doubled,
    Lost,
    MissingAlert,
    NotAccepted,
    NotRefused,
    OrderUnexpected,
    OutcomeNotPublished,
    SplitDuplicate,
    UnexpectedAlert,
    WrongEnding,
)
from orderboard.orders.dead_letters import DeadLetter
from orderboard.orders.kinds import Ending

ALERT_KINDS: Final[tuple[AlertKind, ...]] = get_args(AlertKind)


@dataclass(frozen=True)
class Placed:
    """One order as its client knows it: what was sent and what was answered."""

    kind: str
    may_end: frozenset[Ending]  # empty: the API must refuse it
    order_ids: tuple[str, ...] = ()  # one for each answer 202
    refusals: tuple[str, ...] = ()  # the texts of the other answers
    total_cents: int = 0
    express: bool = False
    cancellation_accepted: bool = False

    @property
    def order_id(self) -> str | None:
        """The id it was answered with, None when it was never accepted."""
        return self.order_ids[0] if self.order_ids else None


@dataclass(frozen=True)
class Outcome:
    """A final outcome received from the bus. A redelivery repeats it under the same event id."""

    event_id: str
    order_id: str
    ended: Ending


@dataclass(frozen=True)
class Announcement:
    """An alert that reached the inbox. It may arrive twice, with the same alert id."""

    alert_id: str
    kind: str
    order_id: str


@dataclass(frozen=True)
class Evidence:
    """The state afterwards, read from the table, the bus, the dead-letter queues and the inbox.

    rows_only: bus and inbox were not observed, so a missing outcome or announcement is not a discrepancy.
    """

    final_rows: Mapping[str, Ending] = field(default_factory=dict)  # by order id
    outcomes: tuple[Outcome, ...] = ()
    dead_letters: tuple[DeadLetter, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    rows_only: bool = False


@dataclass(frozen=True)
class Entry:
    """One accepted order and how it ended (None: not found)."""

    order_id: str
    kind: str
    ended: Ending | None
    alerts: tuple[AlertKind, ...]


@dataclass(frozen=True)
class Ledger:
    """Every accepted order, and every discrepancy."""

    entries: tuple[Entry, ...]
    refused: int
    alerts: Mapping[str, tuple[int, int]]  # kind -> (expected, announced)
    discrepancies: tuple[Discrepancy, ...]

    @property
    def balanced(self) -> bool:
        """True if every order and alert is where it must be, once."""
        return not self.discrepancies


def balance(placed: Sequence[Placed], evidence: Evidence, *, large_order_cents: int) -> Ledger:
    """Compare what was placed with what is found, and name every difference."""
    accepted = [order for order in placed if order.order_id is not None]
    endings, published = _endings(evidence), _published(evidence)
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
            *(found for order in placed for found in _check_answers(order)),
            *(found for order in accepted for found in _check_ending(order, endings, published, evidence)),
            *_unexpected({id_ for order in accepted for id_ in order.order_ids}, evidence),
            *(() if evidence.rows_only else _check_alerts(due, announced)),
        ),
    )


def _endings(evidence: Evidence) -> dict[str, set[Ending]]:
    found: dict[str, set[Ending]] = {order_id: {ended} for order_id, ended in evidence.final_rows.items()}
    for letter in evidence.dead_letters:
        if letter.order_id is not None and letter.is_order:
            found.setdefault(letter.order_id, set()).add("dead-lettered")
    return found


def _published(evidence: Evidence) -> dict[str, dict[str, Ending]]:
    published: dict[str, dict[str, Ending]] = {}
    for outcome in evidence.outcomes:
        published.setdefault(outcome.order_id, {})[outcome.event_id] = outcome.ended
    return published


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


def _check_answers(order: Placed) -> Iterable[Discrepancy]:
    if not order.may_end:
        if order.order_id is not None:
            yield NotRefused(order.order_id, order.kind)
    elif order.order_id is None or order.refusals:
        yield NotAccepted(order.kind, order.refusals)
    if len(set(order.order_ids)) > 1:
        yield SplitDuplicate(tuple(dict.fromkeys(order.order_ids)), order.kind)


def _check_ending(
    order: Placed,
    endings: Mapping[str, set[Ending]],
    published: Mapping[str, Mapping[str, Ending]],
    evidence: Evidence,
) -> Iterable[Discrepancy]:
    order_id = order.order_ids[0]
    ends = sorted(endings.get(order_id, ()))
    outcomes = published.get(order_id, {})
    if not ends:
        yield Lost(order_id, order.kind)
    if len(ends) > 1:
        yield Doubled(order_id, order.kind, tuple(ends))
    if len(outcomes) > 1:
        yield Doubled(order_id, order.kind, tuple(f"{ended} (event {id_})" for id_, ended in outcomes.items()))
    if len(ends) == 1 and order.may_end and ends[0] not in order.may_end:
        yield WrongEnding(order_id, order.kind, ends[0], tuple(sorted(order.may_end)))
    row = evidence.final_rows.get(order_id)
    if row is not None and row not in outcomes.values() and not evidence.rows_only:
        yield OutcomeNotPublished(order_id, order.kind, row)


def _unexpected(known: set[str], evidence: Evidence) -> Iterable[Discrepancy]:
    for order_id, ended in evidence.final_rows.items():
        if order_id not in known:
            yield OrderUnexpected(order_id, f"{ended} in the table")
    for letter in evidence.dead_letters:
        if letter.order_id not in known or not letter.is_order:
            yield DeadLetterUnexpected(letter.queue, letter.message_id, letter.event_type or "not an event")


def _check_alerts(due: Counter[tuple[str, str]], announced: Counter[tuple[str, str]]) -> Iterable[Discrepancy]:
    for kind, order_id in sorted(due.keys() | announced.keys()):
        expected, times = due[kind, order_id], announced[kind, order_id]
        if times < expected:
            yield MissingAlert(kind, order_id)
        elif times > expected:
            yield UnexpectedAlert(kind, order_id, times, expected)


def _count(alerts: Counter[tuple[str, str]], kind: str) -> int:
    return sum(times for (each, _), times in alerts.items() if each == kind)
