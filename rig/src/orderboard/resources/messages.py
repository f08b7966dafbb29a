"""One message to a queue or topic, or one event to a bus, as a person types it."""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from orderboard.errors import RigError, UsageError
from orderboard.option_values import parsed
from orderboard.resources.account import Resource

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
_ATTRIBUTE: Final = re.compile(r"([A-Za-z0-9_.-]{1,256})(?::((?:String|Number|Binary)(?:\.[^=]*)?))?=(.*)", re.DOTALL)
_SHOWN_CHARACTERS: Final = 60
_OPTIONS: Final = {"MessageGroupId": "--group GROUP", "MessageDeduplicationId": "--deduplication-id ID"}


@dataclass(frozen=True)
class Sent:
    """The id of an accepted message or event, and where it went."""

    message_id: str
    to: str
    arn: str
    sequence_number: str | None = None


@dataclass(frozen=True)
class Extras:
    """The parts of a message beside its body."""

    attributes: tuple[str, ...] = ()  # NAME=VALUE or NAME:TYPE=VALUE
    group: str | None = None
    deduplication_id: str | None = None

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of SendMessage or Publish."""
        given = {
            "MessageAttributes": parse_attributes(self.attributes),
            "MessageGroupId": self.group,
            "MessageDeduplicationId": self.deduplication_id,
        }
        return {name: value for name, value in given.items() if value}


def send(queue: Resource, body: str, extras: Extras, *, delay_s: int | None = None) -> Sent:
    """Send to a queue. Raises RigError with the option that is missing if SQS rejects it for one."""
    parameters = extras.parameters() | ({} if delay_s is None else {"DelaySeconds": delay_s})
    try:
        answer = queue.connection.sqs.send_message(QueueUrl=queue.address, MessageBody=body, **parameters)
    except ClientError as exc:
        raise _rejected(queue, exc) from exc
    return Sent(answer["MessageId"], queue.name, queue.arn, answer.get("SequenceNumber"))


def publish(topic: Resource, body: str, extras: Extras, *, subject: str | None = None) -> Sent:
    """Publish to a topic. Raises RigError with the option that is missing if SNS rejects it for one."""
    parameters = extras.parameters() | ({} if subject is None else {"Subject": subject})
    try:
        answer = topic.connection.sns.publish(TopicArn=topic.address, Message=body, **parameters)
    except ClientError as exc:
        raise _rejected(topic, exc) from exc
    return Sent(answer["MessageId"], topic.name, topic.arn, answer.get("SequenceNumber"))


def put_event(bus: Resource, detail: str, *, source: str, detail_type: str) -> Sent:
    """Put one event on a bus. Raises RigError if it is rejected."""
    entry: Any = {"EventBusName": bus.address, "Source": source, "DetailType": detail_type, "Detail": detail}
    try:
        (result,) = bus.connection.events.put_events(Entries=[entry])["Entries"]
    except ClientError as exc:
        raise _rejected(bus, exc) from exc
    if "EventId" not in result:
        raise RigError(f"{bus.name} rejected the event: {result.get('ErrorCode')}: {result.get('ErrorMessage')}")
    return Sent(result["EventId"], bus.name, bus.arn)


def parse_attributes(texts: Iterable[str]) -> dict[str, dict[str, object]]:
    """Parse message attributes: `priority=express`, `total:Number=450`, `key:Binary=BASE64`; raise UsageError."""
    found: dict[str, dict[str, object]] = {}
    for text in texts:
        name, value = parsed("--attribute", _attribute, text)
        if name in found:
            raise UsageError(f"--attribute {text}: {name} is given twice.")
        found[name] = value
    return found


def check_detail(text: str) -> None:
    """Raise UsageError unless it is a JSON object."""
    try:
        is_object = isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        is_object = False
    if not is_object:
        shown = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
        raise UsageError(f"DETAIL {shown}: expected a JSON object, such as '{{\"total\": 450}}'.")


def _attribute(text: str) -> tuple[str, dict[str, object]]:
    if (match := _ATTRIBUTE.fullmatch(text)) is None:
        raise ValueError(
            "expected NAME=VALUE, or NAME:TYPE=VALUE with String, Number or Binary, such as priority=express, "
            "total:Number=450 or key:Binary=BASE64"
        )
    name, data_type, value = match[1], match[2] or "String", match[3]
    if not data_type.startswith("Binary"):
        return name, {"DataType": data_type, "StringValue": value}
    try:
        return name, {"DataType": data_type, "BinaryValue": base64.b64decode(value, validate=True)}
    except binascii.Error as exc:
        raise ValueError("the value of a Binary attribute must be base64") from exc


def _rejected(resource: Resource, error: ClientError) -> RigError:
    text = error.response["Error"].get("Message", str(error)).rstrip(".")
    option = next((option for parameter, option in _OPTIONS.items() if parameter in text), None)
    return RigError(f"{resource.name} rejected it: {text}." + ("" if option is None else f" Add {option}."))
