"""A fake Lambda service, whose functions are Python functions of the event.

`MappingBench` has queues and event source mappings with this service as upstream, under a manual clock.
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
from localbus.journal import Journal, Loss
from localbus.lambda_ import api as lambda_api
from localbus.lambda_.state import EventSourceMappings
from localbus.protocol.service import Caller
from localbus.sqs import api as sqs_api
from localbus.sqs.queue import Queue
from localbus.sqs.state import Sqs
from localbus.storage.storage import Storage
from localbus.upstream.client import UpstreamClient

ME = Caller()
QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:work"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:barista"

QUIET_TURNS = 100

Event = dict[str, Any]
Function = Callable[[Event], Any]


class FunctionFailedError(Exception):
    """The error of a function that fails on purpose."""


class FakeLambda:
    """An upstream with functions by ARN, each with a timeout of 3 s. `other` answers other paths."""

    def __init__(self) -> None:
        self.functions: dict[str, Function] = {FUNCTION_ARN: lambda _event: None}
        self.timeouts_s: dict[str, int] = {}
        self.events: list[Event] = []
        self.other: Callable[[Request], tuple[int, Any]] = lambda _request: (404, _not_found())
        self.proxied: list[Request] = []
        self.running = 0
        self.most_running = 0
        self.rejection: tuple[int, Any] | None = None
        self._server = HttpServer(self)
        self._port = 0

    def wants_stream(self, _request: Request) -> bool:
        """Bodies are read whole."""
        return False

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer like Lambda."""
        parts = unquote(request.path).split("/")
        if len(parts) == 5 and parts[2] == "functions" and parts[4] == "configuration":
            if parts[3] not in self.functions:
                return _response(404, _not_found())
            return _response(200, {"FunctionArn": parts[3], "Timeout": self.timeouts_s.get(parts[3], 3)})
        if len(parts) == 5 and parts[4] == "invocations":
            return self._invoke(parts[3], json.loads(request.body))
        self.proxied.append(request)
        return _response(*self.other(request))

    async def _invoke(self, arn: str, event: Event) -> Response:
        if self.rejection is not None:
            return _response(*self.rejection)
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
        """Listen, again on the same port after a stop, and return the URL."""
        self._server = HttpServer(self)
        self._port = await self._server.start("127.0.0.1", self._port)
        return f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Stop listening."""
        await self._server.stop()

    def bodies(self) -> list[list[str]]:
        """Return the bodies of each invocation's messages."""
        return [[record["body"] for record in event["Records"]] for event in self.events]


def _response(status: int, document: Any, *headers: tuple[bytes, bytes]) -> Response:
    return Response(status, list(headers), json.dumps(document).encode())


def _not_found() -> dict[str, str]:
    return {"__type": "ResourceNotFoundException", "Message": "Not at the upstream."}


class MappingBench:
    """Queues, mappings and functions in one event loop. There is a queue `work`."""

    def __init__(self, functions: FakeLambda, url: str | None, storage: Storage | None = None) -> None:
        self.functions = functions
        self.clock = ManualClock()
        self.journal = Journal()
        self.losses: list[Loss] = []
        self.journal.on_loss = self.losses.append
        self.tasks = BackgroundTasks(self.clock)
        self.sqs = Sqs(self.clock, self.journal, storage or Storage())
        self.sqs.restore()
        self.mappings = EventSourceMappings(self.clock, self.journal, self.sqs, UpstreamClient(url), self.tasks)
        self.mappings.restore()
        self._service = lambda_api.service(self.mappings)
        self.work = self.queue()
        self._send = sqs_api.service(self.sqs).actions["SendMessage"]

    def function(self, function: Function) -> None:
        """Set the function that the queue is mapped to."""
        self.functions.functions[FUNCTION_ARN] = function

    def queue(self, name: str = "work", **attributes: str) -> Queue:
        """Create a queue."""
        if name.endswith(".fifo"):
            attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true", **attributes}
        return self.sqs.queues.create(name, attributes, {}, ME).queue

    def send(self, *bodies: str, arn: str = QUEUE_ARN, **given: Any) -> list[str]:
        """Send messages in one turn of the loop, and return their ids."""
        url = f"http://x/000000000000/{arn.rpartition(':')[2]}"
        answers: list[Any] = [self._send({"QueueUrl": url, "MessageBody": body, **given}, ME) for body in bodies]
        return [answer["MessageId"] for answer in answers]

    async def call(self, action: str, **params: Any) -> Any:
        """Call an action of Lambda."""
        result: Any = self._service.call(self._service.api.operation(action), params, ME)
        return await result

    async def map(self, **given: Any) -> str:
        """Map the queue to the function, and return the id of the mapping, which has started."""
        params = {"EventSourceArn": QUEUE_ARN, "FunctionName": "barista", **given}
        uuid: str = (await self.call("CreateEventSourceMapping", **params))["UUID"]
        await self.settled(uuid)
        return uuid

    async def settled(self, uuid: str) -> str:
        """Return the state of a mapping once it is in no transition."""
        mapping = self.mappings.find(uuid, ME)
        assert mapping is not None
        await self.until(lambda: not mapping.is_in_transition)
        return mapping.state

    def noted(self, event: str) -> list[str]:
        """Return the ids of the messages for which the journal has this event."""
        return [entry.message_id for entry in self.journal.entries(event=event)]

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the loop turn until the condition is true."""
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 (the condition can be anything)
                await asyncio.sleep(0)

    async def invoked(self, times: int) -> None:
        """Wait until there have been so many invocations, and their effects are complete."""
        await self.until(lambda: len(self.functions.events) >= times and self.functions.running == 0)
        await self.quiet()

    async def quiet(self) -> None:
        """Wait until nothing happens in many turns of the loop. Each turn serves every socket, as all are local."""
        before = None
        while before != (before := (len(list(self.journal.entries())), len(self.functions.events))):
            for _ in range(QUIET_TURNS):
                await asyncio.sleep(0)


@asynccontextmanager
async def mapping_bench() -> AsyncIterator[MappingBench]:
    """A bench that is stopped at the end."""
    functions = FakeLambda()
    bench = MappingBench(functions, await functions.start())
    try:
        yield bench
    finally:
        await bench.tasks.cancel_all()
        await functions.stop()
