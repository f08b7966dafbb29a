"""Takes the steps of an experiment on a backend, and removes what they made."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import jmespath

from orderboard.errors import RigError
from orderboard.lab.backend import LabBackend
from orderboard.lab.calls import Calls, CannotOccurError, DiffersError
from orderboard.lab.catalogue import Entry
from orderboard.lab.endpoint import HttpEndpoint
from orderboard.lab.experiment import Experiment
from orderboard.lab.program import Program, ProgramError
from orderboard.lab.result import Checked, Moment, Outcome, Result, as_text, passes, shown
from orderboard.lab.running_clock import running_clock
from orderboard.lab.steps import Check, Each, Engine, Remove, Requests, Say, Serve, Settle, Step, Wait
from orderboard.lab.values import resolve
from orderboard.orders.journal import describe
from orderboard.system.localbus import CLOCK, DELIVERY_FAULTS, FAULTS, JournalEntry, Localbus

# Details that the title has, and ids, which tell a reader nothing.
_SAID: Final = ("receive_count", "message_id")
_PAGES: Final = {"disorder": DELIVERY_FAULTS, "faults": FAULTS}


@dataclass
class Runner:
    """One run of an experiment.

    on_moment: called with each line of the timeline at once. before_step: called before each step. on_wait: called
    while real time passes, with seconds passed and in all.
    """

    entry: Entry
    backend: LabBackend
    on_moment: Callable[[Moment], None] = lambda _moment: None
    before_step: Callable[[Step], None] = lambda _step: None
    on_wait: Callable[[float, float], None] = lambda _passed, _all: None
    result: Result = field(init=False)
    run: str = field(default_factory=lambda: f"lab-{secrets.token_hex(4)}")
    _names: dict[str, Any] = field(default_factory=dict)
    _servers: dict[int, HttpEndpoint] = field(default_factory=dict)
    _settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    _moved_s: float = 0.0
    _started: float = 0.0

    def __post_init__(self) -> None:
        experiment = self.experiment
        self.result = Result(
            name=self.entry.name,
            title=self.entry.title,
            claim=experiment.claim,
            source=experiment.source,
            means=experiment.means,
            backend=self.backend.endpoint.name,
        )
        self._calls = Calls(self.backend.endpoint, self._names, self.run, self._add_call)
        self._turns_clock = self.backend.turns_clock
        newest = self._localbus.entries(last=1) if self._localbus is not None else []
        self._journal = newest[-1].number if newest else 0

    @property
    def experiment(self) -> Experiment:
        """The experiment."""
        return self.entry.experiment

    @property
    def _localbus(self) -> Localbus | None:
        return self.backend.localbus

    def __call__(self) -> Result:
        """Take all steps; remove what they made, also after Ctrl-C, which is raised again."""
        result, self._started = self.result, time.monotonic()
        try:
            self._check_needs()
            if isinstance(self.experiment, Program):
                self._run_program(self.experiment)
            else:
                self._take_all(self.experiment.steps)
            failed = [each for each in result.checks if not each.passed]
            result.outcome = Outcome.DIFFERS if failed else Outcome.REPRODUCED
            result.reason = "; ".join(f"{each.text}: found {shown(each.found)}" for each in failed)
        except DiffersError as exc:
            result.outcome, result.reason = Outcome.DIFFERS, str(exc)
        except CannotOccurError as exc:
            result.outcome, result.reason = Outcome.CANNOT_OCCUR, str(exc)
        finally:
            self._clean_up()
            result.seconds = time.monotonic() - self._started
        return result

    def _check_needs(self) -> None:
        if refusal := self.backend.refusal(self.experiment.needs):
            raise CannotOccurError(refusal)

    def _run_program(self, program: Program) -> None:
        """Run a program; it lives in real time, so a clock that stands is moved along."""
        with running_clock(self._localbus if self._turns_clock else None):
            try:
                for moment in program.run(self.backend.endpoint.environment(), self.run):
                    self._take_moment(moment)
            except ProgramError as exc:
                raise DiffersError(str(exc)) from exc

    def _take_moment(self, moment: Moment) -> None:
        if moment.kind == "check":
            checked = Checked(moment.text, **moment.detail)
            self.result.checks.append(checked)
            text = moment.text if checked.passed else f"{moment.text}: found {shown(checked.found)}"
            moment = replace(moment, text=text, detail=checked.passed)
        self.result.moments.append(moment)
        self.on_moment(moment)

    def _take_all(self, steps: list[Step]) -> None:
        for step in steps:
            self.before_step(step)
            self._take(step)
            if not isinstance(step, Say | Check | Remove | Each):  # the others may move messages
                self._add_journal()

    def _take(self, step: Step) -> None:
        match step:
            case Say(text):
                self._add("step", "", text)
            case Wait(seconds, why):
                self._wait(seconds, f"{seconds:g} s pass: {why}")
            case Settle(seconds, why):
                if not self.backend.endpoint.local:
                    self._wait(seconds, f"AWS needs {seconds:g} s: {why}")
            case Engine():
                self._engine(step)
            case Check():
                self._check(step)
            case Each(variable, items, inner):
                for item in items:
                    self._names[variable.name] = item
                    self._take_all(inner)
            case Serve(party, url, statuses):
                self._servers[id(step)] = server = HttpEndpoint(statuses, str(self.backend.callback_host))
                self._names[url.name] = server.url
                self._add("call", party.name, f"serves {server.url}")
            case Requests():
                self._requests(step)
            case _:
                self._calls.take(step)

    def _add_journal(self) -> None:
        """Add what localbus did with this run's resources since the last step."""
        if self._localbus is None:
            return
        texts: list[tuple[str, str, JournalEntry]] = []
        for each in self._localbus.entries(after=self._journal):
            self._journal = each.number
            if self.run in each.resource:
                words = describe(each, {})
                details = ", ".join(f"{name} {value}" for name, value in words.details.items() if name not in _SAID)
                text = f"{words.title} ({details})" if details else words.title
                texts.append((words.who.replace(f"{self.run}-", ""), text.replace(f"{self.run}-", ""), each))
        for (name, text), same in itertools.groupby(texts, key=lambda entry: entry[:2]):
            first, *others = same
            self._add("journal", name, f"{text}: {len(others) + 1} messages" if others else text, first[2])

    def _engine(self, step: Engine) -> None:
        if step.kind not in self._settings and self._localbus is not None:
            self._settings[step.kind] = self._localbus.get(_PAGES[step.kind]) or {}
        self._set(step.kind, resolve(step.document or {}, self._names, self.run))
        self._add("engine", "", step.why, step.document)

    def _wait(self, seconds: float, text: str) -> None:
        if self._turns_clock and self._localbus is not None:
            self._localbus.change("POST", CLOCK, {"advance_s": seconds})
            self._moved_s += seconds
        else:
            ends = time.monotonic() + seconds
            while (left := ends - time.monotonic()) > 0:
                self.on_wait(seconds - left, seconds)
                time.sleep(min(left, 0.5))
        self._add("wait", "", text)

    def _requests(self, step: Requests) -> None:
        got = self._servers[id(step.server)].wait(step.count, step.within_s)
        values = [jmespath.search(step.path, each) for each in got]
        found = values if step.found.is_list else values[step.count - 1] if len(values) >= step.count else None
        self._names[step.found.name] = found
        self._add("request", step.server.party.name, f"got {len(got)} requests: {shown(as_text(found))}", got)

    def _check(self, step: Check) -> None:
        found = as_text(self._names.get(step.found.name))
        passed = passes(found, step.holds, step.expected)
        if not found and step.found.name in self._calls.errors:
            found = "no error"
        self.result.checks.append(Checked(step.text, step.holds, step.expected, found, passed))
        self._add("check", "", step.text if passed else f"{step.text}: found {shown(found)}", passed)

    def _add_call(self, party: str, text: str, detail: Any) -> None:
        self._add("call", party, text, detail)

    def _add(self, kind: str, party: str, text: str, detail: Any = None) -> None:
        moment = Moment(round(time.monotonic() - self._started + self._moved_s, 3), kind, party, text, detail)
        self.result.moments.append(moment)
        self.on_moment(moment)

    def _clean_up(self) -> None:
        """Remove what was made; what could not be removed is named in the result."""
        for server in self._servers.values():
            server.close()
        for kind, before in self._settings.items():  # first, so that no removal fails because of them
            try:
                self._set(kind, before)
            except RigError as exc:
                self.result.left_behind.append(f"{kind} settings: {exc}")
        self.result.left_behind += self._calls.remove_all()

    def _set(self, kind: str, document: dict[str, Any]) -> None:
        if self._localbus is None:
            raise CannotOccurError(f"{self.backend.endpoint.name} has no {kind} settings.")
        self._localbus.change("PUT", _PAGES[kind], document)
