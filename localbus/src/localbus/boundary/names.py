"""Names of queues, topics and buses, as ARNs and queue URLs in the configuration of another service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from localbus.protocol.service import Caller

Kind = Literal["sqs", "sns", "events"]
KINDS: tuple[Kind, ...] = ("sqs", "sns", "events")

_ARN = re.compile(
    r"arn:aws[a-z-]*:(?:(sqs|sns):([a-z0-9-]+):([0-9]{12}):([A-Za-z0-9_-]+(?:\.fifo)?)(?![A-Za-z0-9_.:-])"
    r"|events:([a-z0-9-]+):([0-9]{12}):event-bus/([A-Za-z0-9_./-]+))"
)
_QUEUE_URL = re.compile(
    r"https?://(?:sqs\.([a-z0-9-]+)\.)?[^/\s\"'\\]+/(?:queue/([a-z0-9-]+)/)?([0-9]{12})/([A-Za-z0-9_-]{1,80}(?:\.fifo)?)"
)


class Name(NamedTuple):
    """A queue, a topic or a bus."""

    kind: Kind
    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        """The ARN."""
        return f"{self.scope}event-bus/{self.name}" if self.kind == "events" else f"{self.scope}{self.name}"

    @property
    def scope(self) -> str:
        """The ARN up to the name."""
        return f"arn:aws:{self.kind}:{self.region}:{self.account}:"

    @property
    def is_fifo(self) -> bool:
        """True for a FIFO queue or topic."""
        return self.kind != "events" and self.name.endswith(".fifo")


def names_in(text: str, caller: Caller) -> Iterator[Name]:
    """Yield the queues, topics and buses of which the text has an ARN or a queue URL."""
    for found in _ARN.finditer(text):
        kind, region, account, name, bus_region, bus_account, bus = found.groups()
        if kind is None:
            yield Name("events", bus_account, bus_region, bus)
        else:
            yield Name("sqs" if kind == "sqs" else "sns", account, region, name)
    for found in _QUEUE_URL.finditer(text):
        host_region, path_region, account, name = found.groups()
        yield Name("sqs", account, host_region or path_region or caller.region, name)


def name_of(arn: str) -> Name:
    """Return the name of an ARN that this engine has made."""
    return next(names_in(arn, Caller()))
