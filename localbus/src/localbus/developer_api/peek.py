"""Messages of a queue without receiving them: LocalStack's /_aws/sqs/messages, as a page and as an SDK's endpoint."""

from __future__ import annotations

import itertools
import json
import re

from localbus.developer_api.routes import JSON_HEADERS, document
from localbus.errors import AwsError
from localbus.http.message import Request, Response
from localbus.protocol.aws_json import JsonProtocol
from localbus.protocol.aws_query import QueryProtocol
from localbus.protocol.json_codec import read_request
from localbus.protocol.router import caller_of
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sqs import api as sqs_api
from localbus.sqs.errors import does_not_exist
from localbus.sqs.message import Message, State
from localbus.sqs.message_actions import system_attributes
from localbus.sqs.state import Sqs


class Peek:
    """The route for one engine's queues."""

    def __init__(self, sqs: Sqs) -> None:
        self._sqs = sqs
        service = sqs_api.service(sqs)
        self._json, self._query = JsonProtocol(service), QueryProtocol(service)
        self._operation = service.api.operation("ReceiveMessage")

    def __call__(self, request: Request) -> Response:
        """Answer in the protocol of the request."""
        caller = caller_of(request)
        target = request.header(b"x-amz-target")
        form = _input(request) if target else request.form
        action = target.rpartition(".")[2] if target else form.get("Action", "ReceiveMessage")
        try:
            messages = self._peek(action, form, caller)
        except AwsError as exc:
            return self._error(exc, request, caller)
        if target:
            return self._json.write(self._operation, {"Messages": messages}, caller.request_id)
        if "application/json" in request.header(b"accept"):
            return document({"ReceiveMessageResponse": {"ReceiveMessageResult": {"Message": _as_xml_lists(messages)}}})
        return self._query.write(self._operation, {"Messages": messages}, caller.request_id)

    def _error(self, error: AwsError, request: Request, caller: Caller) -> Response:
        spec = self._sqs.api.error_spec(error.code)
        if request.header(b"x-amz-target") or "application/json" in request.header(b"accept"):
            detail = {"Code": spec.query_code, "Message": error.message, "Type": spec.fault}
            content = {"ErrorResponse": {"Error": detail}, "__type": error.code, "message": error.message}
            return Response(spec.status, JSON_HEADERS, json.dumps(content).encode())
        return self._query.write_error(error, caller.request_id)

    def _peek(self, action: str, form: Params, caller: Caller) -> list[Params]:
        if action != "ReceiveMessage":
            raise AwsError("InvalidRequest", "This endpoint only accepts ReceiveMessage calls")
        url = form.get("QueueUrl")
        if not url or not isinstance(url, str):
            raise does_not_exist()
        queue = self._sqs.queues.by_url(url, caller).queue
        containing, limit = str(form.get("Containing", "")), _limit(form.get("Limit"))
        hidden = {State.IN_FLIGHT: "ShowInvisible", State.DELAYED: "ShowDelayed"}
        found = (
            _described(message)
            for message in queue.peek()
            if containing in message.body
            and (message.state is State.VISIBLE or str(form.get(hidden[message.state], "")).lower() in {"1", "true"})
        )
        return list(itertools.islice(found, limit))


def _described(message: Message) -> Params:
    attributes = {"ApproximateFirstReceiveTimestamp": "0", **system_attributes(message)}
    attributes["IsVisible"] = str(message.state is not State.IN_FLIGHT).lower()
    attributes["IsDelayed"] = str(message.state is State.DELAYED).lower()
    described: Params = {"MessageId": message.message_id, "ReceiptHandle": "SQS/BACKDOOR/ACCESS", "Body": message.body}
    described |= {"MD5OfBody": message.body_md5, "Attributes": attributes}
    return described | ({"MessageAttributes": message.attributes} if message.attributes else {})


def _limit(given: object) -> int | None:
    if given is None:
        return None
    text = str(given)
    if not re.fullmatch("[0-9]{1,9}", text):
        raise AwsError("InvalidParameterValueException", f"Invalid Limit {text[:40]!r}: expected a whole number.")
    return int(text)


def _as_xml_lists(messages: list[Params]) -> list[Params]:
    """Turn attribute maps into lists of names and values, as in a JSON rendering of the XML."""
    return [
        {name: value for name, value in message.items() if not name.endswith("Attributes")}
        | {"Attribute": [{"Name": name, "Value": value} for name, value in message["Attributes"].items()]}
        | {"MessageAttribute": [{"Name": n, "Value": v} for n, v in message.get("MessageAttributes", {}).items()]}
        for message in messages
    ]


def _input(request: Request) -> Params:
    given = read_request(request.body)
    return given if isinstance(given, dict) else {}
