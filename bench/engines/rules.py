"""A bus with three rules beside one with three hundred. Each event matches one rule.

The kinds of rules differ in the index that an engine can use: an exact value, a prefix, a numeric range, or none.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from statistics import median
from typing import Any

from engines import steps
from engines.engine import Engine, localbus, ministack
from engines.load import Contender, Operation, Run, take_turns
from engines.report import Report, speeds_of
from engines.resources import create_bus, create_queue
from goals import Goal, ratios

FEW, MANY = 3, 300
PATTERNS: dict[str, Callable[[int], Mapping[str, Any]]] = {
    "an exact value": lambda n: {"source": ["bench"], "detail-type": [f"measured.{n}"]},
    "a prefix": lambda n: {"detail": {"kind": [{"prefix": f"kind-{n}-"}]}},
    "a range": lambda n: {"detail": {"amount": [{"numeric": [">=", n * 100, "<", n * 100 + 100]}]}},
    "anything but, and a suffix": lambda n: {
        "source": [{"anything-but": ["aws"]}],
        "detail": {"kind": [{"suffix": f"-{n}"}]},
    },
}


async def rules_part(run: Run) -> Report:
    """Compare rates by the number of rules, in about two minutes."""
    with ExitStack() as stack:
        own, theirs = stack.enter_context(localbus()), stack.enter_context(ministack())
        contenders = [await _contender(own, FEW), await _contender(own, MANY), await _contender(theirs, MANY)]
        await take_turns(contenders, run)
    few, many, other = (contender.cycle for contender in contenders)
    goals: list[Goal] = []
    for place, operation in enumerate(many):
        if operation.is_measured:
            name = f"{operation.name}: {MANY} rules"
            against_few = ratios(operation.rates(), few[place].rates())
            against_other = ratios(operation.rates(), other[place].rates())
            cpu = f"CPU for an event {median(ratios(operation.costs_s(), few[place].costs_s())):.2f} x"
            goals += [
                Goal(f"{name} by {FEW}", 0.9, against_few, detail=cpu),
                Goal(f"{name}, by MiniStack", 1.0, against_other),
            ]
    return Report(goals, speeds_of(contenders))


async def _contender(engine: Engine, rules: int) -> Contender:
    cycle: list[Operation] = []
    for number, (kind, pattern) in enumerate(PATTERNS.items()):
        queue = f"rules-{rules}-{number}"
        drain = steps.receive_and_delete(await create_queue(engine, queue))
        bus = await create_bus(engine, f"bus-{rules}-{number}", [pattern(n) for n in range(rules)], queue)
        cycle += [
            Operation(f"PutEvents, rules by {kind}", steps.put_events(bus, _event(rules))),
            Operation("", drain, is_measured=False),
        ]
    return Contender(f"{engine.name}, {rules} rules", engine, cycle)


def _event(rules: int) -> Callable[[int], Mapping[str, Any]]:
    """Events that match the rules in turn."""

    def event(number: int) -> Mapping[str, Any]:
        n = number % rules
        detail = steps.document(kind=f"kind-{n}-{n}", amount=n * 100 + 50)
        return {"Source": "bench", "DetailType": f"measured.{n}", "Detail": detail}

    return event
