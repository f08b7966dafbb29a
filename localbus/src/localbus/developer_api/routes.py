"""The glass box: pages that show what is inside, and that move the clock. Nothing here is part of AWS.

What pages there are is listed in `Glass`, and by the page /_localbus/ to whoever asks.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Mapping
from typing import Any

from localbus.clock import Clock, ManualClock
from localbus.delivery_faults import read_all
from localbus.developer_api.pages import Page, Pages, document, problem
from localbus.developer_api.peek import Peek
from localbus.events.state import EventBridge
from localbus.http.message import Request, Response
from localbus.journal import Entry, Journal
from localbus.protocol.api_faults import Faults
from localbus.sns.state import Sns
from localbus.sqs.state import Sqs

_FOLLOWED_AT_MOST = 10_000
_DISORDER = '{"seed": 7, "duplicates": 0.05, "reordering": 0.1, "queues": {"work": {"missed_polls": 0.5}}}'
_FAULTS = '{"seed": 7, "rules": [{"action": "SendMessage", "kind": "throttle", "probability": 0.1}]}'


class Glass:
    """The pages of one engine."""

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        sqs: Sqs,
        events: EventBridge,
        sns: Sns,
        *,
        faults: Faults,
        about: Mapping[str, object],
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._sqs = sqs
        self._events = events
        self._faults = faults
        self._about = about
        self._captured = sns.captured
        self._signer = signer = sns.signer
        peek = Peek(sqs)
        self._pages = Pages(
            [
                Page("GET", "/_localbus/health", "what is running", self._health),
                Page(
                    "GET",
                    "/_localbus/journal?message_id=&resource=&event=&after=&last=&follow=1",
                    "what happened to messages; follow=1 goes on telling, an entry a line",
                    self._show_journal,
                ),
                Page("GET", "/_localbus/queues", "how much is in each queue, and since when", self._show_queues),
                Page(
                    "GET",
                    "/_aws/sqs/messages?QueueUrl=&ShowInvisible=&ShowDelayed=&Containing=",
                    "messages, not received: all of a queue, or those whose body has a text in it",
                    peek,
                ),
                Page(
                    "POST",
                    "/_aws/sqs/messages",
                    "the same for a form, or for an SDK that has this as its endpoint",
                    peek,
                ),
                Page(
                    "GET",
                    "/_localbus/outbox?to=&protocol=",
                    "mails, text messages and push notifications, which are never sent",
                    self._show_outbox,
                ),
                Page(
                    "GET", signer.path, "the certificate that verifies what SNS sends by HTTP", self._show_certificate
                ),
                Page("GET", "/_localbus/clock", "the time", self._show_clock),
                Page("POST", "/_localbus/clock", 'moves a manual clock: {"advance_s": 900}', self._move_clock),
                Page("GET", "/_localbus/faults", "the failures that are asked for", self._show_faults),
                Page("PUT", "/_localbus/faults", f"asks for others: {_FAULTS}", self._ask_faults),
                Page("GET", "/_localbus/disorder", "the disorder of queues and rules; {} is none", self._show_disorder),
                Page("PUT", "/_localbus/disorder", f"asks for another: {_DISORDER}", self._ask_disorder),
            ]
        )

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        """Answer a request for a page."""
        return self._pages(request)

    def _health(self, _request: Request) -> Response:
        return document({"status": "running", **self._about})

    def _show_certificate(self, _request: Request) -> Response:
        return Response(200, [(b"Content-Type", b"application/x-pem-file")], self._signer.certificate.encode())

    def _show_journal(self, request: Request) -> Response:
        query = request.query
        wanted: dict[str, Any] = {name: query.get(name) for name in ("message_id", "resource", "event")}
        since: dict[str, Any] = {"after": int(query.get("after", "0"))}
        if "last" in query:
            since["last"] = _not_negative(query["last"])
        if query.get("follow") in {"1", "true"}:
            headers = [(b"Content-Type", b"application/x-ndjson")]
            return Response(200, headers, self._follow(since, wanted))
        entries = [entry.document() for entry in self._journal.entries(**wanted, **since)]
        return document({"entries": entries})

    async def _follow(self, since: dict[str, Any], wanted: dict[str, Any]) -> AsyncGenerator[bytes]:
        """Entries as they come, one JSON object a line, after those that are there. Who lags far behind is let go."""
        coming: asyncio.Queue[Entry] = asyncio.Queue(_FOLLOWED_AT_MOST)

        def follow(entry: Entry) -> None:
            if not coming.full() and entry.fits(**wanted):
                coming.put_nowait(entry)

        stop = self._journal.follow(follow)
        try:
            for entry in list(self._journal.entries(**wanted, **since)):
                yield _line(entry)
            while not coming.full():
                yield _line(await coming.get())
        finally:
            stop()

    def _show_queues(self, _request: Request) -> Response:
        queues = [
            {
                "name": record.queue.name,
                "account": record.account,
                "region": record.region,
                **record.queue.counts()._asdict(),
                "oldest_sent_at": record.queue.oldest_sent_at(),
            }
            for record in self._sqs.queues
        ]
        return document({"now": self._clock.now(), "queues": queues})

    def _show_outbox(self, request: Request) -> Response:
        letters = self._captured.matching(request.query.get("to"), request.query.get("protocol"))
        return document({"letters": [letter.document() for letter in letters]})

    def _show_clock(self, _request: Request) -> Response:
        return document({"now": self._clock.now(), "manual": isinstance(self._clock, ManualClock)})

    def _move_clock(self, request: Request) -> Response:
        if not isinstance(self._clock, ManualClock):
            return problem(409, "The clock is the real one; start with --manual-clock to move it.")
        given = json.loads(request.body)
        seconds = given.get("advance_s") if isinstance(given, dict) else None
        if not isinstance(seconds, int | float) or not 0 <= seconds <= 1e9:
            return problem(400, 'Say how far: {"advance_s": 900}.')
        self._clock.advance(seconds)
        return self._show_clock(request)

    def _show_faults(self, _request: Request) -> Response:
        return document(self._faults.document())

    def _ask_faults(self, request: Request) -> Response:
        self._faults.ask(json.loads(request.body))
        return document(self._faults.document())

    def _show_disorder(self, _request: Request) -> Response:
        return document(self._sqs.queues.disorders.document())

    def _ask_disorder(self, request: Request) -> Response:
        disorders = read_all(json.loads(request.body))
        self._sqs.queues.disturb(disorders)
        self._events.disturb(disorders.everywhere)
        return self._show_disorder(request)


def _line(entry: Entry) -> bytes:
    return json.dumps(entry.document(), default=repr).encode() + b"\n"


def _not_negative(text: str) -> int:
    if (number := int(text)) < 0:
        raise ValueError(f"{text} is less than nothing")
    return number
