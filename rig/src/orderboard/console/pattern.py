"""Event patterns and filter policies, evaluated with the reason for the answer: which path decided, and by what.

The backend decides what is routed; this explains it. tests/e2e holds the two against each other over a table of cases.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

import ipaddress
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
}
_ABSENT: Final = object()


@dataclass(frozen=True)
class Check:
    """One path of the pattern: what it wants, what the event has there (None: nothing), and whether that fits."""

    path: str
    wanted: str
    found: str | None
    matched: bool


@dataclass(frozen=True)
class Explanation:
    """The answer, and every check that led to it. All must fit, but of an $or's branches one is enough."""

    matched: bool
    checks: tuple[Check, ...]

    @property
    def decided_by(self) -> Check | None:
        """The first check that does not fit."""
        return next((each for each in self.checks if not each.matched), None)


def explain(pattern: Mapping[str, Any], event: object, path: str = "") -> Explanation:
    """Match an event, or the attributes of a message, with a pattern."""
    checks: list[Check] = []
    for key, wanted in pattern.items():
        if key == "$or" and _is_alternatives(wanted):
            checks.append(_either(wanted, event, path))
            continue
        name, dot, rest = key.partition(".")  # "a.b" and "a": {"b": ...} are the same
        here = f"{path}.{name}" if path else name
        found = _member(event, name)
        if dot:
            checks.extend(_nested({rest: wanted}, found, here).checks)
        elif isinstance(wanted, Mapping):
            checks.extend(_nested(wanted, found, here).checks)
        else:
            checks.append(_leaf(wanted if isinstance(wanted, list) else [wanted], found, here))
    return Explanation(bool(checks) and all(each.matched for each in checks), tuple(checks))


def _member(event: object, name: str) -> object:
    """What stands there; of an event whose own names have dots, too."""
    if not isinstance(event, Mapping):
        return _ABSENT
    begin = f"{name}."
    deeper = [{key.removeprefix(begin): value} for key, value in event.items() if key.startswith(begin)]
    here = [event[name]] if name in event else []
    found = [*here, *deeper]
    return found if len(found) > 1 else found[0] if found else _ABSENT


def _is_alternatives(wanted: object) -> bool:
    return isinstance(wanted, list) and len(wanted) > 1 and all(isinstance(each, Mapping) for each in wanted)


def _either(branches: Sequence[Mapping[str, Any]], event: object, path: str) -> Check:
    tried = [explain(branch, event, path) for branch in branches]
    wanted = " or ".join(" and ".join(f"{each.path} {each.wanted}" for each in one.checks) for one in tried)
    found = ", ".join(sorted({f"{each.path} is {each.found or 'absent'}" for one in tried for each in one.checks}))
    return Check(f"{path}.$or" if path else "$or", wanted, found, any(one.matched for one in tried))


def _nested(wanted: Mapping[str, Any], found: object, path: str) -> Explanation:
    # Of a list of objects, one must have everything.
    candidates = [each for each in _flat(found) if isinstance(each, Mapping)] or [{}]
    tried = [explain(wanted, each, path) for each in candidates]
    return next((one for one in tried if one.matched), tried[0])


def _leaf(alternatives: Sequence[Any], found: object, path: str) -> Check:
    leaves = [each for each in _flat(found) if not isinstance(each, Mapping)]
    matched = any(
        each["exists"] is bool(leaves)
        if isinstance(each, Mapping) and "exists" in each
        else any(_fits(v, each) for v in leaves)
        for each in alternatives
    )
    shown = None if not leaves else " and ".join(_text(each) for each in leaves)
    return Check(path, " or ".join(_wanted(each) for each in alternatives), shown, matched)


def _flat(found: object) -> list[Any]:
    if found is _ABSENT:
        return []
    if isinstance(found, list):
        return [leaf for each in found for leaf in _flat(each)]
    return [found]


def _fits(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, Mapping):
        return _same(value, wanted)
    name, operand = next(iter(wanted.items()), ("", None))
    test = _OPERATORS.get(name)
    return test is not None and test(value, operand)


def _same(value: Any, wanted: Any) -> bool:
    # True is no 1 in JSON.
    return isinstance(value, bool) == isinstance(wanted, bool) and value == wanted


def _prefix(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        folded = wanted.get("equals-ignore-case", _ABSENT)
        return isinstance(value, str) and isinstance(folded, str) and value.lower().startswith(folded.lower())
    return isinstance(value, str) and any(value.startswith(each) for each in _strings(wanted))


def _suffix(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        folded = wanted.get("equals-ignore-case", _ABSENT)
        return isinstance(value, str) and isinstance(folded, str) and value.lower().endswith(folded.lower())
    return isinstance(value, str) and any(value.endswith(each) for each in _strings(wanted))


def _equals_ignore_case(value: Any, wanted: Any) -> bool:
    return isinstance(value, str) and any(value.lower() == each.lower() for each in _strings(wanted))


def _wildcard(value: Any, wanted: Any) -> bool:
    return isinstance(value, str) and any(
        re.fullmatch(_wildcard_expression(each), value, re.DOTALL) is not None for each in _strings(wanted)
    )


def _wildcard_expression(wanted: str) -> str:
    # A backslash makes the next character stand for itself.
    parts = re.findall(r"\\.|\*|[^\\*]+|\\", wanted, re.DOTALL)
    return "".join(".*?" if part == "*" else re.escape(part.removeprefix("\\") or "\\") for part in parts)


def _numeric(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(wanted, list):
        return False
    pairs = list(zip(wanted[::2], wanted[1::2], strict=False))
    return bool(pairs) and all(name in _COMPARISONS and _COMPARISONS[name](value, limit) for name, limit in pairs)


def _anything_but(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return not _fits(value, wanted)
    return not any(_same(value, each) for each in (wanted if isinstance(wanted, list) else [wanted]))


def _cidr(value: Any, wanted: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except (TypeError, ValueError):
        return False


_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "anything-but": _anything_but,
    "cidr": _cidr,
}


def _strings(wanted: object) -> list[str]:
    return [each for each in (wanted if isinstance(wanted, list) else [wanted]) if isinstance(each, str)]


def _wanted(alternative: Any) -> str:
    if not isinstance(alternative, Mapping):
        return _text(alternative)
    name, operand = next(iter(alternative.items()), ("nothing", None))
    match name:
        case "exists":
            return "present" if operand else "absent"
        case "numeric" if isinstance(operand, list):
            return " and ".join(f"{a} {b}" for a, b in zip(operand[::2], operand[1::2], strict=False))
        case _:
            return f"{name} {_text(operand)}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
