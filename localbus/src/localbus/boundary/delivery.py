"""Delivery of a message from the upstream to a queue, topic or bus of this engine, for the sender that it has.

The resource policy counts as on AWS: that a service needs to be allowed, and that a role of the same account is not
denied. A message that cannot be delivered goes to the dead-letter queue of its schedule, or is dropped; the journal and
the log have the reason.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from localbus.boundary.configuration import Sender
from localbus.boundary.messages import Sent, as_dead_letter, identify, scheduled_event, with_context
from localbus.boundary.names import Name
from localbus.clock import Clock
from localbus.delivery.attempt import fix_of
from localbus.errors import AwsError
from localbus.events.event import Event
from localbus.events.state import EventBridge
from localbus.journal import Journal, Loss
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.resource_policy import Principal, allows_sender
from localbus.sns.state import Sns
from localbus.sqs.state import Sqs

log = logging.getLogger("localbus")

_SENT_BY_ROLE = {"scheduler", "states"}
_FIFO_MEMBERS = ("MessageGroupId", "MessageDeduplicationId")


@dataclass(frozen=True)
class Deliveries:
    """The queues, topics and buses of one engine as targets of the upstream."""

    clock: Clock
    journal: Journal
    sqs: Sqs
    sns: Sns
    events: EventBridge

    def deliver(self, target: Name, senders: Collection[Sender], message: Params) -> None:
        """Deliver a message that the mirror of the target has collected."""
        sent = identify(message["Body"], senders, target)
        message = {**message, "Body": with_context(message["Body"], sent, message)}
        try:
            message_id = self._send(target, sent, message)
        except AwsError as exc:
            self._fail(target, sent, message, exc)
            return
        except Exception as exc:  # the boundary of a message: the next ones must not wait for it
            log.exception("delivery.failed")
            self._fail(target, sent, message, AwsError("InternalFailure", str(exc) or type(exc).__name__))
            return
        detail = {"service": sent.sender.service, "sender": sent.arn}
        self.journal.note("forwarded", target.arn, message_id, self.clock.now(), detail)

    def _send(self, target: Name, sent: Sent, message: Params) -> str:
        principal = sent.sender.principal(sent.arn, sent.account)
        match target.kind:
            case "sqs":
                return self._to_queue(target.arn, sent, message, principal)
            case "sns":
                entry = _notification(target, sent, message)
                return self.sns.deliver(
                    target.arn, entry, principal, message_id=json.loads(message["Body"])["MessageId"]
                )
            case "events":
                return self._to_bus(target, sent, message)

    def _to_queue(self, arn: str, sent: Sent, message: Params, principal: Principal) -> str:
        body: str = message["Body"]
        if sent.is_dead_letter_of(arn):
            body, attributes = as_dead_letter(body)
            entry = {"MessageBody": body, "MessageAttributes": attributes}
        else:
            entry = {"MessageBody": body}
            if message.get("MessageAttributes"):
                entry["MessageAttributes"] = message["MessageAttributes"]
        entry |= _fifo_members(arn.endswith(".fifo"), sent.sender, message)
        return self.sqs.deliver(arn, entry, principal, message_id=message["MessageId"])

    def _to_bus(self, target: Name, sent: Sent, message: Params) -> str:
        document: dict[str, Any] = scheduled_event(json.loads(message["Body"]), sent.sender)
        if not isinstance(document.get("detail"), dict):
            raise AwsError("MalformedDetail", "Detail is malformed.")
        bus = self.events.buses.look_up(target.arn, Caller(target.account, target.region))
        if bus is None:
            raise AwsError("ResourceNotFoundException", f"Event bus {target.name} does not exist.")
        by_role, role = sent.sender.service in _SENT_BY_ROLE, Principal(account=sent.account)
        allowed = allows_sender(bus.policy_text, role, "events:PutEvents", bus.arn, self.clock.now())
        if self.events.enforce_policies and by_role and not allowed:
            raise AwsError("AccessDeniedException", f"The policy of {bus.arn} denies events:PutEvents.")
        event = Event(document, self.clock.now())
        self.events.publish(event, bus)
        return event.event_id

    def _fail(self, target: Name, sent: Sent, message: Params, error: AwsError) -> None:
        """Send the message to the dead-letter queue of its schedule; without one it is dropped, as on AWS."""
        now, message_id, reason = self.clock.now(), message["MessageId"], f"{error.code}: {error.message}"
        queue_arn = (sent.sender.details.get("DeadLetterConfig") or {}).get("Arn")
        if queue_arn is not None:
            known = {
                "ERROR_CODE": error.code,
                "ERROR_MESSAGE": error.message,
                "SCHEDULE_ARN": sent.arn,
                "TARGET_ARN": target.arn,
            }
            attributes = {name: {"DataType": "String", "StringValue": text} for name, text in known.items()}
            try:
                entry = {"MessageBody": message["Body"], "MessageAttributes": attributes}
                dead = self.sqs.deliver(queue_arn, entry, Principal(account=sent.account), is_dead_letter=True)
            except AwsError as exc:
                reason = f"{reason}; dead-letter queue: {exc.code}: {exc.message}"
            else:
                detail = {"queue": queue_arn, "reason": reason, "message_id": dead}
                self.journal.note("dead_lettered", target.arn, message_id, now, detail)
                self._report("dead_lettered", target, sent, message_id, error.code, f"{reason}; it is in {queue_arn}")
                return
        self.journal.note("undelivered", target.arn, message_id, now, {"sender": sent.arn, "reason": reason})
        self._report("undelivered", target, sent, message_id, error.code, reason)

    def _report(  # noqa: PLR0917 (the fields of a loss)
        self, event: str, target: Name, sent: Sent, message_id: str, code: str, reason: str
    ) -> None:
        source = sent.arn or sent.sender.service
        self.journal.on_loss(Loss(event, message_id, source, target.arn, code, reason, fix_of(code)))


def _fifo_members(fifo: bool, sender: Sender, message: Params) -> Params:
    """Return the group and deduplication id of a message. A schedule has a group if its target names one, and no id.

    https://docs.aws.amazon.com/scheduler/latest/APIReference/API_SqsParameters.html
    """
    attributes = message.get("Attributes", {})
    if sender.service == "scheduler":
        attributes = sender.details.get("SqsParameters") or {}
    return {name: attributes[name] for name in _FIFO_MEMBERS if fifo and name in attributes}


def _notification(target: Name, sent: Sent, message: Params) -> Params:
    """Return Publish's input for the envelope that the mirror's subscription has collected."""
    envelope = json.loads(message["Body"])
    if sent.is_dead_letter_of(target.arn):
        body, attributes = as_dead_letter(envelope["Message"])
        return {"Message": body, "MessageAttributes": attributes}
    entry: Params = {"Message": envelope["Message"]}
    if envelope.get("Subject"):
        entry["Subject"] = envelope["Subject"]
    if envelope.get("MessageAttributes"):
        entry["MessageAttributes"] = {name: _attribute(one) for name, one in envelope["MessageAttributes"].items()}
    return entry | _fifo_members(target.is_fifo, sent.sender, message)


def _attribute(given: Params) -> Params:
    member = "BinaryValue" if given["Type"].startswith("Binary") else "StringValue"
    return {"DataType": given["Type"], member: given["Value"]}
