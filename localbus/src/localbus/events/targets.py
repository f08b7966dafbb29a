"""Senders of events to targets, by service.

Each sender raises DeliveryError with EventBridge's code; `delivery` decides on retries.
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from localbus.clock import Clock
from localbus.delivery.attempt import (
    DeliveryError,
    check_answer,
    fix_of,
    invoke_function,
    no_connection,
    require_upstream,
)
from localbus.errors import AwsError
from localbus.events.api_destination import ApiDestinations
from localbus.events.archive import Archives
from localbus.events.bus import Bus, Buses
from localbus.events.delivery import EventDelivery, Sender
from localbus.events.event import Event, condition_keys
from localbus.http.client import Answer, NoAnswerError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.protocol.trace_header import with_trace_header
from localbus.resource_policy import Principal, allows
from localbus.sqs.state import Sqs
from localbus.upstream.client import UpstreamClient

# Publishes a message to a topic ARN for a principal, with a trace header; returns its id. May raise AwsError.
TopicPublisher = Callable[[str, Params, Principal, str], str]
_NO_PERMISSION_CODES = {
    *("AccessDeniedException", "AuthorizationErrorException", "KmsAccessDenied", "KMSAccessDeniedException"),
}
_NO_RESOURCE_CODES = {"QueueDoesNotExist", "NotFoundException"}


def _as_delivery_error(error: AwsError) -> DeliveryError:
    """Map a service's error to EventBridge's code. None of them is retryable."""
    if error.code in _NO_PERMISSION_CODES:
        return DeliveryError("NO_PERMISSIONS", error.message, fix=fix_of(error.code))
    if error.code in _NO_RESOURCE_CODES:
        return DeliveryError("NO_RESOURCE", error.message)
    return DeliveryError("SDK_CLIENT_ERROR", f"{error.code}: {error.message}")


@dataclass
class EventTargets:
    """The senders of one engine."""

    clock: Clock
    sqs: Sqs
    upstream: UpstreamClient
    buses: Buses
    destinations: ApiDestinations
    archives: Archives
    publish: Callable[[Event, Bus], None]
    publish_to_topic: TopicPublisher
    enforce_policies: bool
    log_streams: dict[str, str] = field(default_factory=dict)

    def senders(self) -> dict[str, Sender]:
        """Return the sender of each service."""
        return {
            "events": self._to_events,
            "lambda": self._to_function,
            "logs": self._to_log,
            "states": self._to_state_machine,
            "sns": self._to_topic,
            "sqs": self._to_queue,
        }

    def _to_queue(self, delivery: EventDelivery) -> None:
        entry: Params = {"MessageBody": delivery.body}
        group_id = delivery.target.given.get("SqsParameters", {}).get("MessageGroupId")
        if group_id:
            entry["MessageGroupId"] = group_id
        try:
            traced_entry = with_trace_header(entry, delivery.event.trace_header)
            message_id = self.sqs.deliver(delivery.target.arn, traced_entry, delivery.rule.principal)
            delivery.receipt["message_id"] = message_id
        except AwsError as exc:
            raise _as_delivery_error(exc) from exc

    def _to_topic(self, delivery: EventDelivery) -> None:
        message, trace_header = {"Message": delivery.body}, delivery.event.trace_header or ""
        try:
            message_id = self.publish_to_topic(delivery.target.arn, message, delivery.rule.principal, trace_header)
            delivery.receipt["message_id"] = message_id
        except AwsError as exc:
            raise _as_delivery_error(exc) from exc

    def _to_events(self, delivery: EventDelivery) -> Coroutine[Any, Any, None] | None:
        kind = delivery.target.arn.split(":")[5].partition("/")[0]
        if kind == "api-destination":
            return self.destinations.send(delivery)
        if kind == "event-bus":
            self._to_bus(delivery)
        else:
            self.archives.store(delivery.event, delivery.rule)
        return None

    def _to_bus(self, delivery: EventDelivery) -> None:
        """Put the unchanged event on another bus. An event that came from another bus goes no further.

        Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html
        """
        if delivery.event.hops:
            text = "An event that came from another bus is not sent to a third one."
            raise DeliveryError("THIRD_ACCOUNT_HOP_DETECTED", text)
        sender = delivery.rule.bus
        bus = self.buses.look_up(delivery.target.arn, Caller(sender.account, sender.region))
        if bus is None:
            raise DeliveryError("NO_RESOURCE", f"Event bus {delivery.target.arn} does not exist.")
        if bus.account != sender.account and self.enforce_policies:
            document = delivery.event.document
            keys = condition_keys(document["source"], document["detail-type"], by_bus=True)
            principal = Principal(account=sender.account, context={"aws:SourceArn": delivery.rule.arn, **keys})
            if not allows(bus.policy_text, principal, "events:PutEvents", bus.arn, self.clock.now()):
                text = f"The policy of {bus.arn} does not allow {sender.account} to put events."
                raise DeliveryError("NO_PERMISSIONS", text)
        event = delivery.event.on_next_bus(in_region=bus.region == sender.region)
        if event.event_id != delivery.event.event_id:
            delivery.receipt["message_id"] = event.event_id
        self.publish(event, bus)

    async def _to_function(self, delivery: EventDelivery) -> None:
        rule, enforce = delivery.rule, self.enforce_policies
        await invoke_function(
            self.upstream, delivery.target.arn, delivery.body, rule.principal, enforce_policies=enforce
        )

    async def _to_state_machine(self, delivery: EventDelivery) -> None:
        """Start an execution with the event as its input. The role of the target is not checked: IAM is not built."""
        require_upstream(self.upstream, "Step Functions")
        arn = delivery.target.arn
        try:
            given = {"stateMachineArn": arn, "input": delivery.body}
            answer = await self.upstream.json("AWSStepFunctions.StartExecution", arn, given, version="1.0")
        except (NoAnswerError, TimeoutError) as exc:
            raise no_connection(exc, arn) from exc
        _check_json(answer, arn)
        delivery.receipt["execution"] = str(answer[1].get("executionArn", ""))

    async def _to_log(self, delivery: EventDelivery) -> None:
        """Write a log event with the time of the event. Each rule and target has a log stream.

        A stream that is gone, as its group was deleted and created again, is replaced.
        """
        require_upstream(self.upstream, "CloudWatch Logs")
        arn, key = delivery.target.arn, f"{delivery.rule.arn}/{delivery.target.target_id}"
        try:
            answer = await self._put_log_event(delivery, self.log_streams[key]) if key in self.log_streams else None
            if answer is None or _is_missing(answer):
                stream = new_id()
                given = {"logGroupName": arn.split(":")[6], "logStreamName": stream}
                _check_json(await self.upstream.json("Logs_20140328.CreateLogStream", arn, given), arn)
                self.log_streams[key] = stream
                answer = await self._put_log_event(delivery, stream)
            _check_json(answer, arn)
        except (NoAnswerError, TimeoutError) as exc:
            raise no_connection(exc, arn) from exc

    async def _put_log_event(self, delivery: EventDelivery, stream: str) -> tuple[int, Params]:
        arn = delivery.target.arn
        entries = {"logGroupName": arn.split(":")[6], "logStreamName": stream, "logEvents": [_log_event(delivery)]}
        return await self.upstream.json("Logs_20140328.PutLogEvents", arn, entries)


def _log_event(delivery: EventDelivery) -> Params:
    """Build the log event. A transformed input of the form {"timestamp": ..., "message": ...} gives its message."""
    time_ms = int(delivery.event.ingested_at * 1000)
    try:
        given = json.loads(delivery.body)
    except ValueError:
        given = None
    if isinstance(given, dict) and given.keys() == {"timestamp", "message"}:
        message = given["message"]
        return {"timestamp": time_ms, "message": message if isinstance(message, str) else json.dumps(message)}
    return {"timestamp": time_ms, "message": delivery.body}


def _is_missing(answer: tuple[int, Params]) -> bool:
    return str(answer[1].get("__type", "")).endswith(("ResourceNotFoundException", "StateMachineDoesNotExist"))


def _check_json(answer: tuple[int, Params], arn: str) -> None:
    status, document = answer
    if status < 300:
        return
    if _is_missing(answer):
        raise DeliveryError("NO_RESOURCE", f"{arn} does not exist.")
    check_answer(Answer(status, {}, json.dumps(document).encode()), arn)
