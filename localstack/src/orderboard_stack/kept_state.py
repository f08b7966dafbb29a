"""MiniStack's state on disk: saved after each change, before its answer, so that it survives a kill.

MiniStack by itself saves only when it ends in order, and starts without a file that it cannot read (PERSIST_STATE).
Objects in buckets it writes at once (S3_PERSIST). Messages, events and tables are left out: localbus has them, and
makes the queues, topics and rules that it needs here again.
"""

import json
import os
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]

_OF_LOCALBUS: Final = frozenset({"dynamodb", "eventbridge", "sns", "sqs"})
_TARGETS_OF_LOCALBUS: Final = (b"AmazonSQS.", b"AWSEvents.", b"DynamoDB")
_READS: Final = (b"Describe", b"Get", b"List", b"BatchGet")
_FORM_ACTION: Final = re.compile(rb"(?:^|&)Action=(\w+)")
_INVOCATIONS: Final = "/invocations"
_TRIES: Final = 3
_UNSAVED: Final[tuple[_Message, ...]] = (
    {
        "type": "http.response.start",
        "status": 503,
        "headers": [(b"content-type", b"text/plain"), (b"retry-after", b"1")],
    },
    {"type": "http.response.body", "body": b"MiniStack's state could not be saved; see the log of the backend."},
)


def keep_state() -> None:
    """Prepare this process. Call it before MiniStack runs."""
    from ministack import app as ministack  # type: ignore[import-untyped]  # noqa: PLC0415 - after make_lean

    ministack.app = _KeptState(ministack.app, ministack._state_map)
    ministack._load_persisted_state = lambda: _load(ministack)


def _load(ministack: ModuleType) -> None:
    """Load the state of each service that has one. End the process with the reason if that is not possible."""
    from ministack.core import persistence  # type: ignore[import-untyped]  # noqa: PLC0415

    for key, name in ministack._state_map.items():
        path = Path(persistence.STATE_DIR, f"{key}.json")
        if path.is_file():
            state = persistence.load_state(key)
            if state is None:
                print(f"{path} cannot be read: it is damaged, or a newer MiniStack wrote it. It was left as it is.")
                sys.stdout.flush()
                os._exit(1)  # SystemExit would be a traceback here, inside of the event loop
            ministack._get_module(name).load_persisted_state(state)


class _KeptState:
    """MiniStack's application. `state_map` names the module of each service that has a state."""

    def __init__(
        self, app: Callable[[Mapping[str, Any], _Receive, _Send], Awaitable[None]], state_map: Mapping[str, str]
    ) -> None:
        self._app = app
        self._modules = {key: name for key, name in state_map.items() if key not in _OF_LOCALBUS}
        self._stacks_change = False  # a stack goes on changing after the answer to the request for it

    async def __call__(self, scope: Mapping[str, Any], receive: _Receive, send: _Send) -> None:
        """Serve a request, and save before the answer what it has changed."""
        if scope["type"] != "http" or not _may_change(scope):
            await self._app(scope, receive, send)
            return
        changes = True
        may_be_form = scope["method"] == "POST" and scope["path"] == "/" and not _target(scope)

        async def read() -> _Message:
            nonlocal changes, may_be_form
            message = await receive()
            if may_be_form and (action := _FORM_ACTION.search(message.get("body", b""), 0, 4096)):
                changes = not action[1].startswith(_READS)
            may_be_form = False
            return message

        refused = False

        async def answer(message: _Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and not self._saved(changes=changes):
                refused = True
                for part in _UNSAVED:
                    await send(part)
            if not refused:
                await send(message)

        await self._app(scope, read, answer)

    def _saved(self, *, changes: bool) -> bool:
        """Save what is due before an answer; return False if that failed, to be tried again before the next one."""
        in_progress = (changes or self._stacks_change) and _stack_in_progress()
        if changes or (self._stacks_change and not in_progress):
            saved = self._save()
            self._stacks_change = in_progress or not saved
            return saved
        return True

    def _save(self) -> bool:
        """Save the state of every service; return whether all of it was written.

        MiniStack has services whose state it cannot write at all (dsql): theirs ends with the process.
        """
        from ministack.core import persistence  # noqa: PLC0415

        written = True
        for key, name in self._modules.items():
            module = _loaded(name)
            if module is not None and hasattr(module, "get_state"):
                path = Path(persistence.STATE_DIR, f"{key}.json")
                before, state = _inode(path), _state_of(module)
                persistence.save_state(key, state)  # it logs its errors and replaces the file
                if _inode(path) == before and _can_be_json(state, persistence):
                    written = False
        return written


def _can_be_json(state: Any, persistence: ModuleType) -> bool:
    try:
        json.dumps(state, default=persistence._json_default)
    except (TypeError, ValueError):
        return False
    return True


def _inode(path: Path) -> int | None:
    return path.stat().st_ino if path.exists() else None


def _may_change(scope: Mapping[str, Any]) -> bool:
    """Return whether the request may change a state that is kept, as far as its head says."""
    if scope["method"] in ("GET", "HEAD") or scope["path"].endswith(_INVOCATIONS):
        return False
    target = _target(scope)
    return not target.startswith(_TARGETS_OF_LOCALBUS) and not target.rpartition(b".")[2].startswith(_READS)


def _target(scope: Mapping[str, Any]) -> bytes:
    return next((value for name, value in scope["headers"] if name == b"x-amz-target"), b"")


def _stack_in_progress() -> bool:
    """Return whether MiniStack's CloudFormation is at work."""
    module = _loaded("cloudformation")
    stacks = [] if module is None else module._stacks._data.values()
    states = [str(each.get("StackStatus")) for each in list(stacks)]
    return any(state.endswith("_IN_PROGRESS") and state != "REVIEW_IN_PROGRESS" for state in states)


def _loaded(service: str) -> ModuleType | None:
    """Return the module of a service that was used. Any other is lazy, and the first look at it would load it."""
    module = sys.modules.get(f"ministack.services.{service}")
    return module if type(module) is ModuleType else None


def _state_of(module: ModuleType) -> Any:
    for _ in range(_TRIES - 1):
        try:
            return module.get_state()
        except RuntimeError:  # a thread changes a dictionary meanwhile
            continue
    return module.get_state()
