"""The verdict on answers alone, where the stack cannot be read. Pure. It is never `valid`: nothing else is proven."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from orderboard.burst.judge.attempt import Attempt
from orderboard.burst.judge.refusals import refusal_is_meant, refusals
from orderboard.burst.judge.verdict import Judgement
from orderboard.burst.model import BurstVerdict, Finding
from orderboard.ledger.discrepancy import NotRefused, SplitDuplicate
from orderboard.ledger.ledger import Evidence, Ledger

UNPROVEN: Final = (
    "lost: an order that was answered 202 may never have been made",
    "duplicated: an order may have been made twice",
    "endings: how many were completed, rejected, cancelled or dead-lettered, and which alerts were announced",
    "recovered: an order without an answer may have been placed",
    "drain: how large the backlog grew, when the last order ended, and how long each took from end to end",
)
_MAX_FINDINGS: Final = 100


def judge_answers(attempts: Sequence[Attempt], generators_ended: int = 0) -> Judgement:
    """Look at every answer: whether there is one, and whether it may be that one."""
    answers = Counter(each.answer for each in attempts)
    unavailable = answers["unavailable"] + answers["unreached"]
    unmeant = sum(each.answer == "refused" and not refusal_is_meant(each) for each in attempts)
    findings = list(_findings(attempts))
    verdict = BurstVerdict(
        valid=False,
        basis="answers",
        answered=bool(attempts) and not (unavailable or unmeant or findings or generators_ended),
        unproven=UNPROVEN,
        drained=False,
        attempted=len(attempts),
        acknowledged=answers["acknowledged"],
        refused=answers["refused"],
        refused_unmeant=unmeant,
        refusals=refusals(attempts),
        unavailable=unavailable,
        unreached=answers["unreached"],
        completed=0,
        rejected=0,
        cancelled=0,
        dead_lettered=0,
        lost=0,
        duplicated=0,
        recovered=0,
        unexpected=len(findings),
        generators_ended=generators_ended,
        alerts_due=0,
        alerts_announced=0,
        endings={},
        findings=tuple(findings[:_MAX_FINDINGS]),
    )
    return Judgement(verdict, Ledger((), answers["refused"], {}, ()), (), Evidence(), "drained")


def _findings(attempts: Sequence[Attempt]) -> Iterator[Finding]:
    for each in attempts:
        if each.order_ids and not each.may_end:
            found = NotRefused(each.order_ids[0], each.kind)
            yield Finding(verdict="unexpected", type=type(found).__name__, text=str(found))
        if len(set(each.order_ids)) > 1:
            split = SplitDuplicate(tuple(dict.fromkeys(each.order_ids)), each.kind)
            yield Finding(verdict="unexpected", type=type(split).__name__, text=str(split))
