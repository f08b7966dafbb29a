"""EventBridge for tests without a server: a bench under a manual clock, and a web server for its HTTP targets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from localbus.background_tasks import BackgroundTasks
from localbus.clock import ManualClock
from localbus.delivery.attempt import DeliveryError
from localbus.delivery_faults import DeliveryFaults
from localbus.events.api import service
from localbus.events.state import EventBridge
from localbus.http.message import Headers, Request, Response
from localbus.http.server import HttpServer
from localbus.journal import Journal, Loss
from localbus.protocol.service import Caller
from localbus.sqs.state import Sqs
from localbus.storage.storage import Storage
from localbus.upstream.client import UpstreamClient

ME = Caller()
QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:q"
TOPIC_ARN = "arn:aws:sns:us-east-1:000000000000:t"
RULE_ARN = "arn:aws:events:us-east-1:000000000000:rule/r"

Answer = Callable[[Request], tuple[int, Any]]


class Bench:
    """EventBridge and SQS. Topics record their messages, or fail with `error`."""

    def __init__(
        self,
        upstream: str | None = None,
        *,
        enforce_policies: bool = True,
        faults: DeliveryFaults | None = None,
        storage: Storage | None = None,
    ) -> None:
        self.clock = ManualClock()
        self.journal = Journal()
        self.losses: list[Loss] = []
        self.journal.on_loss = self.losses.append
        self.tasks = BackgroundTasks(self.clock)
        self.storage = storage or Storage()
        self.sqs = Sqs(self.clock, self.journal, self.storage, enforce_policies=enforce_policies)
        self.events = EventBridge(
            self.clock,
            self.journal,
            self.sqs,
            UpstreamClient(upstream),
            self.tasks,
            publish_to_topic=self._publish_to_topic,
            enforce_policies=enforce_policies,
            faults=faults,
        )
        self.actions = service(self.events).actions
        self.attempts: list[float] = []
        self.published: list[tuple[Any, ...]] = []
        self.error: Exception | None = None

    def _publish_to_topic(self, *given: Any) -> str:
        self.attempts.append(self.clock.now())
        if self.error is not None:
            raise self.error
        self.published.append(given)
        return f"published-{len(self.published)}"

    def call(self, action: str, caller: Caller = ME, **params: Any) -> Any:
        """Call an action of EventBridge."""
        return self.actions[action](params, caller)

    def queue(self, name: str, *, open_to: str | None = "events.amazonaws.com", **attributes: str) -> str:
        """Create a queue that a service may send to, and return its ARN."""
        if open_to:
            statement = {"Effect": "Allow", "Principal": {"Service": open_to}, "Action": "sqs:SendMessage"}
            attributes["Policy"] = json.dumps({"Statement": [statement]})
        self.sqs.queues.create(name, attributes, {}, ME)
        return QUEUE_ARN.removesuffix("q") + name

    def rule(self, *targets: dict[str, Any], name: str = "r", bus: str = "default") -> None:
        """Create a rule for every event, with these targets."""
        self.call("PutRule", Name=name, EventBusName=bus, EventPattern='{"source": [{"prefix": ""}]}')
        given = [{"Id": str(number), **target} for number, target in enumerate(targets)]
        self.call("PutTargets", Rule=name, EventBusName=bus, Targets=given)

    def put(self, detail: str = '{"a": 1}') -> str:
        """Put an event and return its id."""
        entry = {"Source": "s", "DetailType": "t", "Detail": detail}
        return str(self.call("PutEvents", Entries=[entry])["Entries"][0]["EventId"])

    async def deliver(self, arn: str, *until: str, **target: Any) -> str:
        """Put an event for one target, wait for the first of these entries of the journal, and return its name."""
        role = {"RoleArn": "arn:aws:iam::000000000000:role/r"} if ":api-destination/" in arn else {}
        self.rule({"Arn": arn, **role, **target})
        expected = until or ("delivered", "dropped", "retry_scheduled", "dead_lettered")
        found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def follow(entry: Any) -> None:
            if entry.event in expected and not found.done():
                found.set_result(entry.event)

        stop = self.journal.follow(follow)
        self.put('{"id": 7, "name": "a b"}')
        try:
            return await asyncio.wait_for(found, 5)
        finally:
            stop()

    def messages(self, name: str) -> list[Any]:
        """Return the messages of a queue."""
        return list(self.sqs.queues.by_name(name, ME.account, ME.region).queue.peek())

    def journaled(self, event_id: str) -> list[str]:
        """Return what the journal has of an event."""
        return [entry.event for entry in self.journal.entries(message_id=event_id)]

    def reason(self) -> str:
        """Return the reason why the last event was not delivered."""
        entries = [one for one in self.journal.entries() if one.event in {"undelivered", "retry_scheduled"}]
        detail = entries[-1].detail
        return str(detail["reason"] if isinstance(detail, dict) else detail)


def retryable(code: str = "ERROR_FROM_TARGET", message: str = "not today") -> DeliveryError:
    """Build an error after which a delivery is retried."""
    return DeliveryError(code, message, retryable=True)


class Elsewhere:
    """A web server that records requests and answers with a status and a JSON document."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer: Answer = lambda _request: (200, {})
        self.headers: Headers = []  # of each answer
        self.url = ""
        self._server = HttpServer(self)

    def wants_stream(self, _request: Request) -> bool:
        """Accept whole bodies only."""
        return False

    def handle(self, request: Request) -> Response:
        """Record the request and answer it."""
        self.requests.append(request)
        status, document = self.answer(request)
        return Response(status, self.headers, json.dumps(document).encode())

    async def start(self) -> None:
        """Listen."""
        self.url = f"http://127.0.0.1:{await self._server.start('127.0.0.1', 0)}"

    async def stop(self) -> None:
        """Stop listening."""
        await self._server.stop()

    def paths(self) -> list[tuple[str, str]]:
        """Return the methods and paths of the requests."""
        return [(request.method, request.path) for request in self.requests]
