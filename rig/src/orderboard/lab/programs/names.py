"""The names that a program has for parties and values, and which values it needs."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orderboard.lab.experiment import Experiment
from orderboard.lab.steps import Call, Check, Engine, ReceiveAll, Remove, Start, Step, Until
from orderboard.lab.values import Variable, values_in


@dataclass(frozen=True)
class Names:
    """Names of one program.

    clients: by party and service, in the order in which they first appear. used: the variables that a later step reads,
    given: those that it gives to a call. taken: names of clients, helpers and the like.
    """

    clients: Mapping[tuple[str, str], str]
    used: frozenset[str]
    given: frozenset[str]
    taken: frozenset[str]

    def of(self, variable: Variable) -> str:
        """The name of a variable: its own, unless the program needs that for something else."""
        return self.free(variable.name)

    def free(self, name: str) -> str:
        """A name that is not one of a client or helper."""
        return f"{name}_" if name in self.taken or keyword.iskeyword(name) else name

    def document(self, name: str) -> str:
        """A name for a document, which is not one of a variable either."""
        return f"{name}_document" if name in self.taken | self.used or keyword.iskeyword(name) else name


def names_of(experiment: Experiment, helpers: Collection[str]) -> Names:
    """Return the names of a program with these helpers."""
    calls = [each for step in experiment.all_steps() for each in _calls(step)]
    pairs = list(dict.fromkeys(calls))
    parties = [party for party, _ in pairs]
    clients: dict[tuple[str, str], str] = {}
    for party, service in pairs:
        name = snake(party)
        alone = parties.count(party) == 1 and name not in helpers and not keyword.iskeyword(name)
        clients[party, service] = name if alone else snake(f"{party} {service}")
    steps = list(experiment.all_steps())
    given = {name for step in steps for name in _given(step)}
    used = given | {name for step in steps for name in _compared(step)}
    taken = frozenset(helpers) | frozenset(clients.values())
    return Names(clients, frozenset(used), frozenset(given), taken)


def snake(text: str) -> str:
    """A name in snake case: "consumer A" and "FilterPolicy" become consumer_a and filter_policy."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    name = re.sub(r"\W+", "_", spaced).strip("_").lower()
    return name if name and not name[0].isdigit() else f"value_{name}".rstrip("_")


def _calls(step: Step) -> Iterator[tuple[str, str]]:
    match step:
        case Call():
            yield step.party.name, step.service
        case Remove(call) | Start(call) | Until(call=call):
            yield call.party.name, call.service
        case ReceiveAll():
            yield step.party.name, "sqs"
        case _:
            pass


def _given(step: Step) -> Iterator[str]:
    """The variables that a step needs for its calls."""
    match step:
        case Call():
            yield from _in(step.parameters)
        case Remove(call) | Start(call) | Until(call=call):
            yield from _in(call.parameters)
        case ReceiveAll():
            yield step.queue_url.name
        case Engine():
            yield from _in(step.document)
        case _:
            pass


def _compared(step: Step) -> Iterator[str]:
    match step:
        case Check():
            yield step.found.name
        case Until():
            yield step.call.keeps[0].variable.name
        case _:
            pass


def _in(parameters: Any) -> Iterator[str]:
    for each in values_in(parameters):
        if isinstance(each, Variable):
            yield each.name
