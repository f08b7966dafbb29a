"""The story of an experiment: the body of the function that takes its steps, in Python."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from orderboard.lab.programs import python_text
from orderboard.lab.programs.boto3_values import expression
from orderboard.lab.programs.names import Names, snake
from orderboard.lab.programs.python_text import Code, Expression, Sentence, call, flat, quoted
from orderboard.lab.steps import (
    Call,
    Check,
    Each,
    Engine,
    Finish,
    Holds,
    Kept,
    ReceiveAll,
    Remove,
    Requests,
    Say,
    Serve,
    Settle,
    Start,
    Step,
    Until,
    Wait,
)
from orderboard.lab.values import Json, Variable

# A document that is longer stands before its call, under a name.
_LONGEST_INSIDE: Final = 50
_PLAIN_PATH: Final = re.compile(r"[A-Za-z]+(\.[A-Za-z]+)*")


@dataclass
class Story:
    """The lines, and what they need: helpers, imports, the code of functions, rules of checks, settings of localbus."""

    names: Names
    lines: list[str] = field(default_factory=list)
    helpers: set[str] = field(default_factory=lambda: {"client"})
    imports: set[str] = field(default_factory=set)
    codes: dict[str, str] = field(default_factory=dict)
    rules: set[Holds] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)
    _waiting: dict[int, str] = field(default_factory=dict)
    _depth: int = 1

    def begin(self, *, in_background: bool) -> None:
        """A client for each party and service, and threads for calls that go on meanwhile."""
        for (_, service), name in self.names.clients.items():
            self._put(self._helper("client", Code(quoted(service))), f"{name} = ")
        if in_background:
            self.imports.add("from concurrent.futures import ThreadPoolExecutor")
            self._put(Code("ThreadPoolExecutor()"), "background = ")
        self._gap()

    def steps(self, steps: Sequence[Step]) -> None:
        """Steps, one after the other."""
        for step in steps:
            self._step(step)

    def _step(self, step: Step) -> None:
        match step:
            case Say(text):
                self._gap()
                self._put(self._helper("say", Sentence(text)))
            case Wait(seconds, why):
                self._gap()
                self._put(self._helper("let_pass", Code(f"{seconds:g}"), Sentence(why)))
            case Settle(seconds, why):
                self._put(Code("not ENDPOINT"), "if ", ":")
                self._inside([Wait(seconds, why)])
                self._gap()
            case Engine(kind, document, why):
                self._gap()
                self.settings.add(kind)
                self._put(self._helper("set_localbus", Code(quoted(kind)), self._value(document or {}), Sentence(why)))
            case Check(text, found, holds, expected):
                self.rules.add(holds)
                value = Code(self.names.of(found))
                self._put(self._helper("check", Sentence(text), value, Code(quoted(holds)), self._value(expected)))
            case Each(variable, items, inner):
                self._gap()
                name = self.names.of(variable) if variable.name in self.names.used else "_"
                self._put(self._value(items), f"for {name} in ", ":")
                self._inside(inner)
                self._gap()
            case Serve(_, url, statuses):
                self._put(self._helper("HttpEndpoint", *map(self._value, statuses)), f"{self._server(step)} = ")
                if url.name in self.names.used:
                    self._put(Code(f"{self._server(step)}.url"), f"{self.names.of(url)} = ")
            case Requests():
                self._requests(step)
            case _:
                self._call_step(step)

    def _call_step(self, step: Call | Remove | Start | Finish | Until | ReceiveAll) -> None:
        match step:
            case Call():
                self._take(step, self._made(step))
            case Remove(inner):
                self._put(self._helper("at_end", Code(self._method(inner)), **self._parameters(inner)))
                self._gap()
            case Start(inner):
                self._start(inner)
            case Finish(inner):
                self._take(inner, Code(f"{self._waiting[id(inner)]}.result()"))
            case Until():
                self._until(step)
            case ReceiveAll():
                self._receive_all(step)

    def _made(self, made: Call) -> Expression:
        method, parameters = self._method(made), self._parameters(made)
        return call(method, **parameters) if made.error is None else self._helper("attempt", Code(method), **parameters)

    def _start(self, started: Call) -> None:
        name = "waiting" if not self._waiting else f"waiting_{len(self._waiting) + 1}"
        self._waiting[id(started)] = name = self.names.free(name)
        function = [Code(self._method(started))]
        if started.error is not None:
            self.helpers.add("attempt")
            function.insert(0, Code("attempt"))
        self._put(call("background.submit", *function, **self._parameters(started)), f"{name} = ")

    def _until(self, step: Until) -> None:
        self._gap()
        self._put(self._helper("tries", within_s=Code(f"{step.within_s:g}")), "for _ in ", ":")
        self._depth += 1
        self._take(step.call, self._made(step.call))
        self.rules.add(step.holds)
        found = Code(self.names.of(step.call.keeps[0].variable))
        self._put(self._helper("holds", found, Code(quoted(step.holds)), self._value(step.expected)), "if ", ":")
        self.lines.append("    " * (self._depth + 1) + "break")
        self._depth -= 1

    def _receive_all(self, step: ReceiveAll) -> None:
        options: dict[str, Expression] = {"count": Code(str(step.count)), "idle_s": Code(f"{step.idle_s:g}")}
        if not step.delete:
            options["delete"] = Code("False")
        if step.path != "Body":
            options["path"] = Code(quoted(step.path))
        client, url = Code(self.names.clients[step.party.name, "sqs"]), Code(self.names.of(step.queue_url))
        self._put(self._helper("receive_all", client, url, **options), self._target(step.bodies))

    def _requests(self, step: Requests) -> None:
        method, number = ("requests", "count") if step.found.is_list else ("request", "number")
        options = {number: Code(str(step.count)), "within_s": Code(f"{step.within_s:g}")}
        found = call(f"{self._server(step.server)}.{method}", Code(quoted(step.path)), **options)
        self._put(found, self._target(step.found))

    def _target(self, variable: Variable) -> str:
        """The beginning of an assignment, where a later step reads the value."""
        return f"{self.names.of(variable)} = " if variable.name in self.names.used else ""

    def _take(self, taken: Call, response: Expression) -> None:
        """A response, and the values of it that later steps read."""
        keeps = [each for each in taken.keeps if each.variable.name in self.names.used]
        if taken.error is not None:
            self._put(response, f"{'response' if keeps else '_'}, {self.names.of(taken.error)} = ")
        else:
            self._put(response, "response = " if keeps else "")
        for kept in keeps:
            self._put(self._found(kept), f"{self.names.of(kept.variable)} = ")

    def _found(self, kept: Kept) -> Expression:
        path = kept.path
        if _PLAIN_PATH.fullmatch(path) and kept.variable.name in self.names.given:
            return Code("".join(["response", *(f'["{each}"]' for each in path.split("."))]))
        if path.isalpha():
            return call("response.get", Code(quoted(path)))
        self.imports.add("import jmespath")
        return call("jmespath.search", Sentence(path), Code("response"))

    def _method(self, made: Call) -> str:
        return f"{self.names.clients[made.party.name, made.service]}.{made.operation}"

    def _parameters(self, made: Call) -> dict[str, Expression]:
        named = {"AttributeValue": made.parameters.get("AttributeName", "AttributeValue")}
        return {
            name: self._value(self._hoisted(named.get(name, name), value)) for name, value in made.parameters.items()
        }

    def _hoisted(self, name: str, value: Any) -> Any:
        """A parameter; a long document gets a line before the call, and a name."""
        match value:
            case dict():
                return {key: self._hoisted(key, each) for key, each in value.items()}
            case Json(document) if len(flat(self._value(document))) > _LONGEST_INSIDE:
                self.imports.add("import json")
                variable = self.names.document(snake(name))
                self._put(self._value(document), f"{variable} = ")
                return Code(f"json.dumps({variable})")
            case _:
                return value

    def _value(self, value: Any) -> Expression:
        found = expression(value, self.names, self.codes)
        if "json.dumps(" in flat(found):
            self.imports.add("import json")
        if "zipped(" in flat(found):
            self.helpers.add("zipped")
        return found

    def _server(self, server: Serve) -> str:
        return self.names.free(server.url.name.replace("_url", ""))

    def _helper(self, name: str, /, *arguments: Expression, **named: Expression) -> Expression:
        self.helpers.add(name)
        return call(name, *arguments, **named)

    def _inside(self, steps: Sequence[Step]) -> None:
        self._depth += 1
        self.steps(steps)
        while not self.lines[-1]:
            self.lines.pop()
        self._depth -= 1

    def _gap(self) -> None:
        """An empty line, unless there is one or a block begins."""
        if self.lines and self.lines[-1] and not self.lines[-1].endswith(":"):
            self.lines.append("")

    def _put(self, found: Expression, before: str = "", after: str = "") -> None:
        self.lines += python_text.lines(found, self._depth, before, after)
