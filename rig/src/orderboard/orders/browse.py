"""Reads the messages of a queue through the developer API of a local backend, without receiving them.

It does not count as a receive, hides nothing and keeps the order. SQS itself has no such call.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from orderboard_stack.backend import BackendName, Endpoint

from orderboard.orders.queues import Message

_PATHS: Final[dict[BackendName, str]] = {
    "embedded": "/_aws/sqs/messages",
    "ministack": "/_ministack/sqs/messages",
    "localstack": "/_aws/sqs/messages",
}
_TIMEOUT_S: Final = 10.0


class BrowseUnavailableError(Exception):
    """The backend cannot show messages without receiving them, or failed to; the message says which."""


@dataclass(frozen=True)
class StoredMessage:
    """A message in its queue. None: the backend does not report it."""

    message_id: str
    body: str
    sent_at_s: float | None
    receive_count: int | None
    visible: bool | None
    attributes: Mapping[str, str]
    delayed: bool | None = None

    def document(self) -> dict[str, object]:
        """As JSON: the body decoded if it is JSON, else as text."""
        try:
            decoded = json.loads(self.body)
            json.dumps(decoded)  # one that is nested too deep stays text
        except (ValueError, RecursionError):
            decoded = None
        return {
            "message_id": self.message_id,
            "body": self.body if decoded is None else decoded,
            "is_json": decoded is not None,
            "sent_at_s": self.sent_at_s,
            "receive_count": self.receive_count,
            "visible": self.visible,
            "delayed": self.delayed,
            "attributes": dict(self.attributes),
        }

    def to_message(self) -> Message:
        """The same message without its state in the queue and without a receipt handle."""
        return Message(self.message_id, self.body, "", self.receive_count or 0, self.attributes)


def browse(
    endpoint: Endpoint, queue_url: str, containing: str = "", *, limit: int | None = None
) -> list[StoredMessage]:
    """The messages of a queue whose body contains this text, in the queue's order. Raises BrowseUnavailableError."""
    path = _PATHS.get(endpoint.name)
    if path is None or endpoint.endpoint_url is None:
        raise BrowseUnavailableError(
            "AWS has no call that reads a queue without receiving. Receiving would hide the messages and count "
            "towards maxReceiveCount."
        )
    # LocalStack leaves out messages in flight and delayed ones unless asked.
    # Only localbus knows Containing and Limit, and then need not send a long queue for one order, or one page.
    query = {"QueueUrl": queue_url, "ShowInvisible": "true", "ShowDelayed": "true"}
    query |= {"Containing": containing} if containing else {}
    query |= {"Limit": str(limit)} if limit is not None else {}
    try:
        response = httpx.get(
            f"{endpoint.endpoint_url.rstrip('/')}{path}?{urlencode(query)}",
            headers={"Accept": "application/json"},
            timeout=_TIMEOUT_S,
            trust_env=False,
            verify=endpoint.endpoint_url.startswith("https:"),  # certificates take 20 ms to load
        )
        response.raise_for_status()
        return [each for each in parse(response.json()) if containing in each.body][:limit]
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise BrowseUnavailableError(f"The backend did not return its messages: {exc or type(exc).__name__}") from exc


def parse(document: Mapping[str, Any]) -> list[StoredMessage]:
    """Parse the answer of MiniStack, or of LocalStack and localbus, which share one form."""
    if "messages" in document:
        regions = (region for account in document["messages"].values() for region in account.values())
        return [_ministack(each) for region in regions for queue in region.values() for each in queue]
    result = document["ReceiveMessageResponse"]["ReceiveMessageResult"] or {}
    messages = result.get("Message") or []
    return [_localstack(each) for each in (messages if isinstance(messages, list) else [messages])]


def _ministack(message: Mapping[str, Any]) -> StoredMessage:
    attributes = message.get("MessageAttributes") or {}
    sent = (message.get("Attributes") or {}).get("SentTimestamp")
    return StoredMessage(
        message_id=message["MessageId"],
        body=message["Body"],
        sent_at_s=float(message["SentTimestamp"]) if sent is None else float(sent) / 1000,
        receive_count=int(message["ReceiveCount"]),
        visible=bool(message["IsVisible"]),
        attributes={name: _value(value) for name, value in attributes.items()},
    )


def _localstack(message: Mapping[str, Any]) -> StoredMessage:
    system = _pairs(message.get("Attribute"))
    return StoredMessage(
        message_id=message["MessageId"],
        body=message["Body"],
        sent_at_s=float(system["SentTimestamp"]) / 1000 if "SentTimestamp" in system else None,
        receive_count=int(system["ApproximateReceiveCount"]) if "ApproximateReceiveCount" in system else None,
        visible=_flag(system.get("IsVisible")),
        attributes=_pairs(message.get("MessageAttribute")),
        delayed=_flag(system.get("IsDelayed")),
    )


def _flag(text: str | None) -> bool | None:
    return None if text is None else text.lower() == "true"


def _pairs(listed: object) -> dict[str, str]:
    """Name and value pairs. In XML converted to JSON, a list of one element is the element itself."""
    elements = listed if isinstance(listed, list) else [listed] if isinstance(listed, dict) else []
    found = {}
    for each in elements:
        value = each.get("Value")
        found[str(each["Name"])] = _value(value) if isinstance(value, dict) else str(value)
    return found


def _value(attribute: Mapping[str, Any]) -> str:
    """The value of a message attribute; of a binary one, its base64."""
    return str(attribute.get("StringValue") or attribute.get("BinaryValue") or "")
