"""A Lambda service for tests: functions are functions of their event, and every call is noted.

`Cafe` is an engine's queues and event source mappings with such a service as upstream, under a manual clock.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

from localbus.background_tasks import BackgroundTasks
from localbus.clock import ManualClock
from localbus.http.message import Request, Response
from localbus.http.server import HttpServer
from localbus.journal import Journal
from localbus.lambda_ import api as lambda_api
from localbus.lambda_.state import EventSourceMappings
from localbus.protocol.service import Caller
from localbus.sqs import api as sqs_api
from localbus.sqs.queue import Queue
from localbus.sqs.state import Sqs
from localbus.upstream.client import UpstreamClient
from support import eventually

ME = Caller()
QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:work"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:barista"

Event = dict[str, Any]
Function = Callable[[Event], Any]


class FunctionFailedError(Exception):
    """What a function raises when it is to fail."""


class FakeLambda:
    """An upstream that has functions by ARN, each with a timeout of 3 s, and answers other paths as it is told."""

    def __init__(self) -> None:
        self.functions: dict[str, Function] = {FUNCTION_ARN: lambda _event: None}
        self.timeouts_s: dict[str, int] = {}
        self.events: list[Event] = []
        self.other: Callable[[Request], tuple[int, Any]] = lambda _request: (404, _not_found())
        self.passed_on: list[Request] = []
        self.running = 0
        self.most_running = 0
        self.refusal: tuple[int, Any] | None = None
        self._server = HttpServer(self)
        self._port = 0

    def wants_stream(self, _request: Request) -> bool:
        """Bodies are taken whole."""
        return False

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer as Lambda does."""
        parts = unquote(request.path).split("/")
        if len(parts) == 5 and parts[2] == "functions" and parts[4] == "configuration":
            if parts[3] not in self.functions:
                return _response(404, _not_found())
            return _response(200, {"FunctionArn": parts[3], "Timeout": self.timeouts_s.get(parts[3], 3)})
        if len(parts) == 5 and parts[4] == "invocations":
            return self._invoke(parts[3], json.loads(request.body))
        self.passed_on.append(request)
        return _response(*self.other(request))

    async def _invoke(self, arn: str, event: Event) -> Response:
        if self.refusal is not None:
            return _response(*self.refusal)
        if arn not in self.functions:
            return _response(404, _not_found())
        self.events.append(event)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            result = self.functions[arn](event)
            if isinstance(result, Awaitable):
                result = await result
        except FunctionFailedError as exc:
            document = {"errorMessage": str(exc), "errorType": "FunctionFailedError"}
            return _response(200, document, (b"X-Amz-Function-Error", b"Unhandled"))
        finally:
            self.running -= 1
        return Response(200, [], result) if isinstance(result, bytes) else _response(200, result)

    async def start(self) -> str:
        """Listen, again at the same port after a stop, and say where."""
        self._server = HttpServer(self)
        self._port = await self._server.start("127.0.0.1", self._port)
        return f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Stop listening."""
        await self._server.stop()

    def bodies(self) -> list[list[str]]:
        """The bodies of each invocation's messages."""
        return [[record["body"] for record in event["Records"]] for event in self.events]


def _response(status: int, document: Any, *headers: tuple[bytes, bytes]) -> Response:
    return Response(status, list(headers), json.dumps(document).encode())


def _not_found() -> dict[str, str]:
    return {"__type": "ResourceNotFoundException", "Message": "It is not at the upstream."}


class Cafe:
    """Queues, mappings and functions."""

    def __init__(self, functions: FakeLambda, url: str | None) -> None:
        self.functions = functions
        self.clock = ManualClock()
        self.journal = Journal()
        self.tasks = BackgroundTasks(self.clock)
        self.sqs = Sqs(self.clock, self.journal)
        self.mappings = EventSourceMappings(self.clock, self.journal, self.sqs, UpstreamClient(url), self.tasks)
        self._service = lambda_api.service(self.mappings)

    def queue(self, name: str = "work", **attributes: str) -> Queue:
        """A new queue."""
        if name.endswith(".fifo"):
            attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true", **attributes}
        return self.sqs.queues.create(name, attributes, {}, ME).queue

    def send(self, *bodies: str, arn: str = QUEUE_ARN, **given: Any) -> list[str]:
        """Send messages in one turn, and say their ids."""
        queue = self.sqs.queues.by_arn(arn)
        assert queue is not None
        actions = sqs_api.service(self.sqs).actions
        answers = [
            actions["SendMessage"](
                {"QueueUrl": f"http://x/000000000000/{queue.queue.name}", "MessageBody": body, **given}, ME
            )
            for body in bodies
        ]
        return [answer["MessageId"] for answer in answers]  # type: ignore[index]

    async def call(self, action: str, **params: Any) -> Any:
        """Do an action of Lambda."""
        result: Any = self._service.call(self._service.api.operation(action), params, ME)
        return await result

    async def map(self, **given: Any) -> str:
        """A mapping of the queue to the function that has begun, and its id."""
        params = {"EventSourceArn": QUEUE_ARN, "FunctionName": "barista", **given}
        uuid: str = (await self.call("CreateEventSourceMapping", **params))["UUID"]
        await self.settled(uuid)
        return uuid

    async def settled(self, uuid: str) -> str:
        """The state of a mapping once it is in no transition."""

        async def state() -> str:
            found: str = (await self.call("GetEventSourceMapping", UUID=uuid))["State"]
            assert found in {"Enabled", "Disabled"}
            return found

        return await eventually(state)

    def noted(self, event: str) -> list[str]:
        """The ids of the messages of which the journal notes this."""
        return [entry.message_id for entry in self.journal.entries(event=event)]

    async def invoked(self, times: int) -> None:
        """Wait until there have been so many invocations, and nothing comes of them any more."""

        async def done() -> bool:
            return len(self.functions.events) >= times and self.functions.running == 0

        ended: bool = await eventually(done)
        assert ended
        await self.quiet()

    async def quiet(self) -> None:
        """Wait until nothing happens: until the loop has come round often with no new entry in the journal."""
        while True:
            before = len(list(self.journal.entries())), len(self.functions.events)
            for _ in range(5):
                await asyncio.sleep(0.01)
            if before == (len(list(self.journal.entries())), len(self.functions.events)):
                return


@asynccontextmanager
async def cafe() -> AsyncIterator[Cafe]:
    """A café while it is needed."""
    functions = FakeLambda()
    made = Cafe(functions, await functions.start())
    try:
        yield made
    finally:
        await made.tasks.cancel_all()
        await functions.stop()
