"""Looks into a queue without receiving: by the endpoint that local backends have for it. SQS itself has none.

Nothing here counts as a receive, hides a message or changes its place.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from orderboard_stack.backend import BackendName, Endpoint

_PATHS: Final[dict[BackendName, str]] = {
    "embedded": "/_aws/sqs/messages",
    "ministack": "/_ministack/sqs/messages",
    "localstack": "/_aws/sqs/messages",
}
_TIMEOUT_S: Final = 10.0


class CannotPeekError(Exception):
    """This backend has no way to look without receiving, or it failed; the message says which."""


@dataclass(frozen=True)
class Peeked:
    """A message where it lies. What the backend does not tell is None."""

    message_id: str
    body: str
    sent_at_s: float | None
    receive_count: int | None
    visible: bool | None
    attributes: Mapping[str, str]

    def document(self) -> dict[str, object]:
        """For the page: the body decoded where it is JSON, as text where it is not."""
        try:
            decoded = json.loads(self.body)
            json.dumps(decoded)  # what is nested too deep is shown as it came
        except (ValueError, RecursionError):
            decoded = None
        return {
            "message_id": self.message_id,
            "body": self.body if decoded is None else decoded,
            "is_json": decoded is not None,
            "sent_at_s": self.sent_at_s,
            "receive_count": self.receive_count,
            "visible": self.visible,
            "attributes": dict(self.attributes),
        }


def peek(endpoint: Endpoint, queue_url: str, containing: str = "") -> list[Peeked]:
    """What is in the queue and has this text in it, in the queue's order; raise CannotPeekError if not shown."""
    path = _PATHS.get(endpoint.name)
    if path is None or endpoint.endpoint_url is None:
        raise CannotPeekError(
            "AWS has no call that looks into a queue without receiving. Receiving would hide the messages and count "
            "towards maxReceiveCount."
        )
    # LocalStack leaves out what is in flight or delayed unless asked.
    # Only localbus knows Containing, and need not write a long queue down for one order.
    asked = {"QueueUrl": queue_url, "ShowInvisible": "true", "ShowDelayed": "true"}
    query = urlencode(asked | ({"Containing": containing} if containing else {}))
    try:
        answer = httpx.get(
            f"{endpoint.endpoint_url.rstrip('/')}{path}?{query}",
            headers={"Accept": "application/json"},
            timeout=_TIMEOUT_S,
            trust_env=False,
        )
        answer.raise_for_status()
        return [each for each in parse(answer.json()) if containing in each.body]
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise CannotPeekError(f"The backend did not show its messages: {exc or type(exc).__name__}") from exc


def parse(document: Mapping[str, Any]) -> list[Peeked]:
    """Read what MiniStack answers, or LocalStack and localbus, which have one form."""
    if "messages" in document:
        regions = (region for account in document["messages"].values() for region in account.values())
        return [_ministack(each) for region in regions for queue in region.values() for each in queue]
    result = document["ReceiveMessageResponse"]["ReceiveMessageResult"] or {}
    messages = result.get("Message") or []
    return [_localstack(each) for each in (messages if isinstance(messages, list) else [messages])]


def _ministack(message: Mapping[str, Any]) -> Peeked:
    attributes = message.get("MessageAttributes") or {}
    sent = (message.get("Attributes") or {}).get("SentTimestamp")
    return Peeked(
        message_id=message["MessageId"],
        body=message["Body"],
        sent_at_s=float(message["SentTimestamp"]) if sent is None else float(sent) / 1000,
        receive_count=int(message["ReceiveCount"]),
        visible=bool(message["IsVisible"]),
        attributes={name: str(value.get("StringValue", "")) for name, value in attributes.items()},
    )


def _localstack(message: Mapping[str, Any]) -> Peeked:
    system = _pairs(message.get("Attribute"))
    invisible = system.get("IsVisible")
    return Peeked(
        message_id=message["MessageId"],
        body=message["Body"],
        sent_at_s=float(system["SentTimestamp"]) / 1000 if "SentTimestamp" in system else None,
        receive_count=int(system["ApproximateReceiveCount"]) if "ApproximateReceiveCount" in system else None,
        visible=None if invisible is None else str(invisible).lower() == "true",
        attributes=_pairs(message.get("MessageAttribute")),
    )


def _pairs(listed: object) -> dict[str, str]:
    """XML turned JSON: one element is no list."""
    elements = listed if isinstance(listed, list) else [listed] if isinstance(listed, dict) else []
    found = {}
    for each in elements:
        value = each.get("Value")
        found[str(each["Name"])] = str(value.get("StringValue", "")) if isinstance(value, dict) else str(value)
    return found
