"""What a check has in its hands: clients of one engine, names of its own, and the resources that many checks need."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any, Final

import boto3
from botocore.config import Config
from fidelity.expect import WrongError
from fidelity.function import Function
from web_server import WebServer

ACCOUNT: Final = "000000000000"
REGION: Final = "us-east-1"
_CONFIG: Final = Config(
    parameter_validation=False,  # it is the engine that is to refuse
    retries={"total_max_attempts": 1},
    max_pool_connections=100,
    connect_timeout=10,
    read_timeout=40,
    proxies={},
)


class Clients:
    """boto3 clients of one engine, made once each; they may be used by many threads.

    callback_host is this machine's address as the engine sees it, for what it is to post to.
    """

    def __init__(self, endpoint_url: str, callback_host: str = "127.0.0.1") -> None:
        self.endpoint_url = endpoint_url
        self.callback_host = callback_host
        self._made: dict[tuple[str, str, str], Any] = {}
        self._function: Function | None = None
        self._lock = threading.RLock()

    def get(self, service: str, account: str = ACCOUNT, region: str = REGION) -> Any:
        """A client; its access key names the account."""
        with self._lock:
            key = (service, account, region)
            if key not in self._made:
                make: Any = boto3.client
                self._made[key] = make(
                    service,
                    endpoint_url=self.endpoint_url,
                    region_name=region,
                    aws_access_key_id=account,
                    aws_secret_access_key="any",
                    config=_CONFIG,
                )
            return self._made[key]

    def function(self) -> Function:
        """The engine's function, made when first asked for."""
        with self._lock:
            if self._function is None:
                self._function = Function(self.get("lambda"), self.callback_host)
            return self._function

    def close(self) -> None:
        """End what was started for the checks."""
        if self._function is not None:
            self._function.close()


@dataclass(frozen=True)
class Queue:
    """A queue of an engine."""

    sqs: Any
    name: str
    url: str

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name}"

    def send(self, body: str = "b", **given: Any) -> dict[str, Any]:
        """Send one message."""
        answer: dict[str, Any] = self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **given)
        return answer

    def receive(self, most: int = 10, wait_s: float = 0, **given: Any) -> list[dict[str, Any]]:
        """Receive once."""
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=most, WaitTimeSeconds=wait_s, **given)
        return list(answer.get("Messages", []))

    def one(self, wait_s: float = 5, **given: Any) -> dict[str, Any]:
        """Receive one message that must be there soon."""
        found = self.receive(1, wait_s, **given)
        if not found:
            raise WrongError("delivers nothing")
        return found[0]

    def delete(self, message: dict[str, Any]) -> None:
        """Delete a message that was received."""
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def take(self, expected: int, within_s: float = 6, settle_s: float = 0.3) -> list[dict[str, Any]]:
        """Receive and delete until so many came, or too much time has passed; then once more for what is too much."""
        taken: list[dict[str, Any]] = []
        end = time.monotonic() + within_s
        settling = False
        while True:
            found = self.receive(
                10, 0 if settling else 1, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
            )
            for message in found:
                self.delete(message)
            taken += found
            if settling or (len(taken) < expected and time.monotonic() > end):
                return taken
            if len(taken) >= expected:
                settling = True
                time.sleep(settle_s)

    def bodies(self, expected: int, within_s: float = 6, settle_s: float = 0.3) -> list[str]:
        """The bodies of what `take` takes, in the order in which they came."""
        return [message["Body"] for message in self.take(expected, within_s, settle_s)]

    def attributes(self, *names: str) -> dict[str, str]:
        """Its attributes; all without names."""
        answer = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names or ("All",))
        return dict(answer.get("Attributes", {}))

    def counts(self) -> tuple[int, int, int]:
        """How many messages are visible, in flight and delayed."""
        shown = self.attributes()
        names = ("", "NotVisible", "Delayed")
        visible, in_flight, delayed = (int(shown[f"ApproximateNumberOfMessages{name}"]) for name in names)
        return visible, in_flight, delayed


class Aws:
    """One engine as one check sees it. Every name it makes begins with the behaviour's."""

    def __init__(self, clients: Clients, prefix: str) -> None:
        self.clients = clients
        self.prefix = prefix
        self._numbers = count(1)
        self.sqs = clients.get("sqs")
        self.sns = clients.get("sns")
        self.events = clients.get("events")

    def client(self, service: str, *, account: str = ACCOUNT, region: str = REGION) -> Any:
        """A client of another service, account or region."""
        return self.clients.get(service, account, region)

    def name(self) -> str:
        """A name that nothing else has."""
        return f"{self.prefix[:50]}-{next(self._numbers)}"

    def queue(self, *, opened: bool = False, **attributes: Any) -> Queue:
        """A standard queue; an opened one takes messages of SNS and EventBridge. Attributes may be any JSON."""
        return self._queue(self.name(), opened=opened, attributes=attributes)

    def fifo(self, *, opened: bool = False, **attributes: Any) -> Queue:
        """A FIFO queue."""
        return self._queue(f"{self.name()}.fifo", opened=opened, attributes={"FifoQueue": "true"} | attributes)

    def _queue(self, name: str, *, opened: bool, attributes: dict[str, Any]) -> Queue:
        given = {key: value if isinstance(value, str) else json.dumps(value) for key, value in attributes.items()}
        if opened:
            given["Policy"] = open_policy(f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}", "sqs:SendMessage")
        return Queue(self.sqs, name, self.sqs.create_queue(QueueName=name, Attributes=given)["QueueUrl"])

    def topic(self, **attributes: str) -> str:
        """The ARN of a standard topic."""
        return str(self.sns.create_topic(Name=self.name(), Attributes=attributes)["TopicArn"])

    def fifo_topic(self, **attributes: str) -> str:
        """The ARN of a FIFO topic."""
        given = {"FifoTopic": "true"} | attributes
        return str(self.sns.create_topic(Name=f"{self.name()}.fifo", Attributes=given)["TopicArn"])

    def subscribed(self, topic: str, *, fifo: bool = False, **attributes: Any) -> Queue:
        """A queue that gets a topic's messages, raw unless told otherwise. Attributes may be any JSON."""
        queue = self.fifo(opened=True) if fifo else self.queue(opened=True)
        self.subscribe(topic, queue.arn, **attributes)
        return queue

    def subscribe(self, topic: str, endpoint: str, **attributes: Any) -> str:
        """The ARN of a queue's subscription, raw unless told otherwise."""
        given = {"RawMessageDelivery": "true"} | attributes
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
        answer = self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=endpoint, Attributes=texts)
        return str(answer["SubscriptionArn"])

    def bus(self) -> str:
        """The name of an event bus."""
        name = self.name()
        self.events.create_event_bus(Name=name)
        return name

    @cached_property
    def own_bus(self) -> str:
        """The name of this check's own bus, so that no check disturbs another."""
        return self.bus()

    def rule(self, target: str, *, bus: str = "", **given: Any) -> str:
        """The name of a rule of the own bus, or of another, for the events of this check, with one target."""
        name, place = self.name(), bus or self.own_bus
        self.events.put_rule(Name=name, EventBusName=place, EventPattern=json.dumps({"source": [self.prefix]}))
        targets = [{"Id": "t", "Arn": target} | given]
        answer = self.events.put_targets(Rule=name, EventBusName=place, Targets=targets)
        if answer.get("FailedEntryCount"):
            raise WrongError(f"PutTargets fails: {answer['FailedEntries'][0].get('ErrorCode')}")
        return name

    def put(self, detail: Any = None, **given: Any) -> dict[str, Any]:
        """Put one event of this check on its own bus, or another, and give what is answered for it."""
        entry = {"Source": self.prefix, "DetailType": "t", "Detail": json.dumps(detail or {})}
        entry |= {"EventBusName": given.pop("bus", None) or self.own_bus} | given
        answer: dict[str, Any] = self.events.put_events(Entries=[entry])["Entries"][0]
        return answer

    @contextmanager
    def web(self) -> Iterator[WebServer]:
        """A web server that the engine can post to."""
        server = WebServer(self.clients.callback_host)
        try:
            yield server
        finally:
            server.stop()

    def dead_letters(self, dead: Queue, receives: int = 1) -> dict[str, Any]:
        """The attribute that sends dead letters there."""
        return {"RedrivePolicy": {"deadLetterTargetArn": dead.arn, "maxReceiveCount": receives}}


def open_policy(arn: str, action: str) -> str:
    """A policy that lets SNS and EventBridge do it."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]},
        "Action": action,
        "Resource": arn,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def bodies(messages: Sequence[dict[str, Any]]) -> list[str]:
    """What messages say."""
    return [message["Body"] for message in messages]


def eventually(check: Callable[[], Any], otherwise: str, within_s: float = 8) -> Any:
    """What the check answers, once that is true; else the engine does otherwise."""
    end = time.monotonic() + within_s
    while not (found := check()):
        if time.monotonic() > end:
            raise WrongError(otherwise)
        time.sleep(0.1)
    return found
