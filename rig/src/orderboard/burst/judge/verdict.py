"""The verdict on every order that was attempted, after Jepsen's total-queue. Pure: `ledger` compares, this classifies.

https://jepsen-io.github.io/jepsen/jepsen.checker.html#var-total-queue
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from orderboard_contracts.identity import order_id_for

from orderboard.burst.judge.attempt import Attempt
from orderboard.burst.judge.refusals import refusal_is_meant, refusals
from orderboard.burst.model import BurstVerdict, Finding, OthersOrders
from orderboard.ledger.discrepancy import (
    DeadLetterUnexpected,
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
from orderboard.orders.kinds import ENDINGS

FindingClass = Literal["lost", "duplicated", "unexpected"]
# drained: everything was checked after a full drain. given up: nothing moved any more, so orders may still be on their
# way. backend gone and quit: only what was received until then is known.
End = Literal["drained", "given up", "backend gone", "quit"]
_UNKNOWABLE: Final[Mapping[End, tuple[FindingClass, ...]]] = {
    "drained": (),
    "given up": ("lost",),
    "backend gone": ("lost", "unexpected"),
    "quit": ("lost", "unexpected"),
}
_MAX_FINDINGS: Final = 100


@dataclass(frozen=True)
class Judgement:
    """The verdict, and the ledger that it is based on."""

    verdict: BurstVerdict
    ledger: Ledger
    placed: tuple[Placed, ...]
    evidence: Evidence
    end: End

    @property
    def may_change(self) -> bool:
        """True if something is missing or unexpected that may still come, or be explained by what still comes."""
        found = self.verdict
        return self.end == "drained" and bool(found.lost or found.duplicated or found.unexpected)


def judge(
    attempts: Sequence[Attempt],
    evidence: Evidence,
    *,
    large_order_cents: int,
    end: End,
    others: OthersOrders | None = None,
    generators_ended: int = 0,
) -> Judgement:
    """Compare the attempts and their answers with the evidence. others: orders that are not in either.

    generators_ended: before they were done, so the load is not the one that was asked for.
    A missing order is lost only after a full drain; otherwise it is unsettled.
    """
    drained = end == "drained"
    landed = evidence.final_rows.keys() | {letter.order_id for letter in evidence.dead_letters if letter.is_order}
    recovered = {
        each.idempotency_key
        for each in attempts
        if each.answer == "unavailable" and order_id_for(each.idempotency_key) in landed
    }
    placed = tuple(_placed(each, recovered=each.idempotency_key in recovered) for each in attempts)
    ledger = balance(placed, evidence, large_order_cents=large_order_cents)
    uncertain = _Uncertain.of(attempts)
    classified = [
        (class_, each)
        for each in ledger.discrepancies
        if (class_ := _class_of(each, uncertain)) is not None and class_ not in _UNKNOWABLE[end]
    ]
    counts = Counter(class_ for class_, _ in classified)
    answers = Counter(each.answer for each in attempts)
    unavailable = answers["unavailable"] + answers["unreached"]
    # Without an answer to any order, and a trace of one, nothing is proven.
    traces = evidence.final_rows or evidence.outcomes or evidence.dead_letters
    proves = unavailable < len(attempts) or bool(attempts and traces)
    unmeant = sum(each.answer == "refused" and not refusal_is_meant(each) for each in attempts)
    endings = Counter(entry.ended for entry in ledger.entries)
    verdict: dict[str, object] = {
        **{answer: answers[answer] for answer in ("acknowledged", "refused")},
        "unavailable": unavailable,
        "unreached": answers["unreached"],
        **{ending.replace("-", "_"): endings[ending] for ending in ENDINGS},
        **{class_: counts[class_] for class_ in get_args(FindingClass)},
        "valid": proves and drained and not (classified or unmeant or generators_ended),
        "generators_ended": generators_ended,
        "drained": drained,
        "attempted": len(attempts),
        "others": others,
        "refused_unmeant": unmeant,
        "refusals": refusals(attempts),
        "recovered": len(recovered),
        "dead_lettered_duplicates": sum(entry.dead_lettered_duplicate for entry in ledger.entries),
        "unsettled": 0 if drained else endings[None],
        "alerts_due": sum(due for due, _ in ledger.alerts.values()),
        "alerts_announced": sum(announced for _, announced in ledger.alerts.values()),
        "endings": _by_kind(ledger, missing="lost" if drained else "unsettled"),
        "findings": [
            Finding(verdict=class_, type=type(each).__name__, text=str(each))
            for class_, each in classified[:_MAX_FINDINGS]
        ],
    }
    return Judgement(BurstVerdict.model_validate(verdict), ledger, placed, evidence, end)


@dataclass(frozen=True)
class _Uncertain:
    """Orders and alerts (kind, order id) that may be there or not: without an answer, one may have half landed."""

    orders: frozenset[str]
    alerts: frozenset[tuple[str, str]]

    @staticmethod
    def of(attempts: Sequence[Attempt]) -> "_Uncertain":
        """Return what the answers leave open."""
        orders = frozenset(order_id_for(each.idempotency_key) for each in attempts if each.answer == "unavailable")
        unsure = (each for each in attempts if each.cancellation == "unavailable")
        refusals = {
            ("cancellation_refused", order_id)
            for each in unsure
            for order_id in (*each.order_ids, order_id_for(each.idempotency_key))
        }
        return _Uncertain(orders, frozenset(refusals | {("large_order", order_id) for order_id in orders}))


def _placed(attempt: Attempt, *, recovered: bool) -> Placed:
    return Placed(
        kind=attempt.kind,
        may_end=attempt.may_end,
        order_ids=(order_id_for(attempt.idempotency_key),) if recovered else attempt.order_ids,
        refusals=attempt.refusals,
        total_cents=attempt.total_cents,
        express=attempt.express,
        cancellation_accepted=attempt.cancellation == "acknowledged",
    )


def _class_of(discrepancy: Discrepancy, uncertain: _Uncertain) -> FindingClass | None:
    match discrepancy:
        case MissingAlert() | UnexpectedAlert() if (discrepancy.kind, discrepancy.order_id) in uncertain.alerts:
            return None
        case DeadLetterUnexpected() if discrepancy.order_id in uncertain.orders:
            return None
        case Lost() | OutcomeNotPublished() | MissingAlert():
            return "lost"
        case Doubled() | SplitDuplicate():
            return "duplicated"
        case NotAccepted():  # nothing landed: counted as refused or unavailable
            return None
        case _:
            return "unexpected"


def _by_kind(ledger: Ledger, *, missing: str) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for entry in ledger.entries:
        counts.setdefault(entry.kind, Counter())[entry.ended or missing] += 1
    return {name: dict(counts[name]) for name in sorted(counts)}
