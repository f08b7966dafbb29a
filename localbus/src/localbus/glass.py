"""The glass box: pages that show what is inside, and that move the clock. Nothing here is part of AWS.

GET  /_localbus/health                          what is running
GET  /_localbus/journal?message_id=&resource=&event=&after=&follow=1
GET  /_localbus/outbox?to=&protocol=            mails and text messages, which are never sent
GET  /_localbus/clock                           the time; POST with {"advance_s": 900} moves a manual clock
GET  /_localbus/faults                          the faults that are asked for; PUT asks for others
GET  /_aws/sqs/messages?QueueUrl=&ShowInvisible=&ShowDelayed=    messages without receiving them, as LocalStack has it
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

from localbus.clock import Clock, ManualClock
from localbus.errors import AwsError
from localbus.faults import Faults
from localbus.http import Request, Response
from localbus.journal import Entry, Journal
from localbus.message import Message, State
from localbus.message_actions import system_attributes
from localbus.model import Params
from localbus.outbox import Outbox
from localbus.query_protocol import QueryProtocol
from localbus.refusals import does_not_exist
from localbus.router import caller_of
from localbus.service import Caller
from localbus.sqs import Sqs

_JSON = [(b"Content-Type", b"application/json")]
_FOLLOWED_AT_MOST = 10_000


class Glass:
    """The pages of one engine."""

    def __init__(
        self, clock: Clock, journal: Journal, sqs: Sqs, outbox: Outbox, *, faults: Faults, about: Mapping[str, object]
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._sqs = sqs
        self._faults = faults
        self._about = about
        self._outbox = outbox
        self._query = QueryProtocol(sqs.service())
        self._pages: dict[tuple[str, str], Callable[[Request], Response]] = {
            ("GET", "/_localbus/health"): self._health,
            ("GET", "/_localbus/journal"): self._show_journal,
            ("GET", "/_localbus/outbox"): self._show_outbox,
            ("GET", "/_localbus/clock"): self._show_clock,
            ("POST", "/_localbus/clock"): self._move_clock,
            ("GET", "/_localbus/faults"): self._show_faults,
            ("PUT", "/_localbus/faults"): self._ask_faults,
            ("GET", "/_aws/sqs/messages"): self._messages,
            ("POST", "/_aws/sqs/messages"): self._messages,
        }

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        """Answer a request for a page."""
        page = self._pages.get((request.method, request.path))
        if page is None:
            return _problem(404, f"There is no page {request.method} {request.path}.")
        try:
            return page(request)
        except (ValueError, RecursionError) as exc:
            return _problem(400, str(exc))

    def _health(self, _request: Request) -> Response:
        return _document({"status": "running", **self._about})

    def _show_journal(self, request: Request) -> Response:
        query = request.query
        wanted: dict[str, Any] = {name: query.get(name) for name in ("message_id", "resource", "event")}
        after = int(query.get("after", "0"))
        if query.get("follow") in {"1", "true"}:
            headers = [(b"Content-Type", b"application/x-ndjson")]
            return Response(200, headers, self._follow(after, wanted))
        entries = [entry.document() for entry in self._journal.entries(**wanted, after=after)]
        return _document({"entries": entries})

    async def _follow(self, after: int, wanted: dict[str, Any]) -> AsyncGenerator[bytes]:
        """Entries as they come, one JSON object a line, after those that are there. Who lags far behind is let go."""
        coming: asyncio.Queue[Entry] = asyncio.Queue(_FOLLOWED_AT_MOST)

        def follow(entry: Entry) -> None:
            if not coming.full() and entry.fits(**wanted):
                coming.put_nowait(entry)

        stop = self._journal.follow(follow)
        try:
            for entry in list(self._journal.entries(**wanted, after=after)):
                yield _line(entry)
            while not coming.full():
                yield _line(await coming.get())
        finally:
            stop()

    def _show_outbox(self, request: Request) -> Response:
        letters = self._outbox.letters(request.query.get("to"), request.query.get("protocol"))
        return _document({"letters": [letter.document() for letter in letters]})

    def _show_clock(self, _request: Request) -> Response:
        return _document({"now": self._clock.now(), "manual": isinstance(self._clock, ManualClock)})

    def _move_clock(self, request: Request) -> Response:
        if not isinstance(self._clock, ManualClock):
            return _problem(409, "The clock is the real one; start with --manual-clock to move it.")
        document = json.loads(request.body)
        seconds = document.get("advance_s") if isinstance(document, dict) else None
        if not isinstance(seconds, int | float) or not 0 <= seconds <= 1e9:
            return _problem(400, 'Say how far: {"advance_s": 900}.')
        self._clock.advance(seconds)
        return self._show_clock(request)

    def _show_faults(self, _request: Request) -> Response:
        return _document(self._faults.document())

    def _ask_faults(self, request: Request) -> Response:
        self._faults.ask(json.loads(request.body))
        return _document(self._faults.document())

    def _messages(self, request: Request) -> Response:
        caller = caller_of(request)
        target = request.header(b"x-amz-target")
        form = _input(request) if target else request.form
        action = target.rpartition(".")[2] if target else form.get("Action", "ReceiveMessage")
        try:
            messages = self._peek(action, form, caller)
        except AwsError as exc:
            return self._refusal(exc, request, caller)
        if target:
            return Response(200, [(b"Content-Type", b"application/x-amz-json-1.0")], _encode({"Messages": messages}))
        if "application/json" in request.header(b"accept"):
            return _document({"ReceiveMessageResponse": {"ReceiveMessageResult": {"Message": _as_xml_does(messages)}}})
        operation = self._query.service.api.operation("ReceiveMessage")
        return self._query.write(operation, {"Messages": messages}, caller.request_id)

    def _refusal(self, error: AwsError, request: Request, caller: Caller) -> Response:
        form = self._sqs.error_form(error.code)
        if request.header(b"x-amz-target") or "application/json" in request.header(b"accept"):
            detail = {"Code": form.query_code, "Message": error.message, "Type": form.fault}
            document = {"ErrorResponse": {"Error": detail}, "__type": error.code, "message": error.message}
            return Response(form.status, _JSON, _encode(document))
        return self._query.write_error(error, caller.request_id)

    def _peek(self, action: str, form: Params, caller: Caller) -> list[Params]:
        if action != "ReceiveMessage":
            raise AwsError("InvalidRequest", "This endpoint only accepts ReceiveMessage calls")
        if not form.get("QueueUrl"):
            raise does_not_exist()
        queue = self._sqs.queues.by_url(form["QueueUrl"], caller).queue
        hidden = {State.IN_FLIGHT: "ShowInvisible", State.DELAYED: "ShowDelayed"}
        return [
            _shown(message)
            for message in queue.peek()
            if message.state is State.VISIBLE or str(form.get(hidden[message.state], "")).lower() in {"1", "true"}
        ]


def _shown(message: Message) -> Params:
    attributes = {"ApproximateFirstReceiveTimestamp": "0", **system_attributes(message)}
    attributes["IsVisible"] = str(message.state is not State.IN_FLIGHT).lower()
    attributes["IsDelayed"] = str(message.state is State.DELAYED).lower()
    shown: Params = {"MessageId": message.message_id, "ReceiptHandle": "SQS/BACKDOOR/ACCESS", "Body": message.body}
    shown |= {"MD5OfBody": message.body_md5, "Attributes": attributes}
    return shown | ({"MessageAttributes": message.attributes} if message.attributes else {})


def _as_xml_does(messages: list[Params]) -> list[Params]:
    """Messages as a JSON reading of the XML has them: maps are lists of names and values."""
    return [
        {name: value for name, value in message.items() if not name.endswith("Attributes")}
        | {"Attribute": [{"Name": name, "Value": value} for name, value in message["Attributes"].items()]}
        | {"MessageAttribute": [{"Name": n, "Value": v} for n, v in message.get("MessageAttributes", {}).items()]}
        for message in messages
    ]


def _input(request: Request) -> Params:
    document = json.loads(request.body)
    return document if isinstance(document, dict) else {}


def _encode(document: object) -> bytes:
    return json.dumps(document, default=repr).encode()


def _line(entry: Entry) -> bytes:
    return _encode(entry.document()) + b"\n"


def _document(document: object) -> Response:
    return Response(200, _JSON, _encode(document))


def _problem(status: int, text: str) -> Response:
    return Response(status, _JSON, _encode({"error": text}))
