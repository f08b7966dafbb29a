"""Takes the steps of an experiment on a backend, and removes what they made."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final

import jmespath
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from orderboard_stack.backend import Endpoint

from orderboard.lab.catalogue import Entry
from orderboard.lab.endpoint import HttpEndpoint
from orderboard.lab.experiment import Experiment
from orderboard.lab.program import Program, ProgramError, running_clock
from orderboard.lab.result import Checked, Moment, Outcome, Result, as_text, passes
from orderboard.lab.steps import (
    Call,
    Check,
    Each,
    Engine,
    Finish,
    ReceiveAll,
    Remove,
    Requests,
    Say,
    Serve,
    Start,
    Step,
    Until,
    Wait,
)
from orderboard.lab.summary import action, short, summary
from orderboard.lab.values import resolve
from orderboard.system.localbus import CLOCK, DELIVERY_FAULTS, FAULTS, JournalEntry, Localbus

# One request a call: what an SDK repeats by itself would hide what the experiment is about.
_CONFIG: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=5,
    read_timeout=40,
    max_pool_connections=20,
)
_PAGES: Final = {"disorder": DELIVERY_FAULTS, "faults": FAULTS}
_POLL_S: Final = 0.05
_GONE: Final = ("NonExistentQueue", "NotFound", "ResourceNotFound", "NoSuchEntity")
# Errors by which an engine says that it does not have an action or a parameter.
_NOT_BUILT: Final = ("NotImplemented", "InvalidAction", "UnknownOperation", "UnsupportedOperation", "501", "404")


class _DiffersError(Exception):
    """The experiment cannot go on: a call failed that must not."""


class _CannotOccurError(Exception):
    """The backend lacks what the experiment needs."""


@dataclass
class Runner:
    """One run of an experiment.

    localbus: the engine's developer API; None elsewhere. on_moment: called with each line of the timeline at once.
    before_step: called before each step. on_wait: called while real time passes, with seconds passed and in all.
    callback_host: this machine as the engine reaches it; None if it cannot.
    """

    entry: Entry
    endpoint: Endpoint
    localbus: Localbus | None
    on_moment: Callable[[Moment], None] = lambda _moment: None
    before_step: Callable[[Step], None] = lambda _step: None
    on_wait: Callable[[float, float], None] = lambda _passed, _all: None
    callback_host: str | None = "127.0.0.1"
    result: Result = field(init=False)
    run: str = field(default_factory=lambda: f"lab-{secrets.token_hex(4)}")
    _names: dict[str, Any] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)
    _pending: dict[int, Future[Any]] = field(default_factory=dict)
    _servers: dict[int, HttpEndpoint] = field(default_factory=dict)
    _settings: set[str] = field(default_factory=set)
    _removals: list[tuple[Call, dict[str, Any]]] = field(default_factory=list)
    _moved_s: float = 0.0
    _started: float = 0.0
    _manual: bool = False
    _journal: int = 0
    _pool: ThreadPoolExecutor = field(default_factory=ThreadPoolExecutor)

    def __post_init__(self) -> None:
        experiment = self.experiment
        self.result = Result(
            name=self.entry.name,
            title=self.entry.title,
            claim=experiment.claim,
            source=experiment.source,
            means=experiment.means,
            backend=self.endpoint.name,
        )
        manual = self.localbus is not None and (self.localbus.get(CLOCK) or {}).get("manual")
        self._manual = bool(manual)
        newest = self.localbus.entries(last=1) if self.localbus is not None else []
        self._journal = newest[-1].number if newest else 0

    @property
    def experiment(self) -> Experiment:
        """The experiment."""
        return self.entry.experiment

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
            result.reason = "; ".join(f"{each.text}: found {_shown(each.found)}" for each in failed)
        except _DiffersError as exc:
            result.outcome, result.reason = Outcome.DIFFERS, str(exc)
        except _CannotOccurError as exc:
            result.outcome, result.reason = Outcome.CANNOT_OCCUR, str(exc)
        finally:
            self._clean_up()
            result.seconds = time.monotonic() - self._started
        return result

    def _check_needs(self) -> None:
        for each in ("disorder", "faults"):
            if each in self.experiment.needs and self.localbus is None:
                raise _CannotOccurError(
                    f"{self.endpoint.name} cannot be made to do this; localbus can, by its {each} settings."
                )
        if "callback" in self.experiment.needs and self.callback_host is None:
            raise _CannotOccurError("The backend does not reach an HTTP endpoint of this machine.")

    def _run_program(self, program: Program) -> None:
        """Run a program; it lives in real time, so a clock that stands is moved along."""
        with running_clock(self.localbus if self._manual else None):
            try:
                for moment in program.run(self.endpoint.environment(), self.run):
                    self._take_moment(moment)
            except ProgramError as exc:
                raise _DiffersError(str(exc)) from exc

    def _take_moment(self, moment: Moment) -> None:
        if moment.kind == "check":
            checked = Checked(moment.text, **moment.detail)
            self.result.checks.append(checked)
            text = moment.text if checked.passed else f"{moment.text}: found {_shown(checked.found)}"
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
            case Wait():
                self._wait(step)
            case Engine():
                self._engine(step)
            case Check():
                self._check(step)
            case Each(variable, items, inner):
                for item in items:
                    self._names[variable.name] = item
                    self._take_all(inner)
            case Remove(call):
                self._removals.insert(0, (call, resolve(call.parameters, self._names, self.run)))
            case Serve(party, url, statuses):
                self._servers[id(step)] = server = HttpEndpoint(statuses, str(self.callback_host))
                self._names[url.name] = server.url
                self._add("call", party.name, f"serves {server.url}")
            case Requests():
                self._requests(step)
            case _:
                self._take_call(step)

    def _take_call(self, step: Call | Start | Finish | Until | ReceiveAll) -> None:
        match step:
            case Call():
                self._keep(step, self._call(step))
            case Start(call):
                self._add("call", call.party.name, f"{action(call)} begins")
                self._pending[id(call)] = self._pool.submit(self._call, call)
            case Finish(call):
                self._keep(call, self._pending.pop(id(call)).result())
            case Until():
                self._until(step)
            case ReceiveAll():
                self._receive_all(step)

    def _add_journal(self) -> None:
        """Add what localbus did with this run's resources since the last step."""
        if self.localbus is None:
            return
        texts: list[tuple[str, str, JournalEntry]] = []
        for each in self.localbus.entries(after=self._journal):
            self._journal = each.number
            if self.run in each.resource:
                detail = "" if each.detail is None else f" ({each.detail})"
                name = each.resource.rpartition(":")[2].replace(f"{self.run}-", "")
                texts.append((name, f"{each.event}{detail}", each))
        for (name, text), same in itertools.groupby(texts, key=lambda entry: entry[:2]):
            first, *others = same
            self._add("journal", name, f"{text}: {len(others) + 1} messages" if others else text, first[2])

    def _call(self, call: Call, *, quiet: bool = False) -> Any:
        """Make a call; return its response, or the code of an error that is expected."""
        parameters = resolve(call.parameters, self._names, self.run)
        try:
            response = getattr(self._client(call.service), call.operation)(**parameters)
        except ClientError as exc:
            code = str(exc.response.get("Error", {}).get("Code", ""))
            if not quiet:
                self._add(
                    "call", call.party.name, f"{summary(call, parameters, None)}: {code}", _detail(parameters, exc)
                )
            if call.error is not None:
                return code
            if any(each in code for each in _NOT_BUILT):
                raise _CannotOccurError(f"{self.endpoint.name} does not have {action(call)}: {exc}") from exc
            raise _DiffersError(f"{action(call)} failed: {exc}") from exc
        except BotoCoreError as exc:
            if call.error is not None:
                self._add(
                    "call", call.party.name, f"{summary(call, parameters, None)}: no answer", _detail(parameters, exc)
                )
                return type(exc).__name__
            raise _DiffersError(f"{action(call)} failed: {exc}") from exc
        response.pop("ResponseMetadata", None)
        if not quiet:
            text = summary(call, parameters, response)
            self._add("call", call.party.name, text, {"parameters": parameters, "response": response})
        return response

    def _keep(self, call: Call, response: Any) -> None:
        failed = isinstance(response, str)
        if call.error is not None:
            self._names[call.error.name] = response if failed else ""
        for kept in call.keeps:
            self._names[kept.variable.name] = jmespath.search(kept.path, {} if failed else response)

    def _until(self, step: Until) -> None:
        deadline = time.monotonic() + step.within_s
        variable = step.call.keeps[0].variable
        while True:
            response = self._call(step.call, quiet=True)
            self._keep(step.call, response)
            found = as_text(self._names[variable.name])
            if passes(found, step.holds, step.expected) or time.monotonic() >= deadline:
                break
            time.sleep(_POLL_S)
        self._add("call", step.call.party.name, f"{action(step.call)}: {_shown(found)}")

    def _receive_all(self, step: ReceiveAll) -> None:
        sqs, url = self._client("sqs"), self._names[step.queue_url.name]
        found: list[Any] = []
        while len(found) < step.count:
            answer = sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=step.idle_s,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            )
            messages = answer.get("Messages", [])
            if not messages:
                break
            found += [jmespath.search(step.path, each) for each in messages]
            if step.delete:
                entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(messages)]
                sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        self._names[step.bodies.name] = found
        done = "receives and deletes" if step.delete else "receives"
        self._add("call", step.party.name, f"{done} {len(found)}: {short(_shown(as_text(found)))}")

    def _engine(self, step: Engine) -> None:
        if self.localbus is None:
            raise _CannotOccurError(f"{self.endpoint.name} has no {step.kind} settings.")
        self._settings.add(step.kind)
        self.localbus.change("PUT", _PAGES[step.kind], resolve(step.document or {}, self._names, self.run))
        self._add("engine", "", step.why, step.document)

    def _wait(self, step: Wait) -> None:
        if self._manual and self.localbus is not None:
            self.localbus.change("POST", CLOCK, {"advance_s": step.seconds})
            self._moved_s += step.seconds
        else:
            ends = time.monotonic() + step.seconds
            while (left := ends - time.monotonic()) > 0:
                self.on_wait(step.seconds - left, step.seconds)
                time.sleep(min(left, 0.5))
        self._add("wait", "", f"{step.seconds:g} s pass: {step.why}")

    def _requests(self, step: Requests) -> None:
        got = self._servers[id(step.server)].wait(step.count, step.within_s)
        values = [jmespath.search(step.path, each) for each in got]
        found = values if step.found.is_list else values[step.count - 1] if len(values) >= step.count else None
        self._names[step.found.name] = found
        self._add("request", step.server.party.name, f"got {len(got)} requests: {_shown(as_text(found))}", got)

    def _check(self, step: Check) -> None:
        found = as_text(self._names.get(step.found.name))
        passed = passes(found, step.holds, step.expected)
        self.result.checks.append(Checked(step.text, step.holds, step.expected, found, passed))
        self._add("check", "", step.text if passed else f"{step.text}: found {_shown(found)}", passed)

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            make: Any = self.endpoint.session().client
            self._clients[service] = make(service, endpoint_url=self.endpoint.endpoint_url, config=_CONFIG)
        return self._clients[service]

    def _add(self, kind: str, party: str, text: str, detail: Any = None) -> None:
        moment = Moment(round(time.monotonic() - self._started + self._moved_s, 3), kind, party, text, detail)
        self.result.moments.append(moment)
        self.on_moment(moment)

    def _clean_up(self) -> None:
        """Remove what was made; what could not be removed is named in the result."""
        for each in self._settings:
            if self.localbus is not None:
                self.localbus.change("PUT", _PAGES[each], {})
        for server in self._servers.values():
            server.close()
        for call, parameters in self._removals:
            try:
                getattr(self._client(call.service), call.operation)(**parameters)
            except (ClientError, BotoCoreError) as exc:
                if not any(each in str(exc) for each in _GONE):
                    self.result.left_behind.append(f"{action(call)} {parameters}: {exc}")
        self._pool.shutdown(wait=False, cancel_futures=True)


def _shown(found: str | list[str]) -> str:
    return ", ".join(found) or "nothing" if isinstance(found, list) else found or "nothing"


def _detail(parameters: Mapping[str, Any], error: Exception) -> dict[str, Any]:
    return {"parameters": dict(parameters), "error": str(error)}
