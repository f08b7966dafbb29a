"""The story of an experiment as commands of a shell script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import jmespath

from orderboard.errors import UsageError
from orderboard.lab.programs.cli_values import Values
from orderboard.lab.programs.names import Names
from orderboard.lab.programs.shell_text import command, word, wrapped
from orderboard.lab.steps import (
    Call,
    Check,
    Each,
    Engine,
    Finish,
    Holds,
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
from orderboard.lab.values import Variable

_STEP: Final = "  "
_QUIET: Final = " >/dev/null"


@dataclass
class Story:
    """The lines, and what they need: helpers, rules of checks, settings of localbus."""

    names: Names
    values: Values
    lines: list[str] = field(default_factory=list)
    helpers: set[str] = field(default_factory=lambda: {"aws"})
    rules: set[Holds | str] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)
    keeps_responses: bool = False
    _party: str = "you"
    _waiting: dict[int, str] = field(default_factory=dict)
    _depth: int = 0

    def steps(self, steps: Sequence[Step]) -> None:
        """Steps, one after the other."""
        for step in steps:
            self._step(step)

    def _step(self, step: Step) -> None:
        match step:
            case Say(text):
                self._gap()
                self._run(["say", word([text])])
            case Wait(seconds, why):
                self._gap()
                self._run(["let_pass", f"{seconds:g}", word([why])])
            case Settle(seconds, why):
                self._line('if [ -z "${AWS_ENDPOINT_URL:-}" ]; then')
                self._depth += 1
                self._run(["let_pass", f"{seconds:g}", word([why])])
                self._depth -= 1
                self._line("fi")
                self._gap()
            case Engine():
                self._engine(step)
            case Check(text, found, _, expected):
                rule = self._rule(step)
                self._run(["check", word([text]), self._word(found), word([rule]), *self.values.expected(expected)])
            case Each(variable, items, inner):
                self._gap()
                name = self.names.of(variable) if variable.name in self.names.used else "_"
                self._line(f"for {name} in {' '.join(word([each]) for each in items)}; do")
                self._depth += 1
                self.steps(inner)
                self._depth -= 1
                self._line("done")
                self._gap()
            case Serve(party, url, statuses):
                self._by(party.name)
                self._run(["serve", self._server(step), *map(str, statuses)])
                if url.name in self.names.used:
                    self._line(f'{self.names.of(url)}=$(<"$SCRATCH/{self._server(step)}.url")')
            case Requests():
                self._requests(step)
            case _:
                self._call_step(step)

    def _call_step(self, step: Call | Remove | Start | Finish | Until | ReceiveAll) -> None:
        match step:
            case Call():
                self._by(step.party.name)
                self._call(step)
            case Remove(inner):
                words = self._words(inner)
                self._put_before()
                self._run(["at_end", *words])
                self._gap()
            case Start(inner):
                self._start(inner)
            case Finish(inner):
                self._finish(inner)
            case Until():
                self._until(step)
            case ReceiveAll():
                self._by(step.party.name)
                words = [self._word(step.queue_url), str(step.count), f"{step.idle_s:g}"]
                if step.path != "Body" or not step.delete:
                    words += [word([step.path]), *([] if step.delete else ["keep"])]
                self._assign(step.bodies, ["receive_all", *words])

    def _call(self, made: Call) -> None:
        """A call, and the values of its response that later steps read."""
        words = self._words(made)
        self._put_before()
        keeps = self._keeps(made)
        if made.error is not None:
            self.keeps_responses |= bool(keeps)
            self._run(["attempt", *words, *self._query(made)])
            if made.error.name in self.names.used:
                self._line(f"{self.names.of(made.error)}=$ERROR")
            self._take(made, "$RESPONSE")
        elif len(keeps) == 1:
            self._run([*words, *self._query(made)], f"{self.names.of(keeps[0])}=$(", ")")
        elif keeps:
            self._run([*words, *self._query(made)], "RESPONSE=$(", ")")
            self._take(made, "$RESPONSE")
        else:
            self._run(words, after=_QUIET)

    def _take(self, made: Call, response: str) -> None:
        """Put the values of a response into variables."""
        keeps = self._keeps(made)
        if len(keeps) == 1:
            self._line(f"{self.names.of(keeps[0])}={response}")
            return
        if keeps and response != "$RESPONSE":
            self._line(f"RESPONSE={response}")
        for number, variable in enumerate(keeps, 1):
            helper = self._helper("items" if variable.is_list else "value")
            self._line(f"{self.names.of(variable)}=$({helper} {number})")

    def _query(self, made: Call) -> list[str]:
        keeps = [each for each in made.keeps if each.variable.name in self.names.used]
        if not keeps:
            return []
        if len(keeps) == 1:
            return ["--query", word([wrapped(keeps[0].path)])]
        paths = [f'join(`"\\u001f"`, {each.path})' if each.variable.is_list else each.path for each in keeps]
        return ["--query", word([wrapped(f"[{', '.join(paths)}]")])]

    def _start(self, started: Call) -> None:
        name = "waiting" if not self._waiting else f"waiting_{len(self._waiting) + 1}"
        self._waiting[id(started)] = name = self.names.free(name)
        words = self._words(started)
        self._by(started.party.name)
        self._put_before()
        errors = f' 2>"$SCRATCH/{name}.error"' if started.error is not None else ""
        self._run([*words, *self._query(started)], after=f' >"$SCRATCH/{name}"{errors} &')
        self._line(f"{name}=$!")
        self._line("sleep 1 # until the request is made")

    def _finish(self, finished: Call) -> None:
        name = self._waiting[id(finished)]
        if finished.error is None:
            self._line(f'wait "${name}"')
        else:
            self.helpers.add("error_code")
            error = self.names.of(finished.error)
            self._line(f"{error}=''")
            self._line(f'wait "${name}" || {error}=$(error_code "$SCRATCH/{name}.error")')
        self._take(finished, f'$(<"$SCRATCH/{name}")')

    def _until(self, step: Until) -> None:
        words = self._words(step.call)
        self._by(step.call.party.name)
        self._put_before()
        kept = step.call.keeps[0].variable
        name = self.names.of(kept)
        self._gap()
        self._line(f"deadline=$((SECONDS + {math.ceil(step.within_s)}))")
        self._line("until")
        self._depth += 1
        self._run([*words, *self._query(step.call)], f"{name}=$(", ")")
        rule = "has" if step.holds == "contains" and kept.is_list else step.holds
        self.rules.add(rule)
        test = " ".join([self._helper("holds"), f'"${name}"', word([rule]), *self.values.expected(step.expected)])
        self._line(f'{test} || [ "$SECONDS" -ge "$deadline" ]')
        self._depth -= 1
        self._line("do")
        self._line(f"{_STEP}sleep 0.2")
        self._line("done")

    def _engine(self, step: Engine) -> None:
        self._gap()
        self.settings.add(step.kind)
        self._line(f"echo {word([f'  localbus: {step.why}'])}")
        document = self.values.argument("settings", step.document or {})
        self._put_before()
        self._run([self._helper("localbus"), "PUT", step.kind, document], after=_QUIET)

    def _requests(self, step: Requests) -> None:
        helper = "requests" if step.found.is_list else "request"
        keys = [word([each]) for each in _keys(step.path)]
        self._by(step.server.party.name)
        self._assign(step.found, [helper, self._server(step.server), str(step.count), f"{step.within_s:g}", *keys])

    def _assign(self, variable: Variable, words: Sequence[str]) -> None:
        if variable.name in self.names.used:
            self._run(words, f"{self.names.of(variable)}=$(", ")")
        else:
            self._run(words, after=_QUIET)

    def _rule(self, check: Check) -> Holds | str:
        rule = "has" if check.holds == "contains" and check.found.is_list else check.holds
        self.rules.add(rule)
        return rule

    def _words(self, made: Call) -> list[str]:
        return ["aws", made.service, made.operation.replace("_", "-"), *self.values.options(made)]

    def _keeps(self, made: Call) -> list[Variable]:
        return [each.variable for each in made.keeps if each.variable.name in self.names.used]

    def _word(self, variable: Variable) -> str:
        return f'"${self.names.of(variable)}"'

    def _server(self, server: Serve) -> str:
        return server.url.name.replace("_url", "")

    def _helper(self, name: str) -> str:
        self.helpers.add(name)
        return name

    def _by(self, party: str) -> None:
        """A comment, where another party goes on."""
        if party not in (self._party, "you"):
            self._line(f"# {party[:1].upper()}{party[1:]}:")
        self._party = party

    def _put_before(self) -> None:
        """The lines that stand before a command; those of documents are never indented."""
        in_document = ""
        for line in self.values.before:
            self.lines.append(line if in_document else f"{_STEP * self._depth}{line}")
            if in_document:
                in_document = "" if line == in_document else in_document
            elif "<<" in line:
                in_document = "PYTHON" if "PYTHON" in line else "JSON"
        self.values.before.clear()

    def _run(self, words: Sequence[str], before: str = "", after: str = "") -> None:
        if words[0] != "aws":
            self.helpers.add(words[0])
        for line in command(words, before, after):
            self._line(line)

    def _gap(self) -> None:
        if self.lines and self.lines[-1] and not self.lines[-1].endswith(" do"):
            self.lines.append("")

    def _line(self, line: str) -> None:
        self.lines.append(f"{_STEP * self._depth}{line}")


def _keys(path: str) -> list[str]:
    """The keys of a path that has nothing else: headers."x-amz-sns-message-type"."""

    def of(node: dict[str, Any]) -> list[str]:
        match node:
            case {"type": "field", "value": str(key)}:
                return [key]
            case {"type": "subexpression", "children": children}:
                return [key for child in children for key in of(child)]
            case _:
                raise UsageError(f"A script cannot find {path!r} in a request. The Python program can: --boto3")

    return of(jmespath.compile(path).parsed)
