"""Random event patterns and events: localbus compared with a model of the open rule engine, or with that itself.

The model is written from the README and tests of https://github.com/aws/event-ruler, and from
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html. EVENT_RULER_CLASSPATH set
to the jars of software.amazon.event.ruler:event-ruler and its dependencies, with a JDK, asks the engine itself too.
Where the engine differs from AWS's page, localbus follows the page. In 300,000 cases 34 differed: in 32 the pattern
has a wildcard beside an equals-ignore-case, which the engine then matches in another case; in 2 it has exists: false
in an $or, which is not explained. Not generated: a cidr of length 0, and exists: false where the event has an array.
"""

from __future__ import annotations

import ipaddress
import itertools
import json
import operator
import os
import random
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from localbus.errors import AwsError
from localbus.event_pattern.pattern import EventPattern, fields_of
from localbus.events.rule_index import RuleIndex

_NAMES = ("a", "b", "c")
_TEXTS = ("", "a", "b", "ab", "aB", "abc", "ABC", "cab", "a*b", "1", "true", "null", "ä", "Äb")
_ADDRESSES = ("10.20.30.7", "10.20.31.7", "10.20.30.200", "2001:db8::1", "2001:DB8:0::0001", "::ffff", "10.20.30.256")
_NUMBERS = (0, 1, -1, 1.0, 1.5, 10, 300, 3e2, 1e-3, -5e9, 5e9, 4_999_999_999.5)
_SCALARS = (*_TEXTS, *_ADDRESSES, *_NUMBERS, True, False, None)
_WILDCARDS = ("*", "a*", "*b", "a*c", "*b*", "a\\*b", "*a*b")
# Not /0, which in the open engine matches many values that are not addresses.
_NETWORKS = ("10.20.30.200/24", "10.20.0.0/16", "10.20.30.7/31", "2001:db8::ff/64", "::1/127")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ENDS = {"prefix": str.startswith, "suffix": str.endswith}


def run(seed: int, count: int) -> list[str]:
    """Compare `count` random events with a pattern each. Return the differences."""
    rng = random.Random(f"patterns {seed}")
    cases = [(json.dumps(_pattern(rng)), json.dumps(_object(rng, 0))) for _ in range(count)]
    asked = _ruler(cases) if "EVENT_RULER_CLASSPATH" in os.environ else itertools.repeat(None)
    differences: list[str] = []
    for (pattern, event), ruler in zip(cases, asked, strict=False):
        found = _localbus(pattern, event)
        for other, expected in (("the model", _model(pattern, event)), ("event-ruler", ruler)):
            if expected is not None and found != expected:
                differences.append(f"pattern {pattern}\n  event {event}\n  localbus: {found}, {other}: {expected}")
    return differences


def _object(rng: random.Random, depth: int) -> dict[str, Any]:
    """Build an event or a part of one: scalars, objects, and arrays of either."""
    return {name: _value(rng, depth) for name in _NAMES if rng.random() < 0.8}


def _value(rng: random.Random, depth: int) -> Any:
    kind = rng.random() if depth < 2 else 0.0
    if kind < 0.4:
        return rng.choice(_SCALARS)
    if kind < 0.6:
        return rng.sample(_SCALARS, rng.randrange(4))
    if kind < 0.8:
        return _object(rng, depth + 1)
    return [_object(rng, depth + 1) for _ in range(rng.randrange(4))]


def _pattern(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    """Build a valid pattern."""
    pattern: dict[str, Any] = {}
    for name in rng.sample(_NAMES, rng.randint(1, 2)):
        inner = depth < 2 and rng.random() < 0.4
        pattern[name] = _pattern(rng, depth + 1) if inner else [_alternative(rng) for _ in range(rng.randint(1, 2))]
    if depth < 2 and rng.random() < 0.15:
        pattern["$or"] = [_pattern(rng, depth + 1) for _ in range(2)]
    return pattern


def _alternative(rng: random.Random) -> Any:
    text, texts = rng.choice(_TEXTS[1:]), rng.sample(_TEXTS[1:], 2)
    end = rng.choice(("prefix", "suffix"))
    low, high = sorted(rng.sample(sorted(set(_NUMBERS)), 2))
    numeric = rng.choice(([rng.choice(list(_COMPARISONS)), low], [rng.choice((">", ">=")), low, "<", high]))
    excluded = (text, texts, low, [low, high], {end: text}, {end: texts}, {"equals-ignore-case": texts})
    return rng.choice(
        (
            rng.choice(_SCALARS),
            {end: text},
            {end: {"equals-ignore-case": text}},
            {"equals-ignore-case": text},
            {"wildcard": rng.choice(_WILDCARDS)},
            {"exists": rng.random() < 0.5},
            {"cidr": rng.choice(_NETWORKS)},
            {"numeric": numeric},
            {"anything-but": rng.choice((*excluded, {"wildcard": rng.choice(_WILDCARDS)}))},
        )
    )


def _localbus(pattern: str, event: str) -> bool | str:
    """Match by the pattern alone and by the index of a bus with it."""
    document = json.loads(event)
    try:
        compiled = EventPattern(pattern)
    except AwsError as exc:
        return exc.message
    index: RuleIndex[str] = RuleIndex()
    index.add("r", compiled)
    alone, indexed = compiled.matches(fields_of(document)), bool(index.matching(index.flatten(document)))
    return alone if alone == indexed else f"{alone} alone, {indexed} in an index"


def _model(pattern: str, event: str) -> bool | None:
    """Try each choice of one object from each array with each branch of the pattern.

    None where absence and arrays meet: there the engine's answer depends on the order of the fields.
    """
    worlds = [dict(_leaves(world, "")) for world in _worlds(json.loads(event))]
    if len(worlds) > 1 and '{"exists": false}' in pattern:
        return None
    branches = list(_branches(json.loads(pattern), "", {}))
    return any(
        all(any(_accepts(one, world.get(path, [])) for one in wanted) for path, wanted in branch.items())
        for world in worlds
        for branch in branches
    )


def _branches(pattern: dict[str, Any], path: str, before: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the conditions by path for each choice from the pattern's $or. The last condition of a path counts."""
    if not pattern:
        yield before
        return
    (name, wanted), *others = pattern.items()
    inner = path if name == "$or" else f"{path}.{name}"
    if isinstance(wanted, list) and name != "$or":
        yield from _branches(dict(others), path, before | {inner: wanted})
        return
    for part in wanted if name == "$or" else [wanted]:
        for branch in _branches(part, inner, before):
            yield from _branches(dict(others), path, branch)


def _worlds(event: Any) -> Iterator[Any]:
    """Yield the event with each choice of one object from each of its arrays."""
    if isinstance(event, list) and event and isinstance(event[0], dict):
        for item in event:
            yield from _worlds(item)
    elif isinstance(event, dict):
        for values in itertools.product(*(list(_worlds(one)) for one in event.values())):
            yield dict(zip(event, values, strict=True))
    else:
        yield event


def _leaves(event: Any, path: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield the values of each path."""
    if not isinstance(event, dict):
        yield path, event if isinstance(event, list) else [event]
        return
    for name, value in event.items():
        yield from _leaves(value, f"{path}.{name}")


def _accepts(wanted: Any, values: list[Any]) -> bool:
    """Return whether an alternative accepts one of the values, or their absence."""
    if wanted == {"exists": False}:
        return not values
    return any(_accepts_value(wanted, value) for value in values)


def _accepts_value(wanted: Any, value: Any) -> bool:
    if not isinstance(wanted, dict):
        return _equal(wanted, value)
    [(name, operand)] = wanted.items()
    if name == "exists":
        return True
    if name == "anything-but":
        return not any(_accepts_value(one, value) for one in _excluded(operand))
    if name == "numeric":
        pairs = zip(operand[::2], operand[1::2], strict=True)
        return _is_number(value) and all(_COMPARISONS[sign](value, bound) for sign, bound in pairs)
    return isinstance(value, str) and _accepts_text(name, operand, value)


def _accepts_text(name: str, operand: Any, value: str) -> bool:
    if name == "cidr":
        address, network = _address(value), ipaddress.ip_network(operand, strict=False)
        return address is not None and address.version == network.version and address in network
    if name == "wildcard":
        parts = re.findall(r"\\.|.", operand)
        source = "".join(".*" if part == "*" else re.escape(part[-1]) for part in parts)
        return re.fullmatch(source, value, re.DOTALL) is not None
    if isinstance(operand, dict):
        value, operand = value.lower(), operand["equals-ignore-case"].lower()
    return bool(value.lower() == operand.lower() if name == "equals-ignore-case" else _ENDS[name](value, operand))


def _excluded(operand: Any) -> list[Any]:
    """Return what anything-but excludes, as separate alternatives."""
    if not isinstance(operand, dict):
        return operand if isinstance(operand, list) else [operand]
    [(name, given)] = operand.items()
    return [{name: one} for one in (given if isinstance(given, list) else [given])]


def _equal(wanted: Any, value: Any) -> bool:
    if _is_number(wanted) and _is_number(value):
        return bool(wanted == value)
    address = _address(wanted)
    return (type(wanted) is type(value) and wanted == value) or (address is not None and address == _address(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _address(value: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _ruler(cases: list[tuple[str, str]]) -> list[bool | str]:
    """Ask event-ruler about pairs of a pattern and an event."""
    source = Path(__file__).with_name("EventRuler.java")
    lines = "".join(f"{pattern}\t{event}\n" for pattern, event in cases)
    command = ["java", "-cp", os.environ["EVENT_RULER_CLASSPATH"], str(source)]
    found = subprocess.run(command, input=lines, text=True, capture_output=True, check=True)
    return [line if line not in {"true", "false"} else line == "true" for line in found.stdout.splitlines()]
