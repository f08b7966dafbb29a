"""The verdict on every order that was attempted, after Jepsen's total-queue. Pure: ledger.py finds, this file classes.

https://jepsen-io.github.io/jepsen/jepsen.checker.html#var-total-queue
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from orderboard_contracts.identity import order_id_for

from orderboard.burst.mix import kind
from orderboard.burst.model import Finding, Verdict
from orderboard.ledger.discrepancy import (
    Discrepancy,
    Doubled,
    Lost,
    MissingAlert,
    NotAccepted,
    OutcomeNotPublished,
    SplitDuplicate,
    UnexpectedAlert,
)
from orderboard.ledger.ledger import Evidence, Ledger, Placed, balance

Answer = Literal["acknowledged", "refused", "unavailable"]
Class = Literal["lost", "duplicated", "unexpected"]
# How the burst came to its end: everything was looked at after a full drain; or nothing moved any more, so what is
# missing may still be on its way; or the backend went, and nothing is known but what was heard until then.
End = Literal["drained", "given up", "backend gone"]
_CANNOT_BE_TOLD: Final[Mapping[End, tuple[Class, ...]]] = {
    "drained": (),
    "given up": ("lost",),
    "backend gone": ("lost", "unexpected"),
}
_SHOWN_FINDINGS: Final = 100


@dataclass(frozen=True)
class Attempt:
    """One order as the generator knows it. answer is the best of its sends; order_ids has one id for each 202."""

    kind: str
    idempotency_key: str
    answer: Answer
    order_ids: tuple[str, ...] = ()
    total_cents: int = 0
    express: bool = False
    cancellation: Answer | None = None


def judge(attempts: Sequence[Attempt], evidence: Evidence, *, large_order_cents: int, end: End) -> Verdict:
    """Hold what was attempted and answered against what is found at the end.

    Only after a full drain is what is missing lost; else it is unsettled.
    """
    drained = end == "drained"
    found = _found(evidence)
    recovered = [
        each for each in attempts if each.answer == "unavailable" and order_id_for(each.idempotency_key) in found
    ]
    landed = [_placed(each) for each in attempts if each.answer == "acknowledged"]
    landed += [_placed(replace(each, order_ids=(order_id_for(each.idempotency_key),))) for each in recovered]
    doubtful = _doubtful_alerts(attempts)
    ledger = balance(landed, evidence, large_order_cents=large_order_cents)
    classed = [(class_, each) for each in ledger.discrepancies if (class_ := _class_of(each, doubtful)) is not None]
    classed = [(class_, each) for class_, each in classed if class_ not in _CANNOT_BE_TOLD[end]]
    counts = Counter(class_ for class_, _ in classed)
    answers = Counter(each.answer for each in attempts)
    endings = Counter(entry.ended for entry in ledger.entries)
    return Verdict(
        valid=drained and not classed,
        drained=drained,
        attempted=len(attempts),
        acknowledged=answers["acknowledged"],
        refused=answers["refused"],
        unavailable=answers["unavailable"],
        completed=endings["completed"],
        rejected=endings["rejected"],
        cancelled=endings["cancelled"],
        dead_lettered=endings["dead-lettered"],
        lost=counts["lost"],
        unsettled=0 if drained else endings[None],
        duplicated=counts["duplicated"],
        recovered=len(recovered),
        unexpected=counts["unexpected"],
        alerts_due=sum(due for due, _ in ledger.alerts.values()),
        alerts_announced=sum(announced for _, announced in ledger.alerts.values()),
        endings=_by_kind(ledger, missing="lost" if drained else "unsettled"),
        findings=tuple(_findings(classed)),
    )


def _found(evidence: Evidence) -> set[str]:
    resting = {letter.order_id for letter in evidence.dead_letters if letter.order_id is not None}
    return evidence.final_rows.keys() | resting


def _doubtful_alerts(attempts: Sequence[Attempt]) -> set[tuple[str, str]]:
    """Alerts (kind, order id) that may be announced or not: what was not answered may have landed, or half of it."""
    orders = {("large_order", order_id_for(each.idempotency_key)) for each in attempts if each.answer == "unavailable"}
    unsure = (each for each in attempts if each.cancellation == "unavailable")
    return orders | {("cancellation_refused", order_id) for each in unsure for order_id in each.order_ids}


def _placed(attempt: Attempt) -> Placed:
    return Placed(
        kind=attempt.kind,
        may_end=kind(attempt.kind).may_end,
        order_ids=attempt.order_ids,
        total_cents=attempt.total_cents,
        express=attempt.express,
        cancellation_accepted=attempt.cancellation == "acknowledged",
    )


def _class_of(discrepancy: Discrepancy, doubtful: set[tuple[str, str]]) -> Class | None:
    match discrepancy:
        case MissingAlert() | UnexpectedAlert() if (discrepancy.kind, discrepancy.order_id) in doubtful:
            return None
        case Lost() | OutcomeNotPublished() | MissingAlert():
            return "lost"
        case Doubled() | SplitDuplicate():
            return "duplicated"
        case NotAccepted():  # an overloaded API may say so; nothing landed
            return None
        case _:
            return "unexpected"


def _by_kind(ledger: Ledger, *, missing: str) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for entry in ledger.entries:
        counts.setdefault(entry.kind, Counter())[entry.ended or missing] += 1
    return {name: dict(counts[name]) for name in sorted(counts)}


def _findings(classed: Sequence[tuple[Class, Discrepancy]]) -> Iterable[Finding]:
    for class_, discrepancy in classed[:_SHOWN_FINDINGS]:
        yield Finding(verdict=class_, type=type(discrepancy).__name__, text=str(discrepancy))
