"""Queues, topics and buses by any name that people use: a stack's logical name, their own name, URL or ARN."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, Literal, Self

from botocore.exceptions import ClientError
from orderboard_stack.backend import BackendName, Endpoint

from orderboard.errors import UsageError
from orderboard.system.connect import DEFAULT_STACK, connect_backend
from orderboard.system.target import Connection, NoStackError, Target, target

Kind = Literal["queue", "topic", "bus"]

_TYPES: Final[Mapping[Kind, str]] = {
    "queue": "AWS::SQS::Queue",
    "topic": "AWS::SNS::Topic",
    "bus": "AWS::Events::EventBus",
}
_PLURALS: Final[Mapping[Kind, str]] = {"queue": "queues", "topic": "topics", "bus": "buses"}
_WORD_START: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# The codes of "no such thing" and of names that nothing can have, in the protocols of the three services.
_UNKNOWN: Final = re.compile("NonExistentQueue|QueueDoesNotExist|NotFound|InvalidAddress|InvalidParameter|Validation")
_LISTED: Final = 12


@dataclass(frozen=True)
class Resource:
    """A queue, topic or bus. address: as its actions take it, which is a queue's URL, a topic's ARN or a bus's ARN."""

    connection: Connection
    kind: Kind
    name: str
    address: str
    arn: str


@dataclass(frozen=True)
class Account:
    """An account by its names. stack_name: the stack whose logical names count, if there is one; api_url: if known."""

    connection: Connection
    stack_name: str = DEFAULT_STACK
    api_url: str | None = None

    @classmethod
    def connect(cls, backend: BackendName | None, endpoint_url: str | None, stack_name: str | None) -> Self:
        """Of the backend that the options name, else of the system that `up` started; RigError without any."""
        connection, state = connect_backend(backend, endpoint_url)
        if state is None:
            return cls(connection, stack_name or DEFAULT_STACK)
        return cls(connection, stack_name or state.stack_name, state.api_url)

    @property
    def endpoint(self) -> Endpoint:
        """The backend."""
        return self.connection.endpoint

    def system(self) -> Target | None:
        """Return the system on the backend; None without a stack, or if it is not Order Board's."""
        try:
            return target(self.endpoint, self.stack_name, self.api_url)
        except NoStackError:
            return None

    def queue(self, typed: str) -> Resource:
        """Find a queue; raise UsageError with the near names if there is none."""
        return self._find("queue", typed)

    def topic(self, typed: str) -> Resource:
        """Find a topic; raise UsageError with the near names if there is none."""
        return self._find("topic", typed)

    def bus(self, typed: str) -> Resource:
        """Find an event bus; raise UsageError with the near names if there is none."""
        return self._find("bus", typed)

    def default_bus(self) -> Resource:
        """Return the stack's only bus; without a stack the account's bus named default."""
        buses = list(dict.fromkeys(self._logical("bus").values()))
        return self.bus(buses[0] if len(buses) == 1 else "default")

    def _find(self, kind: Kind, typed: str) -> Resource:
        text = typed.strip()
        if text.startswith("arn:") or "://" in text:
            found = _at_address(self.connection, kind, text)
        else:
            real = self._logical(kind).get(text.casefold())
            named = [_READERS[kind](self.connection, name, None) for name in dict.fromkeys((text, real)) if name]
            existing = [each for each in named if each is not None]
            if len(existing) > 1:
                one, other = existing
                raise UsageError(
                    f"{text!r} is a {kind} and the stack's name of {other.name}. Give {other.name}, or {one.address}."
                )
            found = existing[0] if existing else None
        if found is None:
            raise UsageError(self._unknown(kind, text))
        return found

    def _logical(self, kind: Kind) -> dict[str, str]:
        """Return the real names of the stack's resources by logical name in lower case: workqueue, work-queue, work."""
        found = {}
        for logical_id, resource_type, physical_id in self._stack_resources:
            if resource_type == _TYPES[kind]:
                short = _short(logical_id, kind)
                for name in (logical_id.lower(), f"{short}-{kind}", short):
                    found[name] = _last_part(physical_id)
        return found

    @cached_property
    def _stack_resources(self) -> list[tuple[str, str, str]]:
        client = self.connection.cloudformation
        try:
            pages = list(client.get_paginator("list_stack_resources").paginate(StackName=self.stack_name))
        except ClientError:  # there is no such stack, or it may not be read
            return []
        every = (each for page in pages for each in page["StackResourceSummaries"])
        return [(each["LogicalResourceId"], each["ResourceType"], each.get("PhysicalResourceId", "")) for each in every]

    def _unknown(self, kind: Kind, text: str) -> str:
        names = sorted(_LISTERS[kind](self.connection))
        short = [_short(each[0], kind) for each in self._stack_resources if each[1] == _TYPES[kind]]
        wanted = _last_part(text).casefold()
        by_lower = {name.casefold(): name for name in (*short, *names)}
        near = [by_lower[each] for each in difflib.get_close_matches(wanted, by_lower, n=3)]
        if near:
            return f"Unknown {kind} {text!r}. Did you mean {' or '.join(near)}?"
        if not names:
            return f"Unknown {kind} {text!r}. The account has no {_PLURALS[kind]}."
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        return f"Unknown {kind} {text!r}. The account's {_PLURALS[kind]} are {', '.join(names[:_LISTED])}{more}."


def _short(logical_id: str, kind: Kind) -> str:
    """Return the short form of a logical name, such as work of WorkQueue and work-dlq of WorkDlq."""
    return _WORD_START.sub("-", logical_id).lower().removesuffix(f"-{kind}")


def _at_address(connection: Connection, kind: Kind, text: str) -> Resource | None:
    """Find what has this URL or ARN. An ARN's region counts; of a URL only the account and the name: hosts differ."""
    if "://" in text:
        account, _, name = text.rstrip("/").partition("://")[2].rpartition("/")
        return _queue(connection, name, account.rpartition("/")[2] or None) if kind == "queue" else None
    parts = text.split(":")
    if len(parts) < 6:
        return None
    if parts[3] != connection.endpoint.region:
        connection = Connection(replace(connection.endpoint, region=parts[3]))
    return _READERS[kind](connection, text if kind != "queue" else parts[5], parts[4])


def _queue(connection: Connection, name: str, account: str | None) -> Resource | None:
    owner: dict[str, Any] = {} if account is None else {"QueueOwnerAWSAccountId": account}
    sqs = connection.sqs
    found = _unless_unknown(lambda: sqs.get_queue_url(QueueName=name, **owner))
    if found is None:
        return None
    url = found["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return Resource(connection, "queue", name, url, arn)


def _topic(connection: Connection, name: str, _account: str | None) -> Resource | None:
    sns = connection.sns
    if name.startswith("arn:"):
        arn = None if _unless_unknown(lambda: sns.get_topic_attributes(TopicArn=name)) is None else name
    else:
        arn = next((each for each in _topic_arns(connection) if _last_part(each) == name), None)
    return None if arn is None else Resource(connection, "topic", _last_part(arn), arn, arn)


def _bus(connection: Connection, name: str, _account: str | None) -> Resource | None:
    found = _unless_unknown(lambda: connection.events.describe_event_bus(Name=name))
    return None if found is None else Resource(connection, "bus", found["Name"], found["Arn"], found["Arn"])


def _queue_names(connection: Connection) -> list[str]:
    pages = connection.sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 1000})
    return [_last_part(url) for page in pages for url in page.get("QueueUrls", [])]


def _topic_arns(connection: Connection) -> list[str]:
    pages = connection.sns.get_paginator("list_topics").paginate()
    return [each["TopicArn"] for page in pages for each in page["Topics"]]


_READERS: Final[Mapping[Kind, Callable[[Connection, str, str | None], Resource | None]]] = {
    "queue": _queue,
    "topic": _topic,
    "bus": _bus,
}
_LISTERS: Final[Mapping[Kind, Callable[[Connection], list[str]]]] = {
    "queue": _queue_names,
    "topic": lambda connection: [_last_part(arn) for arn in _topic_arns(connection)],
    "bus": lambda connection: [each["Name"] for each in connection.events.list_event_buses()["EventBuses"]],
}


def _unless_unknown(read: Callable[[], Any]) -> Any:
    """Return the answer; None if the service does not know what was asked for."""
    try:
        return read()
    except ClientError as exc:
        if _UNKNOWN.search(_code(exc)) is None:
            raise
        return None


def _code(error: ClientError) -> str:
    return error.response["Error"].get("Code", "")


def _last_part(identifier: str) -> str:
    """Return the name at the end of a URL or an ARN."""
    return re.split("[/:]", identifier)[-1]
