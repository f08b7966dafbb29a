"""Calls of AWS's API by the parties of an experiment, their values, and the removal of what they made."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import jmespath
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from orderboard_stack.backend import Endpoint

from orderboard.errors import UsageError
from orderboard.lab.result import as_text, passes, shown
from orderboard.lab.steps import Call, Finish, ReceiveAll, Remove, Start, Until
from orderboard.lab.summary import action, short, summary
from orderboard.lab.values import resolve

# One request a call: what an SDK repeats by itself would hide what the experiment is about.
_CONFIG: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=5,
    read_timeout=40,
    max_pool_connections=20,
)
_POLL_S: Final = 0.05
_GONE: Final = ("NonExistentQueue", "NotFound", "ResourceNotFound", "NoSuchEntity")
# Errors by which an engine says that it does not have an action or a parameter.
_NOT_BUILT: Final = ("NotImplemented", "InvalidAction", "UnknownOperation", "UnsupportedOperation", "501", "404")


class DiffersError(Exception):
    """The experiment cannot go on: a call failed that must not."""


class CannotOccurError(Exception):
    """The backend lacks what the experiment needs."""


@dataclass
class Calls:
    """The calls of one run. names: the value of each variable. run: the prefix of all names.

    note: called with the party, the text and the details of a call. errors: the names that hold an error's code.
    """

    endpoint: Endpoint
    names: dict[str, Any]
    run: str
    note: Callable[[str, str, Any], None]
    errors: set[str] = field(default_factory=set)
    _clients: dict[str, Any] = field(default_factory=dict)
    _pending: dict[int, Future[Any]] = field(default_factory=dict)
    _removals: list[tuple[Call, dict[str, Any]]] = field(default_factory=list)
    _pool: ThreadPoolExecutor = field(default_factory=ThreadPoolExecutor)

    def take(self, step: Call | Start | Finish | Until | ReceiveAll | Remove) -> None:
        """Take a step. Raises DiffersError or CannotOccurError when a call fails that must not."""
        match step:
            case Call():
                self._keep(step, self._make(step))
            case Start(call):
                self.note(call.party.name, f"{action(call)} begins", None)
                self._pending[id(call)] = self._pool.submit(self._make, call)
            case Finish(call):
                self._keep(call, self._pending.pop(id(call)).result())
            case Until():
                self._until(step)
            case ReceiveAll():
                self._receive_all(step)
            case Remove(call):
                self._removals.insert(0, (call, resolve(call.parameters, self.names, self.run)))

    def remove_all(self) -> list[str]:
        """Remove what was made, last first; return what could not be removed."""
        left: list[str] = []
        for call, parameters in self._removals:
            try:
                self._send(call.service, call.operation, parameters)
            except (ClientError, BotoCoreError) as exc:
                if not any(each in str(exc) for each in _GONE):
                    left.append(f"{action(call)} {parameters}: {exc}")
        self._pool.shutdown(wait=False, cancel_futures=True)
        return left

    def _make(self, call: Call, *, quiet: bool = False) -> Any:
        """Make a call; return its response, or the code of an error that is expected."""
        parameters = resolve(call.parameters, self.names, self.run)
        try:
            response = self._send(call.service, call.operation, parameters)
        except (ClientError, BotoCoreError) as exc:
            code = _code(exc)
            if not quiet:
                detail = {"parameters": parameters, "error": str(exc)}
                self.note(call.party.name, f"{summary(call, parameters, None)}: {code or 'no answer'}", detail)
            if call.error is None:
                raise self._failed(action(call), exc) from exc
            return code or type(exc).__name__
        response.pop("ResponseMetadata", None)
        if not quiet:
            detail = {"parameters": parameters, "response": response}
            self.note(call.party.name, summary(call, parameters, response), detail)
        return response

    def _keep(self, call: Call, response: Any) -> None:
        failed = isinstance(response, str)
        if call.error is not None:
            self.names[call.error.name] = response if failed else ""
            self.errors.add(call.error.name)
        for kept in call.keeps:
            self.names[kept.variable.name] = jmespath.search(kept.path, {} if failed else response)

    def _until(self, step: Until) -> None:
        deadline = time.monotonic() + step.within_s
        variable = step.call.keeps[0].variable
        while True:
            self._keep(step.call, self._make(step.call, quiet=True))
            found = as_text(self.names[variable.name])
            if passes(found, step.holds, step.expected) or time.monotonic() >= deadline:
                break
            time.sleep(_POLL_S)
        self.note(step.call.party.name, f"{action(step.call)}: {shown(found)}", None)

    def _receive_all(self, step: ReceiveAll) -> None:
        url = self.names[step.queue_url.name]
        found: list[Any] = []
        while len(found) < step.count and (messages := self._received(url, step.idle_s)):
            found += [jmespath.search(step.path, each) for each in messages]
            if step.delete:
                entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(messages)]
                self._must("sqs", "delete_message_batch", {"QueueUrl": url, "Entries": entries})
        self.names[step.bodies.name] = found
        done = "receives and deletes" if step.delete else "receives"
        self.note(step.party.name, f"{done} {len(found)}: {short(shown(as_text(found)))}", None)

    def _received(self, url: str, wait_s: int) -> list[dict[str, Any]]:
        parameters = {
            "QueueUrl": url,
            "MaxNumberOfMessages": 10,
            "WaitTimeSeconds": wait_s,
            "MessageAttributeNames": ["All"],
            "MessageSystemAttributeNames": ["All"],
        }
        return list(self._must("sqs", "receive_message", parameters).get("Messages", []))

    def _must(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        try:
            return self._send(service, operation, parameters)
        except (ClientError, BotoCoreError) as exc:
            raise self._failed(operation.title().replace("_", ""), exc) from exc

    def _send(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        if service not in self._clients:
            make: Any = self.endpoint.session().client
            self._clients[service] = make(service, endpoint_url=self.endpoint.endpoint_url, config=_CONFIG)
        call = getattr(self._clients[service], operation, None)
        if call is None:
            raise UsageError(f"boto3's client of {service} has no method {operation!r}. Correct it in the experiment.")
        return call(**parameters)

    def _failed(self, name: str, error: Exception) -> DiffersError | CannotOccurError:
        if any(each in _code(error) for each in _NOT_BUILT):
            return CannotOccurError(f"{self.endpoint.name} does not have {name}: {error}")
        return DiffersError(f"{name} failed: {error}")


def _code(error: Exception) -> str:
    """Return the code of AWS's error; an empty text if there was no answer."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""
