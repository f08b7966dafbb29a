"""The ledger: compares what clients were answered with what is found afterwards. `evidence` gathers, this judges."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

from orderboard_contracts.alert import AlertKind
from orderboard_contracts.events import CancellationRefused, CancellationRequested, OrderCompleted, OrderRejected

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
from orderboard.orders.dead_letters import PLACED, DeadLetter
from orderboard.orders.kinds import Ending

ALERT_KINDS: Final[tuple[AlertKind, ...]] = get_args(AlertKind)
# The type of a message -> the alert that is due once it is handled.
_ALERT_OF: Final[Mapping[str, AlertKind]] = {
    PLACED: "large_order",
    OrderRejected.model_fields["type"].default: "order_rejected",
    OrderCompleted.model_fields["type"].default: "express_ready",
    CancellationRefused.model_fields["type"].default: "cancellation_refused",
    CancellationRequested.model_fields["type"].default: "cancellation_refused",
}


@dataclass(frozen=True)
class Placed:
    """One order as its client knows it: what was sent and what was answered."""

    kind: str
    may_end: frozenset[Ending]  # empty: the API must refuse it; dead-lettered: so may its cancellation and its alerts
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
    """A final outcome received from the bus. A redelivery repeats it under the same event id.

    bus_event_id: the id that EventBridge gave to the event.
    """

    event_id: str
    order_id: str
    ended: Ending
    bus_event_id: str = ""


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
    """One accepted order and how it ended (None: not found).

    dead_lettered_duplicate: it ended, and a duplicate of its message rests in a dead-letter queue. That is one order
    made once: the worker repeats the recorded outcome when the duplicate is redriven.
    """

    order_id: str
    kind: str
    ended: Ending | None
    alerts: tuple[AlertKind, ...]
    dead_lettered_duplicate: bool = False


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
    published = _published(evidence)
    endings, duplicates = _endings(evidence, published)
    entries = tuple(_entry(order, endings, duplicates, large_order_cents) for order in accepted)
    due = Counter((str(kind), entry.order_id) for entry in entries for kind in entry.alerts)
    may_be_late = {id_ for order in accepted if "dead-lettered" in order.may_end for id_ in order.order_ids}
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
            *_unexpected({id_ for order in accepted for id_ in order.order_ids}, may_be_late, evidence),
            *(() if evidence.rows_only else _check_alerts(due, announced, _late_alerts(evidence, may_be_late))),
        ),
    )


def _endings(
    evidence: Evidence, published: Mapping[str, Mapping[str, Ending]]
) -> tuple[dict[str, Ending], frozenset[str]]:
    """Return how each order ended, by order id, and those with a dead-lettered duplicate.

    An order is in a dead-letter queue if it has no final row, or if the outcome of its row was never published: a
    redrive completes both. Any other dead letter of an order is a duplicate of one that ended.
    """
    endings: dict[str, Ending] = dict(evidence.final_rows)
    duplicates: set[str] = set()
    for letter in evidence.dead_letters:
        if letter.order_id is None or not letter.is_order:
            continue
        if letter.order_id in evidence.final_rows and (evidence.rows_only or letter.order_id in published):
            duplicates.add(letter.order_id)
        else:
            endings[letter.order_id] = "dead-lettered"
    return endings, frozenset(duplicates)


def _published(evidence: Evidence) -> dict[str, dict[str, Ending]]:
    published: dict[str, dict[str, Ending]] = {}
    for outcome in evidence.outcomes:
        published.setdefault(outcome.order_id, {})[outcome.event_id] = outcome.ended
    return published


def _entry(order: Placed, endings: Mapping[str, Ending], duplicates: frozenset[str], large_order_cents: int) -> Entry:
    order_id = order.order_ids[0]
    ended = endings.get(order_id)
    alerts = tuple(_due_alerts(order, ended, large_order_cents))
    return Entry(order_id, order.kind, ended, alerts, order_id in duplicates)


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
    endings: Mapping[str, Ending],
    published: Mapping[str, Mapping[str, Ending]],
    evidence: Evidence,
) -> Iterable[Discrepancy]:
    order_id = order.order_ids[0]
    ended = endings.get(order_id)
    outcomes = published.get(order_id, {})
    if ended is None:
        yield Lost(order_id, order.kind)
    elif order.may_end and ended not in order.may_end:
        yield WrongEnding(order_id, order.kind, ended, tuple(sorted(order.may_end)))
    if len(outcomes) > 1:
        yield Doubled(order_id, order.kind, tuple(f"{ended} (event {id_})" for id_, ended in outcomes.items()))
    row = evidence.final_rows.get(order_id)
    if row is not None and row == ended and row not in outcomes.values() and not evidence.rows_only:
        yield OutcomeNotPublished(order_id, order.kind, row)


def _unexpected(known: Collection[str], may_be_late: Collection[str], evidence: Evidence) -> Iterable[Discrepancy]:
    for order_id, ended in evidence.final_rows.items():
        if order_id not in known:
            yield OrderUnexpected(order_id, f"{ended} in the table")
    for letter in evidence.dead_letters:
        if letter.order_id not in (known if letter.is_order else may_be_late):
            what = letter.event_type or "not an event"
            yield DeadLetterUnexpected(letter.queue, letter.message_id, what, letter.order_id)


def _check_alerts(
    due: Counter[tuple[str, str]], announced: Counter[tuple[str, str]], late: Collection[tuple[str, str]]
) -> Iterable[Discrepancy]:
    for kind, order_id in sorted(due.keys() | announced.keys()):
        expected, times = due[kind, order_id], announced[kind, order_id]
        if times > expected:
            yield UnexpectedAlert(kind, order_id, times, expected)
        elif times < expected and (kind, order_id) not in late:
            yield MissingAlert(kind, order_id)


def _late_alerts(evidence: Evidence, may_be_late: Collection[str]) -> set[tuple[str, str]]:
    """Return the alerts (kind, order id) whose event, or whose cancellation, rests in a dead-letter queue."""
    late = (each for each in evidence.dead_letters if not each.is_order and each.order_id in may_be_late)
    return {(kind, str(each.order_id)) for each in late if (kind := _ALERT_OF.get(each.event_type or "")) is not None}


def _count(alerts: Counter[tuple[str, str]], kind: str) -> int:
    return sum(times for (each, _), times in alerts.items() if each == kind)
