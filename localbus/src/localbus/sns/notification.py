"""A message that was published to a topic, and the forms in which subscribers get it.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from localbus.event_pattern.pattern import Fields
from localbus.sns.filter_policy import Scope
from localbus.sns.message_fields import Unsound, attribute_fields, body_fields
from localbus.sns.signature import Signer, digest
from localbus.sqs.message import Attribute
from localbus.sqs.message_attributes import Content
from localbus.storage.documents import Document

_quote = json.JSONEncoder(ensure_ascii=False).encode
_DEFAULT = "default"
_STORED = (
    *("topic_arn", "message_id", "at", "texts", "subject", "attributes", "filterable", "group_id", "deduplication_id"),
    *("sequence_number", "signature_version", "base_url", "trace_header"),
)


@dataclass(eq=False)
class Notification:
    """One published message: its texts by protocol. What is the same for all subscriptions is computed once.

    Filter policies look at the `filterable` attributes; `attributes` are those that are sent.
    """

    topic_arn: str
    message_id: str
    at: float
    texts: Mapping[str, str]
    subject: str | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    filterable: Mapping[str, Attribute] = field(default_factory=dict)
    group_id: str | None = None
    deduplication_id: str | None = None
    sequence_number: str | None = None
    signature_version: str = "1"
    base_url: str = ""
    trace_header: str = ""
    _body_fields: dict[str, Fields | Unsound] = field(default_factory=dict)
    _raw_contents: dict[str, Content] = field(default_factory=dict)
    _envelopes: dict[tuple[str, bool, bool], tuple[str, str]] = field(default_factory=dict)

    def document(self) -> Document:
        """Return the message for the storage, without what is empty or usual."""
        values = {name: getattr(self, name) for name in _STORED}
        if self.filterable == self.attributes:
            del values["filterable"]
        if self.signature_version == "1":
            del values["signature_version"]
        return {name: value for name, value in values.items() if value}

    @classmethod
    def restored(cls, document: Document) -> Notification:
        """Return a message from the storage."""
        return cls(**{"filterable": document.get("attributes", {}), **document})

    def message_for(self, protocol: str) -> str:
        """Return the text for this protocol, or the default."""
        return self.texts.get(protocol, self.texts[_DEFAULT])

    @cached_property
    def _attribute_fields(self) -> Fields | Unsound:
        return attribute_fields(self.filterable)

    def raw_content(self, protocol: str) -> Content:
        """Return a queue message for raw delivery. Raises AwsError, since a queue accepts less than a topic."""
        text = self.message_for(protocol)
        content = self._raw_contents.get(text)
        if content is None:
            content = self._raw_contents[text] = Content(text, self.attributes)
        return content

    def fields_for(self, scope: Scope, protocol: str) -> Fields | Unsound:
        """Return the fields that a filter policy of this scope looks at, for a subscription by this protocol."""
        if scope == "MessageAttributes":
            return self._attribute_fields
        text = self.message_for(protocol)
        if text not in self._body_fields:
            self._body_fields[text] = body_fields(text)
        return self._body_fields[text]

    def envelope(
        self, subscription_arn: str, protocol: str, *, replayed: bool = False, signer: Signer | None = None
    ) -> str:
        """Return the JSON for a subscriber without raw delivery, formatted as AWS does."""
        text = self.message_for(protocol)
        key = (text, replayed, signer is not None)
        parts = self._envelopes.get(key)
        if parts is None:
            parts = self._envelopes[key] = self._around_link(text, replayed, signer)
        return f"{parts[0]}{_quote(self.unsubscribe_url(subscription_arn))}{parts[1]}"

    def _around_link(self, text: str, replayed: bool, signer: Signer | None) -> tuple[str, str]:
        """Return the envelope before and after the one value that differs between subscriptions."""
        document: dict[str, Any] = self._head(text, signer)
        if replayed:
            document["Replayed"] = True
        head = f'{{\n{_lines(document)},\n  "UnsubscribeURL" : '
        if not self.attributes:
            return head, "\n}"
        pairs = (f"    {_quote(name)} : {_compact(value)}" for name, value in self._described_attributes().items())
        return head, ',\n  "MessageAttributes" : {\n' + ",\n".join(pairs) + "\n  }\n}"

    def _head(self, text: str, signer: Signer | None) -> dict[str, str]:
        """Return the members up to the signature; a message of a FIFO topic has a number and is not signed."""
        document = {"Type": "Notification", "MessageId": self.message_id}
        if self.sequence_number is not None:
            document["SequenceNumber"] = self.sequence_number
        document["TopicArn"] = self.topic_arn
        if self.subject is not None:
            document["Subject"] = self.subject
        document |= {"Message": text, "Timestamp": timestamp(self.at)}
        if self.sequence_number is not None:
            return document
        if signer is None:
            return document | digest(document, self.signature_version)
        return document | signer.sign(document, self.signature_version, self.base_url)

    def function_event(self, subscription_arn: str, *, signer: Signer | None = None) -> str:
        """Return the event for a Lambda function, as JSON.

        Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
        """
        head: dict[str, Any] = self._head(self.message_for("lambda"), signer)
        head["SigningCertUrl"] = head.pop("SigningCertURL")
        head |= {
            "SignatureVersion": "1",  # also where the topic's version, by which it is signed, is 2 (recorded)
            "Subject": self.subject,
            "UnsubscribeUrl": self.unsubscribe_url(subscription_arn),
            "MessageAttributes": self._described_attributes(),
        }
        record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription_arn}
        return _compact({"Records": [{**record, "Sns": head}]})

    def unsubscribe_url(self, subscription_arn: str) -> str:
        """Return the URL that ends a subscription."""
        return f"{self.base_url}/?Action=Unsubscribe&SubscriptionArn={subscription_arn}"

    def _described_attributes(self) -> dict[str, dict[str, str]]:
        return {name: {"Type": one["DataType"], "Value": _text(one)} for name, one in self.attributes.items()}


def timestamp(seconds: float) -> str:
    """Return a time in seconds since 1970 as messages have it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def confirmation(kind: str, topic_arn: str, subscription_arn: str, token: str, **given: Any) -> dict[str, str]:
    """Return an unsigned SubscriptionConfirmation or UnsubscribeConfirmation.

    `given` has message_id, at and base_url.
    """
    if kind == "SubscriptionConfirmation":
        text = f"You have chosen to subscribe to the topic {topic_arn}.\nTo confirm the subscription"
    else:
        text = f"You have chosen to deactivate subscription {subscription_arn}.\n"
        text += "To cancel this operation and restore the subscription"
    return {
        "Type": kind,
        "MessageId": given["message_id"],
        "Token": token,
        "TopicArn": topic_arn,
        "Message": f"{text}, visit the SubscribeURL included in this message.",
        "SubscribeURL": f"{given['base_url']}/?Action=ConfirmSubscription&TopicArn={topic_arn}&Token={token}",
        "Timestamp": timestamp(given["at"]),
    }


def formatted(document: Mapping[str, str]) -> str:
    """Return a document of texts as JSON, formatted as AWS does."""
    return f"{{\n{_lines(document)}\n}}"


def _lines(document: Mapping[str, Any]) -> str:
    return ",\n".join(f'  "{name}" : {_quote(value)}' for name, value in document.items())


def _text(attribute: Attribute) -> str:
    if attribute["DataType"].startswith("Binary"):
        return base64.b64encode(attribute["BinaryValue"]).decode()
    text: str = attribute["StringValue"]
    return text


def _compact(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
