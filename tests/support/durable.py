"""An engine with a data folder that can be killed at any point, within a test."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlencode

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.engine.stop)
        self._runner.close()

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self._data

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
        """Call an action by the service's protocol, and return its output or, with `__type`, its error."""
        response = self.run(lambda: self.engine.app.handle(_request(service, action, account, params)))
        assert isinstance(response, Response)
        assert isinstance(response.body, bytes)
        if service in _TARGETS:
            answer: dict[str, Any] = json.loads(response.body or b"{}")
            return answer
        shape: Any = _model(service).operation_model(action).output_shape
        received = {"body": response.body, "headers": {}, "status_code": response.status}
        parsed: dict[str, Any] = create_parser("query").parse(received, shape)
        return {"__type": parsed["Error"]["Code"], **parsed["Error"]} if "Error" in parsed else parsed

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


@cache
def _model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def _request(service: str, action: str, account: str, params: dict[str, Any]) -> Request:
    scope = f"AWS4-HMAC-SHA256 Credential={account}/20260101/us-east-1/{service}/aws4_request"
    headers = {b"host": b"localhost", b"authorization": scope.encode()}
    if service not in _TARGETS:
        form = create_serializer("query").serialize_to_request(params, _model(service).operation_model(action))["body"]
        headers[b"content-type"] = b"application/x-www-form-urlencoded"
        return Request("POST", "/", headers, body=urlencode(form).encode())
    version = b"1.1" if service == "events" else b"1.0"
    headers[b"content-type"] = b"application/x-amz-json-" + version
    headers[b"x-amz-target"] = f"{_TARGETS[service]}.{action}".encode()
    return Request("POST", "/", headers, body=json.dumps(params).encode())
