"""Refused orders, grouped by the reason. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from orderboard.burst.judge.attempt import Attempt
from orderboard.burst.model import Refusal

_SHOWN: Final = 50
_VALUES: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")  # they differ from order to order
_STATUS: Final = re.compile(r"\d{3} ")


@dataclass
class _Group:
    first: Attempt
    count: int = 0
    example: str = ""
    line: int = 0


def refusals(attempts: Iterable[Attempt]) -> tuple[Refusal, ...]:
    """Return the fifty largest groups, those that were not meant first. Reasons that differ in a value are one."""
    groups: dict[tuple[bool, str, str], _Group] = {}
    for each in attempts:
        if each.answer != "refused":
            continue
        group = groups.setdefault((refusal_is_meant(each), each.kind, _alike(_reason(each))), _Group(each))
        group.count += 1
        if not group.example and each.example:
            group.example, group.line = each.example, each.line
    found = [
        Refusal(
            reason=_reason(group.first),
            kind=kind,
            orders=group.count,
            meant=meant,
            example=group.example or None,
            line=group.line or group.first.line or None,
        )
        for (meant, kind, _), group in groups.items()
    ]
    return tuple(sorted(found, key=lambda each: (each.meant, -each.orders))[:_SHOWN])


def refusal_is_meant(attempt: Attempt) -> bool:
    """Return whether the API must refuse the order, or may."""
    return attempt.may_be_refused or not attempt.may_end


def _reason(attempt: Attempt) -> str:
    return attempt.refusals[0] if attempt.refusals else "no reason given"


def _alike(reason: str) -> str:
    status = _STATUS.match(reason)
    start = status.end() if status else 0
    return reason[:start] + _VALUES.sub("*", reason[start:])
