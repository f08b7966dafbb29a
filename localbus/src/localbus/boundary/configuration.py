"""The configuration of a sender: a service of the upstream that sends to queues, topics or buses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from localbus.boundary.names import Kind, Name
from localbus.errors import AwsError
from localbus.resource_policy import Principal
from localbus.storage.documents import Document


@dataclass(frozen=True)
class Sender:
    """A sender: its service and its ARN, as far as its configuration has one.

    A sender with `may_precede_target` is accepted before its target exists. `details` is what its messages need: for a
    schedule its target, for a function the queue or topic that is its dead-letter target.
    """

    service: str
    arn: str = ""
    may_precede_target: bool = False
    details: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def key(self) -> tuple[str, str]:
        """The service and the ARN, by which a later configuration replaces this one."""
        return self.service, self.arn

    def document(self) -> Document:
        """Return the sender for the storage."""
        return asdict(self)

    def principal(self, arn: str, account: str) -> Principal:
        """Return the principal that sends: the service for S3 and SES, else a role of the account."""
        if self.service not in _SERVICE_PRINCIPALS:
            return Principal(account=account)
        context = {"aws:SourceArn": arn, "aws:SourceAccount": account}
        if self.service != "s3":  # a topic's default policy allows its owner's e-mail, and not S3
            context["aws:SourceOwner"] = account
        return Principal(service=_SERVICE_PRINCIPALS[self.service], context=context)


_SERVICE_PRINCIPALS = {"s3": "s3.amazonaws.com", "ses": "ses.amazonaws.com"}


@dataclass
class Configuration:
    """The targets of one sender. `all_of` has the kinds of which any may be a target, known only when it runs.

    `functions` has the ARNs of functions of the upstream that are targets too.
    """

    sender: Sender
    targets: set[Name] = field(default_factory=set)
    all_of: set[Kind] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)


def not_sent(what: str, instead: str = "") -> AwsError:
    """Return the error for a configuration that the upstream accepts and never acts on."""
    way_out = instead or "A backend that has it: real AWS (--backend aws)."
    return AwsError("NotImplemented", f"{what} is not implemented: the message would be lost. {way_out}")


def not_reached(what: str) -> AwsError:
    """Return the error for a configuration by which the upstream would use tables, of which it has none."""
    text = f"{what} is not implemented: tables are localbus's, and the upstream does not reach them."
    return AwsError("NotImplemented", f"{text} Use the table from a function, or a backend that has both.")


def read_object(text: bytes | str) -> dict[str, Any]:
    """Return a JSON object; an empty one for what the upstream will reject."""
    try:
        return as_object(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def as_object(value: object) -> dict[str, Any]:
    """Return an object of JSON; an empty one for any other value, which the upstream will reject."""
    return value if isinstance(value, dict) else {}


def as_objects(value: object) -> list[dict[str, Any]]:
    """Return the objects in a list of JSON; none for any other value."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
