"""The messages that services send: which of several senders sent one, and the forms that AWS gives to some.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html and
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from localbus.boundary.configuration import Sender, read_object
from localbus.boundary.names import Name
from localbus.protocol.service_model import Params

_BUCKET = re.compile(r"arn:aws[a-z-]*:s3:::[a-z0-9.-]+")
_SERVICE_OF_SOURCE: Final = re.compile(r"aws\.([a-z0-9-]+)")


@dataclass(frozen=True)
class Sent:
    """The sender of a message, as far as it can be known, and its ARN and account."""

    sender: Sender
    arn: str
    account: str

    def is_dead_letter_of(self, target_arn: str) -> bool:
        """Return whether a function sent it to its dead-letter target, not to a destination."""
        return self.sender.service == "lambda" and self.sender.details.get("dead_letter") == target_arn


def identify(body: str, senders: Collection[Sender], target: Name) -> Sent:
    """Return the sender: the only one, or the one of which the message has the form or the ARN; else the last one."""
    message = read_object(body)
    if target.kind == "sns":
        message = read_object(str(message.get("Message", "")))
    if target.kind == "events":
        source = _SERVICE_OF_SOURCE.fullmatch(str(message.get("source", "")))
        if source and source[1] != "scheduler":
            resources = message.get("resources") or [""]
            return Sent(Sender(source[1]), str(resources[0]), target.account)
    candidates = list(senders)[::-1] or [Sender("unknown")]
    for sender in candidates:
        arn = _RECOGNISED[sender.service](message, target) if sender.service in _RECOGNISED else ""
        if arn:
            exact = next((one for one in candidates if one.arn == arn), sender)
            return Sent(exact, arn, target.account)
    named = [one for one in candidates if one.arn and one.arn in body]
    unknown = [one for one in candidates if one.service not in _RECOGNISED]
    sender = (named or unknown or candidates)[0]
    return Sent(sender, sender.arn, target.account)


def _bucket_arn(message: Mapping[str, Any], _target: Name) -> str:
    if message.get("Event") == "s3:TestEvent":
        return f"arn:aws:s3:::{message.get('Bucket', '')}"
    records = message.get("Records")
    if not isinstance(records, list) or not records or not isinstance(records[0], dict):
        return ""
    found = _BUCKET.search(json.dumps(records[0].get("s3", "")))
    return found[0] if found and records[0].get("eventSource") == "aws:s3" else ""


def _function_arn(message: Mapping[str, Any], _target: Name) -> str:
    context = message.get("requestContext")
    return str(context.get("functionArn") or "") if isinstance(context, dict) else ""


def _identity_arn(message: Mapping[str, Any], target: Name) -> str:
    mail = message.get("mail")
    if not isinstance(mail, dict) or "notificationType" not in message:
        return ""
    return str(mail.get("sourceArn") or f"arn:aws:ses:{target.region}:{target.account}:identity/{mail.get('source')}")


_RECOGNISED: Final[Mapping[str, Callable[[Mapping[str, Any], Name], str]]] = {
    "lambda": _function_arn,
    "s3": _bucket_arn,
    "ses": _identity_arn,
}


def as_dead_letter(body: str) -> tuple[str, Params]:
    """Return body and attributes of a function's dead letter: the event of the invocation, and the error."""
    record = read_object(body)
    context, answer = record.get("requestContext") or {}, record.get("responsePayload") or {}
    error = answer.get("errorMessage", "") if isinstance(answer, dict) else ""
    known = {"RequestID": context.get("requestId", ""), "ErrorCode": "200", "ErrorMessage": str(error)[:1024]}
    types = {"ErrorCode": "Number"}
    attributes = {
        name: {"DataType": types.get(name, "String"), "StringValue": text} for name, text in known.items() if text
    }
    return json.dumps(record.get("requestPayload")), attributes


def with_context(text: str, sent: Sent, message: Params) -> str:
    """Return a text of a schedule with the values of its context attributes. The time of a rate is that of its run.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
    """
    if sent.sender.service != "scheduler" or "<aws.scheduler." not in text:
        return text
    ran = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    values = {
        "schedule-arn": sent.arn,
        "scheduled-time": f"{sent.sender.details.get('ScheduledTime', f'{ran:%Y-%m-%dT%H:%M:00}')}Z",
        "execution-id": message["MessageId"],
        "attempt-number": "1",
    }
    for name, value in values.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def scheduled_event(document: dict[str, Any], sender: Sender) -> dict[str, Any]:
    """Return the event of a schedule with the source and detail type of its target; any other one unchanged."""
    parameters = sender.details.get("EventBridgeParameters")
    if sender.service != "scheduler" or not isinstance(parameters, dict):
        return document
    given = {"detail-type": parameters.get("DetailType", ""), "source": parameters.get("Source", "")}
    return document | given
