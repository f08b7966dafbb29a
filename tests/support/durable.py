"""An engine with a data folder that can be killed at any point, within a test."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from localbus.clock import ManualClock
from localbus.engine import Engine, Options
from localbus.http.message import Request, Response
from localbus.storage.durable import DurableStorage

# A kill after an answer, or in the middle of an action whose answer then never comes.
Moment = Literal["after the answer", "before the commit", "after the commit"]

_TARGETS = {
    "sqs": "AmazonSQS",
    "events": "AWSEvents",
    "dynamodb": "DynamoDB_20120810",
}


def as_killed(folder: Path, copy: Path) -> Path:
    """Copy a data folder as a killed process leaves it: what was written, and nothing that was still in memory."""
    copy.mkdir(parents=True)
    for file in folder.iterdir():
        shutil.copy(file, copy)
    return copy


class DurableEngine:
    """An engine without HTTP. Requests are handled as those of a connection: answered after the commit.

    Use it as a context manager. `kill` leaves the engine as it is and starts another on a copy of its folder.
    """

    def __init__(self, folder: Path, **options: Any) -> None:
        self._folder = folder
        self._options = options
        self._kills = 0
        self._runner = asyncio.Runner()
        try:
            self.engine = self._start(folder / "0")
        except BaseException:
            self._runner.close()
            raise

    def __enter__(self) -> DurableEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.engine.stop)
        self._runner.close()

    @property
    def clock(self) -> ManualClock:
        """Its manual clock."""
        assert isinstance(self.engine.clock, ManualClock)
        return self.engine.clock

    def run(self, work: Callable[[], Any]) -> Any:
        """Run a function in the event loop, and await what it returns if that can be awaited."""

        async def run() -> Any:
            result = work()
            return await result if hasattr(result, "__await__") else result

        return self._runner.run(run())

    def call(self, service: str, action: str, account: str = "000000000000", **params: Any) -> dict[str, Any]:
        """Call an action by the JSON protocol, and return its output or, with `__type`, its error."""
        request = Request("POST", "/", _headers(service, action, account), body=json.dumps(params).encode())
        response = self.run(lambda: self.engine.app.handle(request))
        assert isinstance(response, Response)
        answer: dict[str, Any] = json.loads(response.body or b"{}")  # type: ignore[arg-type]
        return answer

    def advance(self, seconds: float) -> None:
        """Move the clock, and let the event loop do what is due."""

        async def move() -> None:
            self.clock.advance(seconds)
            for _ in range(5):
                await asyncio.sleep(0)

        self.run(move)

    def kill(self) -> None:
        """Kill the engine after its last answer, and start it again."""
        self._kills += 1
        folder = as_killed(self._data, self._folder / str(self._kills))
        self.run(self.engine.stop)
        self.engine = self._start(folder)

    def kill_in(self, moment: Moment, action: Callable[[], object]) -> None:
        """Kill the engine in the middle of an action, before or after its commit, and start it again."""
        if moment == "after the answer":
            action()
            self.kill()
            return
        storage = self.engine.storage
        assert isinstance(storage, DurableStorage)
        self._kills += 1
        copy = self._folder / str(self._kills)
        commit = storage.commit

        def commit_and_copy() -> None:
            if moment == "after the commit":
                commit()
            if not copy.exists():
                as_killed(self._data, copy)
            if moment == "before the commit":
                commit()

        storage.commit = commit_and_copy  # type: ignore[method-assign]
        action()
        if not copy.exists():  # the action has changed nothing
            as_killed(self._data, copy)
        storage.commit = commit  # type: ignore[method-assign]
        self.run(self.engine.stop)
        self.engine = self._start(copy)

    def _start(self, folder: Path) -> Engine:
        self._data = folder

        async def start() -> Engine:
            engine = Engine(Options(data=folder, **self._options), ManualClock())
            engine.restore()
            return engine

        return self._runner.run(start())


def _headers(service: str, action: str, account: str) -> dict[bytes, bytes]:
    version = b"1.1" if service == "events" else b"1.0"
    return {
        b"host": b"localhost",
        b"content-type": b"application/x-amz-json-" + version,
        b"x-amz-target": f"{_TARGETS[service]}.{action}".encode(),
        b"authorization": f"AWS4-HMAC-SHA256 Credential={account}/20260101/us-east-1/{service}/aws4_request".encode(),
    }
