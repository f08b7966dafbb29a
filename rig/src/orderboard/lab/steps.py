"""The steps of an experiment, as data: `lab run` takes them, and the programs are generated from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from orderboard.lab.values import Variable

Holds = Literal["is", "is one of", "at least", "at most", "in any order", "contains", "is not"]


@dataclass(frozen=True)
class Party:
    """Someone who makes calls: "you" for the set-up, "producer", "consumer A"."""

    name: str


@dataclass(frozen=True)
class Kept:
    """A value of a response that later steps use: where it is (JMESPath), and the variable that holds it."""

    path: str
    variable: Variable


@dataclass
class Call:
    """A call of AWS's API. operation is in snake case, as boto3 has it.

    fails: the call may be rejected; `error` then holds the error's code, else an empty text.
    """

    party: Party
    service: str
    operation: str
    parameters: dict[str, Any]
    keeps: list[Kept] = field(default_factory=list)
    error: Variable | None = None


@dataclass(frozen=True)
class Say:
    """A sentence for the reader: the next steps, or what was just seen."""

    text: str


@dataclass(frozen=True)
class Wait:
    """Let seconds pass: a clock that can be turned is turned."""

    seconds: float
    why: str


@dataclass(frozen=True)
class Settle:
    """Wait on AWS, where a change takes seconds to reach all of it; an engine of this machine applies it at once."""

    seconds: float
    why: str


@dataclass(frozen=True)
class Check:
    """A part of the claim: what is expected of a value."""

    text: str
    found: Variable
    holds: Holds
    expected: str | int | list[str]


@dataclass
class Each:
    """Steps that are repeated for each item, which is the value of `variable` in them."""

    variable: Variable
    items: list[str]
    steps: list[Step] = field(default_factory=list)


@dataclass
class Remove:
    """A call for the end: it removes what the step before made. The last one is made first."""

    call: Call


@dataclass
class Start:
    """A call that goes on while the next steps are taken, until its `Finish`."""

    call: Call


@dataclass
class Finish:
    """Wait for the end of a call that was started; what it keeps is known from here on."""

    call: Call


@dataclass
class Until:
    """Repeat a call until the value that it keeps holds; give up, with the last value, after `within_s` real seconds.

    The call keeps one value, which is compared as in `Check`.
    """

    call: Call
    holds: Holds
    expected: str | int | list[str]
    within_s: float


@dataclass
class ReceiveAll:
    """Receive from a queue, and delete what came unless `delete` is false, until `count` messages came or none comes
    for `idle_s` real seconds.

    `bodies` holds the bodies in the order in which they came, of every receive.
    """

    party: Party
    queue_url: Variable
    bodies: Variable
    count: int
    idle_s: int
    delete: bool
    path: str = "Body"


@dataclass
class Engine:
    """A setting of localbus that AWS does not have: delivery faults (disorder) or API faults (faults).

    Elsewhere the experiment cannot run. `document` is the body of the request; None ends the setting.
    At the end it is as it was before the experiment.
    """

    kind: Literal["disorder", "faults"]
    document: Mapping[Any, Any] | None
    why: str


@dataclass
class Serve:
    """An HTTP endpoint of this machine, which answers with the statuses in turn, the last one for ever.

    `url` holds its address. It keeps what it got for `Requests`.
    """

    party: Party
    url: Variable
    statuses: list[int]


@dataclass
class Requests:
    """Wait until an endpoint got `count` requests, at most `within_s` real seconds.

    `found` holds what `path` (JMESPath) finds in each request, or, if it is not a list, in the last of the `count`.
    A request is {"headers": {lower-case name: value}, "body": text, "json": the body as JSON or null}.
    """

    server: Serve
    found: Variable
    path: str
    count: int
    within_s: float


Step = (
    Call | Say | Settle | Wait | Check | Each | Remove | Start | Finish | Until | ReceiveAll | Engine | Serve | Requests
)
