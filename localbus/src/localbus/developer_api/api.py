"""The developer API of an engine: its journal, queues, captured messages, clock and faults. AWS has nothing like it.

`GET /_localbus/` lists the routes.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Mapping
from dataclasses import dataclass
from typing import Any

from localbus.clock import Clock, ManualClock
from localbus.delivery_faults import read_queue_faults
from localbus.developer_api.peek import Peek
from localbus.developer_api.resources import Resources
from localbus.developer_api.routes import Route, Routes, document, json_object, problem
from localbus.developer_api.services import services
from localbus.dynamodb.state import DynamoDb
from localbus.errors import AwsError
from localbus.event_pattern.explain import explain
from localbus.event_pattern.pattern import EventPattern
from localbus.events.state import EventBridge
from localbus.http.message import Request, Response
from localbus.input_values import is_number, quoted
from localbus.journal import Entry, Journal
from localbus.lambda_.state import EventSourceMappings
from localbus.losses import Losses
from localbus.protocol.api_faults import ApiFaults
from localbus.protocol.json_codec import read_request
from localbus.sns.state import Sns
from localbus.sqs.state import Sqs

_MAX_FOLLOWER_BACKLOG = 10_000
_MAX_ADVANCE_S = 1_000_000_000
_JOURNAL_QUERY = "message_id=&resource=&event=&after=&last=&follow=1"
_DISORDER = '{"seed": 7, "duplicates": 0.05, "reordering": 0.1, "queues": {"work": {"missed_polls": 0.5}}}'
_FAULTS = '{"seed": 7, "rules": [{"action": "SendMessage", "kind": "throttle", "probability": 0.1}]}'
_EXPLAIN = {"pattern": {"source": ["orders"]}, "event": {"source": "orders"}}
_LOCALSTACK_HEALTH = "/_localstack/health"
_ADVANCE = {"advance_s": 900}


@dataclass
class DeveloperApi:
    """The developer API of one engine. `about` is a part of /_localbus/health, which answers 503 until `is_ready`."""

    clock: Clock
    journal: Journal
    sqs: Sqs
    events: EventBridge
    sns: Sns
    mappings: EventSourceMappings
    dynamodb: DynamoDb
    losses: Losses
    faults: ApiFaults
    about: Mapping[str, Any]
    is_ready: bool = True

    def __post_init__(self) -> None:
        alone = self.about["upstream"] is None
        table = [
            *self._table(),
            Route("GET", _LOCALSTACK_HEALTH, "health as LocalStack has it", self._localstack_health),
        ]
        self._routes = Routes(table if alone else table[:-1], services(with_upstream=not alone))

    def _table(self) -> list[Route]:
        peek = Peek(self.sqs)
        peeked = "/_aws/sqs/messages"
        return [
            Route("GET", "/_localbus/health", "version, services and upstream; 503 until --init is done", self._health),
            Route(
                "GET", f"/_localbus/journal?{_JOURNAL_QUERY}", "message history; follow=1 streams", self._show_journal
            ),
            Route("GET", "/_localbus/losses", "messages that went astray, counted by kind", self._show_losses),
            Route("GET", "/_localbus/queues", "message counts and the oldest message by queue", self._show_queues),
            Route("GET", "/_localbus/resources", "every queue, topic, rule, mapping and table", self._show_resources),
            Route(
                "GET",
                f"{peeked}?QueueUrl=&ShowInvisible=&ShowDelayed=&Containing=&Limit=",
                "the messages of a queue, without receiving them",
                peek,
            ),
            Route("POST", peeked, "the same for a form, or for an SDK with this address as its endpoint", peek),
            Route(
                "GET",
                "/_localbus/outbox?to=&protocol=",
                "e-mail, text messages and push notifications, which are captured instead of sent",
                self._show_outbox,
            ),
            Route("GET", self.sns.signer.path, "the certificate for SNS signatures", self._show_certificate),
            Route("POST", "/_localbus/explain", f"why an event matches or not: {json.dumps(_EXPLAIN)}", _explain),
            Route("GET", "/_localbus/clock", "the time", self._show_clock),
            Route("POST", "/_localbus/clock", f"advance a manual clock: {json.dumps(_ADVANCE)}", self._advance_clock),
            Route("GET", "/_localbus/faults", "the API faults", self._show_faults),
            Route("PUT", "/_localbus/faults", f"set the API faults ({{}} ends them): {_FAULTS}", self._set_faults),
            Route("GET", "/_localbus/disorder", "the delivery faults of queues and rules", self._show_disorder),
            Route(
                "PUT",
                "/_localbus/disorder",
                f"set the delivery faults ({{}} ends them): {_DISORDER}",
                self._set_disorder,
            ),
        ]

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        """Answer a request."""
        return self._routes(request)

    def _health(self, _request: Request) -> Response:
        return self._when_ready({"status": "running" if self.is_ready else "starting", **self.about})

    def _localstack_health(self, _request: Request) -> Response:
        """Answer tools that wait for LocalStack. With an upstream this path is the upstream's."""
        running = dict.fromkeys(self.about["services"], "running")
        return self._when_ready({"services": running, "edition": "localbus", "version": self.about["version"]})

    def _when_ready(self, content: Mapping[str, Any]) -> Response:
        """Answer 503 while the files of --init are applied, so that those who wait for the engine have all of it."""
        answer = document(content)
        return answer if self.is_ready else Response(503, answer.headers, answer.body)

    def _show_certificate(self, _request: Request) -> Response:
        return Response(200, [(b"Content-Type", b"application/x-pem-file")], self.sns.signer.certificate.encode())

    def _show_journal(self, request: Request) -> Response:
        query = request.query
        wanted: dict[str, Any] = {name: query.get(name) for name in ("message_id", "resource", "event")}
        since: dict[str, Any] = {name: _count(name, query[name]) for name in ("after", "last") if name in query}
        if query.get("follow", "1") not in {"1", "true"}:
            raise ValueError(f"Invalid follow {quoted(query['follow'])}: expected 1 or true.")
        if "follow" in query:
            headers = [(b"Content-Type", b"application/x-ndjson")]
            return Response(200, headers, self._follow(since, wanted))
        return document({"entries": [entry.document() for entry in self.journal.entries(**wanted, **since)]})

    async def _follow(self, since: dict[str, Any], wanted: dict[str, Any]) -> AsyncGenerator[bytes]:
        """Stream past and new entries, one JSON object a line. A reader that falls far behind is disconnected."""
        coming: asyncio.Queue[Entry] = asyncio.Queue(_MAX_FOLLOWER_BACKLOG)

        def follow(entry: Entry) -> None:
            if not coming.full() and entry.matches(**wanted):
                coming.put_nowait(entry)

        stop = self.journal.follow(follow)
        try:
            for entry in list(self.journal.entries(**wanted, **since)):
                yield _line(entry)
            while not coming.full():
                yield _line(await coming.get())
        finally:
            stop()

    def _show_losses(self, _request: Request) -> Response:
        return document({"losses": self.losses.totals()})

    def _show_queues(self, _request: Request) -> Response:
        queues = [
            {
                "name": record.queue.name,
                "account": record.account,
                "region": record.region,
                **record.queue.counts()._asdict(),
                "oldest_sent_at": record.queue.oldest_sent_at(),
            }
            for record in self.sqs.queues
        ]
        return document({"now": self.clock.now(), "queues": queues})

    def _show_resources(self, _request: Request) -> Response:
        return document(Resources(self.sqs, self.sns, self.events, self.mappings, self.dynamodb).document())

    def _show_outbox(self, request: Request) -> Response:
        letters = self.sns.captured.matching(request.query.get("to"), request.query.get("protocol"))
        return document({"letters": [letter.document() for letter in letters]})

    def _show_clock(self, _request: Request) -> Response:
        return document({"now": self.clock.now(), "manual": isinstance(self.clock, ManualClock)})

    def _advance_clock(self, request: Request) -> Response:
        if not isinstance(self.clock, ManualClock):
            return problem(409, "This engine runs on real time. Start localbus with --manual-clock to advance it.")
        seconds = json_object(request, _ADVANCE)["advance_s"]
        if not is_number(seconds) or not 0 <= seconds <= _MAX_ADVANCE_S:
            raise ValueError(
                f"Invalid advance_s {quoted(seconds)}: expected a number of seconds from 0 to {_MAX_ADVANCE_S}."
            )
        self.clock.advance(seconds)
        return self._show_clock(request)

    def _show_faults(self, _request: Request) -> Response:
        return document(self.faults.document())

    def _set_faults(self, request: Request) -> Response:
        self.faults.configure(read_request(request.body))
        return self._show_faults(request)

    def _show_disorder(self, _request: Request) -> Response:
        return document(self.sqs.queues.faults.document())

    def _set_disorder(self, request: Request) -> Response:
        faults = read_queue_faults(read_request(request.body))
        self.sqs.queues.set_faults(faults)
        self.events.set_faults(faults.default)
        return self._show_disorder(request)


def _explain(request: Request) -> Response:
    """Explain a match. The pattern may be an object or its text, as ListRules returns it."""
    given = json_object(request, _EXPLAIN)
    pattern, event = given["pattern"], given["event"]
    if not isinstance(event, dict):
        raise ValueError(f"Invalid event {json.dumps(event)[:100]}: expected a JSON object.")  # noqa: TRY004
    try:
        explanation = explain(EventPattern(pattern if isinstance(pattern, str) else json.dumps(pattern)), event)
    except AwsError as exc:
        raise ValueError(exc.message) from exc
    return document(explanation.document() | {"alternatives": [other.document() for other in explanation.alternatives]})


def _line(entry: Entry) -> bytes:
    return json.dumps(entry.document(), default=repr).encode() + b"\n"


def _count(name: str, text: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", text):
        raise ValueError(f"Invalid {name} {text[:40]!r}: expected a whole number, 0 or more.")
    return int(text)
