"""The page's actions: send, publish and put an event, each with the command lines that have the same effect."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import Field

from orderboard.console.account.reading import Account, Reading
from orderboard.console.requests import Body
from orderboard.resources.account import Resource
from orderboard.resources.inventory import name_of
from orderboard.resources.messages import Extras, Sent, check_detail, parse_attributes, publish, put_event, send

_MAX_DELAY_S: Final = 900  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html


class MessageBody(Body):
    """A message for a queue or topic. attributes: a line for each, NAME=VALUE or NAME:TYPE=VALUE. run: send it.

    Without run the answer has the commands only.
    """

    arn: str
    body: str
    attributes: tuple[str, ...] = ()
    group: str = ""
    deduplication_id: str = ""
    delay_s: Annotated[int, Field(ge=0, le=_MAX_DELAY_S)] | None = None
    subject: str = ""
    run: bool = False

    @property
    def extras(self) -> Extras:
        """The parts beside the body."""
        lines = tuple(each.strip() for each in self.attributes if each.strip())
        return Extras(lines, self.group or None, self.deduplication_id or None)


class EventBody(Body):
    """An event for a bus. run: put it. Without run the answer has the commands only."""

    arn: str
    source: str
    detail_type: str
    detail: str
    run: bool = False


@dataclass(frozen=True)
class Done:
    """The id of what was sent, None if it was not to be sent, and the command lines with the same effect."""

    message_id: str | None
    message: str
    commands: tuple[str, ...]


@dataclass(frozen=True)
class ResourceActions:
    """The actions on an account."""

    account: Account

    def send(self, body: MessageBody) -> Done:
        """Send a message to a queue."""
        reading, queue = self._resource("queue", body.arn)
        words = ["sqs", "send-message", "--queue-url", queue.address, "--message-body", body.body]
        words += [] if body.delay_s is None else ["--delay-seconds", str(body.delay_s)]
        delay = [] if body.delay_s is None else ["--delay", f"{body.delay_s}s"]
        commands = (
            reading.clients.command(body.arn, *words, *_aws_options(body)),
            self.account.orderboard("send", body.arn, *_options(body), *delay, body=body.body),
        )
        sent = send(queue, body.body, body.extras, delay_s=body.delay_s) if body.run else None
        return _done(sent, commands)

    def publish(self, body: MessageBody) -> Done:
        """Publish a message to a topic."""
        reading, topic = self._resource("topic", body.arn)
        subject = ["--subject", body.subject] if body.subject else []
        words = ["sns", "publish", "--topic-arn", body.arn, "--message", body.body, *subject]
        commands = (
            reading.clients.command(body.arn, *words, *_aws_options(body)),
            self.account.orderboard("publish", body.arn, *subject, *_options(body), body=body.body),
        )
        sent = publish(topic, body.body, body.extras, subject=body.subject or None) if body.run else None
        return _done(sent, commands)

    def put_event(self, body: EventBody) -> Done:
        """Put an event on a bus."""
        reading, bus = self._resource("bus", body.arn)
        check_detail(body.detail)
        entry = {"EventBusName": body.arn, "Source": body.source, "DetailType": body.detail_type, "Detail": body.detail}
        source = ["--source", body.source, "--detail-type", body.detail_type]
        commands = (
            reading.clients.command(body.arn, "events", "put-events", "--entries", json.dumps([entry])),
            self.account.orderboard("put-event", "--bus", body.arn, *source, body=body.detail),
        )
        sent = put_event(bus, body.detail, source=body.source, detail_type=body.detail_type) if body.run else None
        return _done(sent, commands)

    def table(self) -> dict[str, tuple[type[Body], Callable[[Any], Done]]]:
        """Return the body and the function of each action, by the last part of its path."""
        return {
            "send": (MessageBody, self.send),
            "publish": (MessageBody, self.publish),
            "put-event": (EventBody, self.put_event),
        }

    def _resource(self, kind: Any, arn: str) -> tuple[Reading, Resource]:
        reading = self.account.reading()
        reading.find(arn, kind)
        address = reading.clients.queue_url(arn) if kind == "queue" else arn
        return reading, Resource(reading.clients.at(arn), kind, name_of(arn), address, arn)


def _aws_options(body: MessageBody) -> list[str]:
    found = {
        "--message-attributes": json.dumps(_plain(parse_attributes(body.extras.attributes)))
        if body.extras.attributes
        else "",
        "--message-group-id": body.group,
        "--message-deduplication-id": body.deduplication_id,
    }
    return [word for option, value in found.items() if value for word in (option, value)]


def _options(body: MessageBody) -> list[str]:
    attributes = [word for each in body.extras.attributes for word in ("--attribute", each)]
    named = {"--group": body.group, "--deduplication-id": body.deduplication_id}
    return attributes + [word for option, value in named.items() if value for word in (option, value)]


def _plain(attributes: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, object]]:
    """Return attributes as the aws command takes them, with binary values in base64."""
    return {
        name: {
            key: base64.b64encode(value).decode() if isinstance(value, bytes) else value for key, value in each.items()
        }
        for name, each in attributes.items()
    }


def _done(sent: Sent | None, commands: tuple[str, ...]) -> Done:
    if sent is None:
        return Done(None, "", commands)
    return Done(sent.message_id, f"{sent.to} accepted it: {sent.message_id}", commands)
