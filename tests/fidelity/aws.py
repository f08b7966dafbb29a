"""The tools of a check: clients of one engine, unique names, and resources that many checks need."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any, Final

import boto3
from botocore.config import Config
from fidelity.expect import WrongError, holds
from fidelity.function import Function
from support.policies import policy
from support.web_server import WebServer

ACCOUNT: Final = "000000000000"
REGION: Final = "us-east-1"
_CONFIG: Final = Config(
    parameter_validation=False,  # the engine is to reject it
    retries={"total_max_attempts": 1},
    max_pool_connections=100,
    connect_timeout=10,
    read_timeout=40,
    proxies={},
)


class Clients:
    """boto3 clients of one engine, one of each kind, for many threads.

    `callback_host` is this machine's address as the engine sees it, for what it posts to.
    """

    def __init__(self, endpoint_url: str, callback_host: str = "127.0.0.1") -> None:
        self.endpoint_url = endpoint_url
        self.callback_host = callback_host
        self._made: dict[tuple[str, str, str], Any] = {}
        self._function: Function | None = None
        self._lock = threading.RLock()

    def get(self, service: str, account: str = ACCOUNT, region: str = REGION) -> Any:
        """Return a client; its access key is the account."""
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
        """Return the engine's function, created at the first call."""
        with self._lock:
            if self._function is None:
                self._function = Function(self.get("lambda"), self.callback_host)
            return self._function

    def close(self) -> None:
        """Stop what was started for the checks."""
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
        """The queue's ARN."""
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name}"

    def set(self, **attributes: Any) -> None:
        """Set attributes, which may be any JSON."""
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes=_texts(attributes))

    def send(self, body: str = "b", **given: Any) -> dict[str, Any]:
        """Send one message."""
        answer: dict[str, Any] = self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **given)
        return answer

    def fill(self, *messages: str) -> None:
        """Send messages to a FIFO queue; their first letter is their group."""
        for body in messages:
            self.send(body, MessageGroupId=body[0], MessageDeduplicationId=body)

    def receive(self, most: int = 10, wait_s: float = 0, **given: Any) -> list[dict[str, Any]]:
        """Receive once."""
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=most, WaitTimeSeconds=wait_s, **given)
        return list(answer.get("Messages", []))

    def one(self, wait_s: float = 5, **given: Any) -> dict[str, Any]:
        """Receive one message, which must arrive soon."""
        found = self.receive(1, wait_s, **given)
        if not found:
            raise WrongError("delivers nothing")
        return found[0]

    def received(self, body: str = "b", **given: Any) -> dict[str, Any]:
        """Send one message, and receive it with these parameters."""
        self.send(body)
        return self.one(**given)

    def handle(self) -> str:
        """Return the receipt handle of a message that is sent and received."""
        return str(self.received()["ReceiptHandle"])

    def hide(self, handle: str, timeout_s: int) -> None:
        """Change the visibility timeout of a received message."""
        self.sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=timeout_s)

    def delete(self, message: dict[str, Any]) -> None:
        """Delete a received message."""
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def take(self, expected: int, within_s: float = 6, settle_s: float = 0.3) -> list[dict[str, Any]]:
        """Receive and delete until the expected number came or time is up, and once more to find messages too many."""
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
        """Return the bodies of the messages of `take`, in order of arrival."""
        return [message["Body"] for message in self.take(expected, within_s, settle_s)]

    def document(self, otherwise: str, within_s: float = 6) -> Any:
        """Return the body of the message that arrives, as JSON; `otherwise` is the failure without one."""
        found = self.bodies(1, within_s)
        holds(found, otherwise)
        return json.loads(found[0])

    def attributes(self, *names: str) -> dict[str, str]:
        """Return the named attributes, or all."""
        answer = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names or ("All",))
        return dict(answer.get("Attributes", {}))

    def counts(self) -> tuple[int, int, int]:
        """Return the numbers of visible, in-flight and delayed messages."""
        shown = self.attributes()
        names = ("", "NotVisible", "Delayed")
        visible, in_flight, delayed = (int(shown[f"ApproximateNumberOfMessages{name}"]) for name in names)
        return visible, in_flight, delayed


class Aws:
    """An engine for one check. Every resource's name begins with the behaviour's."""

    def __init__(self, clients: Clients, prefix: str) -> None:
        self.clients = clients
        self.prefix = prefix
        self._numbers = count(1)
        self.sqs = clients.get("sqs")
        self.sns = clients.get("sns")
        self.events = clients.get("events")

    def client(self, service: str, *, account: str = ACCOUNT, region: str = REGION) -> Any:
        """Return a client of another service, account or region."""
        return self.clients.get(service, account, region)

    def name(self) -> str:
        """Return a unique name."""
        return f"{self.prefix[:50]}-{next(self._numbers)}"

    def queue(self, *, opened: bool = False, **attributes: Any) -> Queue:
        """Create a standard queue; `opened` allows SNS and EventBridge to send. Attributes may be any JSON."""
        return self._queue(self.name(), opened=opened, attributes=attributes)

    def fifo(self, *, opened: bool = False, **attributes: Any) -> Queue:
        """Create a FIFO queue."""
        return self._queue(f"{self.name()}.fifo", opened=opened, attributes={"FifoQueue": "true"} | attributes)

    def filled(self, *messages: str, **attributes: Any) -> Queue:
        """Create a FIFO queue with messages; their first letter is their group."""
        queue = self.fifo(**attributes)
        queue.fill(*messages)
        return queue

    def _queue(self, name: str, *, opened: bool, attributes: dict[str, Any]) -> Queue:
        given = _texts(attributes)
        if opened:
            given["Policy"] = open_policy(f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}", "sqs:SendMessage")
        return Queue(self.sqs, name, self.sqs.create_queue(QueueName=name, Attributes=given)["QueueUrl"])

    def pair(self, receives: int = 1, *, fifo: bool = False, **attributes: Any) -> tuple[Queue, Queue]:
        """Create a queue and its dead-letter queue."""
        create = self.fifo if fifo else self.queue
        dead = create()
        policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": receives}
        return create(RedrivePolicy=policy, **attributes), dead

    def topic(self, **attributes: str) -> str:
        """Create a standard topic and return its ARN."""
        return str(self.sns.create_topic(Name=self.name(), Attributes=attributes)["TopicArn"])

    def fifo_topic(self, **attributes: str) -> str:
        """Create a FIFO topic and return its ARN."""
        given = {"FifoTopic": "true"} | attributes
        return str(self.sns.create_topic(Name=f"{self.name()}.fifo", Attributes=given)["TopicArn"])

    def subscribed(self, topic: str, *, fifo: bool = False, **attributes: Any) -> Queue:
        """Create a queue with a subscription, raw by default. Attributes may be any JSON."""
        queue = self.fifo(opened=True) if fifo else self.queue(opened=True)
        self.subscribe(topic, queue.arn, **attributes)
        return queue

    def subscribe(self, topic: str, endpoint: str, **attributes: Any) -> str:
        """Subscribe a queue, raw by default, and return the subscription's ARN."""
        given = _texts({"RawMessageDelivery": "true"} | attributes)
        answer = self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=endpoint, Attributes=given)
        return str(answer["SubscriptionArn"])

    def subscribed_topic(self, **attributes: Any) -> tuple[str, Queue]:
        """Create a standard topic and a queue with a subscription, raw by default."""
        topic = self.topic()
        return topic, self.subscribed(topic, **attributes)

    def publish(self, topic: str, message: str = "m", **given: Any) -> dict[str, Any]:
        """Publish one message."""
        answer: dict[str, Any] = self.sns.publish(TopicArn=topic, Message=message, **given)
        return answer

    def topic_attributes(self, topic: str) -> dict[str, str]:
        """Return a topic's attributes."""
        return dict(self.sns.get_topic_attributes(TopicArn=topic)["Attributes"])

    def set_topic(self, topic: str, name: str, value: str) -> None:
        """Set one attribute of a topic."""
        self.sns.set_topic_attributes(TopicArn=topic, AttributeName=name, AttributeValue=value)

    def bus(self) -> str:
        """Create an event bus and return its name."""
        name = self.name()
        self.events.create_event_bus(Name=name)
        return name

    @cached_property
    def own_bus(self) -> str:
        """The name of this check's bus, which isolates it from others."""
        return self.bus()

    def bus_arn(self, bus: str) -> str:
        """Return the ARN of a bus."""
        return str(self.events.describe_event_bus(Name=bus)["Arn"])

    def target(self, *, bus: str = "", **given: Any) -> Queue:
        """Create a queue that receives the events of this check by a rule."""
        queue = self.queue(opened=True)
        self.rule(queue.arn, bus=bus, **given)
        return queue

    def rule(self, target: str, *, bus: str = "", **given: Any) -> str:
        """Create a rule with one target for the events of this check, and return its name."""
        name, place = self.name(), bus or self.own_bus
        self.events.put_rule(Name=name, EventBusName=place, EventPattern=json.dumps({"source": [self.prefix]}))
        targets = [{"Id": "t", "Arn": target} | given]
        answer = self.events.put_targets(Rule=name, EventBusName=place, Targets=targets)
        if answer.get("FailedEntryCount"):
            raise WrongError(f"PutTargets fails: {answer['FailedEntries'][0].get('ErrorCode')}")
        return name

    def empty_rule(self, **given: Any) -> str:
        """Create a rule without targets on this check's bus, or with other settings, and return its name."""
        rule = {"Name": self.name(), "EventBusName": self.own_bus, "EventPattern": '{"source": ["s"]}'} | given
        self.events.put_rule(**rule)
        return str(rule["Name"])

    def rule_arn(self, name: str) -> str:
        """Return the ARN of a rule of this check's bus."""
        return str(self.events.describe_rule(Name=name, EventBusName=self.own_bus)["Arn"])

    def put(self, detail: Any = None, **given: Any) -> dict[str, Any]:
        """Put one event of this check on its bus, or another, and return the answer's entry."""
        entry = {"Source": self.prefix, "DetailType": "t", "Detail": json.dumps(detail or {})}
        entry |= {"EventBusName": given.pop("bus", None) or self.own_bus} | given
        answer: dict[str, Any] = self.events.put_events(Entries=[entry])["Entries"][0]
        return answer

    @contextmanager
    def web(self) -> Iterator[WebServer]:
        """Start a web server that the engine can post to."""
        server = WebServer(self.clients.callback_host)
        try:
            yield server
        finally:
            server.stop()


def new_url(aws: Aws) -> str:
    """Return the URL of a new standard queue."""
    return aws.queue().url


def attribute(value: str, data_type: str = "String") -> dict[str, str]:
    """Build a message attribute with a text."""
    return {"DataType": data_type, "StringValue": value}


def _texts(attributes: dict[str, Any]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in attributes.items()}


def open_policy(arn: str, action: str) -> str:
    """Return a policy that allows SNS, EventBridge, S3 and CloudWatch the action."""
    return policy(action, arn, "sns", "events", "s3", "cloudwatch")


def bodies(messages: Sequence[dict[str, Any]]) -> list[str]:
    """Return the bodies of messages."""
    return [message["Body"] for message in messages]
