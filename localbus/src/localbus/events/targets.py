"""The services that can be targets of a rule, and what each needs to take an event.

Each sender raises UndeliveredError with EventBridge's code for what went wrong; whether and when there is another
attempt is the part of `delivery`.
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from localbus.errors import AwsError
from localbus.events.api_destination import ApiDestinations
from localbus.events.bus import Bus, Buses
from localbus.events.delivery import Delivery, Sender, UndeliveredError
from localbus.events.event import Event
from localbus.http.client import Answer, NoAnswerError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.protocol.trace_header import traced
from localbus.resource_policy import Principal, allows
from localbus.sqs.state import Sqs
from localbus.upstream.client import UpstreamCalls

Deliver = Callable[[str, Params, Principal, str], object]  # of an ARN, the message, who sends, and a trace header
_NO_PERMISSION_CODES = {
    *("AccessDeniedException", "AuthorizationError", "AccessDenied", "KmsAccessDenied", "KMSAccessDeniedException"),
}
_NO_RESOURCE_CODES = {"QueueDoesNotExist", "NotFound", "NotFoundException", "ResourceNotFoundException"}


def as_undelivered(error: AwsError) -> UndeliveredError:
    """What a service's refusal means: none of these gets better by itself."""
    if error.code in _NO_PERMISSION_CODES:
        return UndeliveredError("NO_PERMISSIONS", error.message)
    if error.code in _NO_RESOURCE_CODES:
        return UndeliveredError("NO_RESOURCE", error.message)
    return UndeliveredError("SDK_CLIENT_ERROR", f"{error.code}: {error.message}")


class EventTargets:
    """The senders by service. SNS says how it takes messages once it is there (`sns`)."""

    def __init__(
        self,
        sqs: Sqs,
        upstream: UpstreamCalls,
        buses: Buses,
        publish: Callable[[Event, Bus], None],
        destinations: ApiDestinations,
        *,
        enforce_policies: bool,
    ) -> None:
        self.sns: Deliver | None = None
        self.archive: Callable[[Delivery], None] = lambda _delivery: None
        self._sqs = sqs
        self._upstream = upstream
        self._buses = buses
        self._publish = publish
        self._destinations = destinations
        self._enforce_policies = enforce_policies
        self._log_streams: dict[str, str] = {}

    def senders(self) -> dict[str, Sender]:
        """The table by which deliveries find their way."""
        return {
            "events": self._to_events,
            "lambda": self._to_function,
            "logs": self._to_log,
            "sns": self._to_topic,
            "sqs": self._to_queue,
        }

    def _to_queue(self, delivery: Delivery) -> None:
        entry: Params = {"MessageBody": delivery.body}
        group_id = delivery.target.given.get("SqsParameters", {}).get("MessageGroupId")
        if group_id:
            entry["MessageGroupId"] = group_id
        try:
            traced_entry = traced(entry, delivery.event.trace_header)
            delivery.message_id = self._sqs.deliver(delivery.target.arn, traced_entry, delivery.rule.principal)
        except AwsError as exc:
            raise as_undelivered(exc) from exc

    def _to_topic(self, delivery: Delivery) -> None:
        if self.sns is None:
            raise UndeliveredError("NO_RESOURCE", "This engine has no SNS.")
        try:
            trace_header = delivery.event.trace_header or ""
            self.sns(delivery.target.arn, {"Message": delivery.body}, delivery.rule.principal, trace_header)
        except AwsError as exc:
            raise as_undelivered(exc) from exc

    def _to_events(self, delivery: Delivery) -> Awaitable[None] | None:
        kind = delivery.target.arn.split(":")[5].partition("/")[0]
        if kind == "api-destination":
            return self._destinations.send(delivery)
        if kind == "event-bus":
            self._to_bus(delivery)
        else:
            self.archive(delivery)
        return None

    def _to_bus(self, delivery: Delivery) -> None:
        """Put the event on another bus, as it is. From there it goes on to no third one.

        Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html
        """
        if delivery.event.hops:
            reason = "An event that came from another bus is not sent to a third one."
            raise UndeliveredError("THIRD_ACCOUNT_HOP_DETECTED", reason)
        sender = delivery.rule.bus
        bus = self._buses.look_up(delivery.target.arn, Caller(sender.account, sender.region))
        if bus is None:
            raise UndeliveredError("NO_RESOURCE", f"Event bus {delivery.target.arn} does not exist.")
        if bus.account != sender.account and self._enforce_policies:
            principal = Principal(account=sender.account, context={"aws:SourceArn": delivery.rule.arn})
            if not allows(json.dumps(bus.policy) if bus.policy else "", principal, "events:PutEvents", bus.arn):
                reason = f"The policy of {bus.arn} does not let {sender.account} put events."
                raise UndeliveredError("NO_PERMISSIONS", reason)
        event = delivery.event.on_next_bus(in_region=bus.region == sender.region)
        if event.event_id != delivery.event.event_id:
            delivery.message_id = event.event_id
        self._publish(event, bus)

    async def _to_function(self, delivery: Delivery) -> None:
        arn = delivery.target.arn
        self._need_upstream("Lambda")
        try:
            if self._enforce_policies:
                await self._check_permission(delivery)
            _check(await self._upstream.invoke(arn, delivery.body, wait=False), arn)
        except (NoAnswerError, TimeoutError) as exc:
            raise UndeliveredError("CONNECTION_FAILURE", str(exc) or "timed out", again=True) from exc

    async def _check_permission(self, delivery: Delivery) -> None:
        """A function takes events only from rules that its policy names.

        Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
        """
        arn = delivery.target.arn
        policy = await self._upstream.function_policy(arn)
        if allows(policy, delivery.rule.principal, "lambda:InvokeFunction", arn):
            return
        if not policy and not await self._upstream.has_function(arn):
            raise UndeliveredError("NO_RESOURCE", f"{arn} does not exist.")
        raise UndeliveredError("NO_PERMISSIONS", f"The policy of {arn} does not let this rule invoke it.")

    async def _to_log(self, delivery: Delivery) -> None:
        """One log stream for each rule and target; the event's time is the log event's."""
        self._need_upstream("CloudWatch Logs")
        arn = delivery.target.arn
        group = arn.split(":")[6]
        key = f"{delivery.rule.arn}/{delivery.target.target_id}"
        try:
            if key not in self._log_streams:
                stream = new_id()
                given = {"logGroupName": group, "logStreamName": stream}
                _check_json(await self._upstream.json("Logs_20140328.CreateLogStream", arn, given), arn)
                self._log_streams[key] = stream
            entry = _log_event(delivery)
            entries: Params = {"logGroupName": group, "logStreamName": self._log_streams[key], "logEvents": [entry]}
            _check_json(await self._upstream.json("Logs_20140328.PutLogEvents", arn, entries), arn)
        except (NoAnswerError, TimeoutError) as exc:
            raise UndeliveredError("CONNECTION_FAILURE", str(exc) or "timed out", again=True) from exc

    def _need_upstream(self, service: str) -> None:
        if not self._upstream.is_there:
            raise UndeliveredError("NO_RESOURCE", f"This engine has no {service}: it was started with no --upstream.")


def _log_event(delivery: Delivery) -> Params:
    """A transformed input may be {"timestamp": ..., "message": ...}; anything else is the message itself."""
    time_ms = int(delivery.event.ingested_at * 1000)
    try:
        given = json.loads(delivery.body)
    except ValueError:
        given = None
    if isinstance(given, dict) and given.keys() == {"timestamp", "message"}:
        message = given["message"]
        return {"timestamp": time_ms, "message": message if isinstance(message, str) else json.dumps(message)}
    return {"timestamp": time_ms, "message": delivery.body}


def _check(answer: Answer, arn: str) -> None:
    """What an HTTP status of a service of AWS means."""
    if answer.status < 300:
        return
    text = f"{arn} answered {answer.status}: {answer.body[:200].decode('utf-8', 'replace')}"
    match answer.status:
        case 404:
            raise UndeliveredError("NO_RESOURCE", text)
        case 401 | 403:
            raise UndeliveredError("NO_PERMISSIONS", text)
        case 429:
            raise UndeliveredError("THROTTLING", text, again=True)
        case status if status >= 500:
            raise UndeliveredError("ERROR_FROM_TARGET", text, again=True)
    raise UndeliveredError("SDK_CLIENT_ERROR", text)


def _check_json(answer: tuple[int, Params], arn: str) -> None:
    status, document = answer
    if status < 300:
        return
    if str(document.get("__type", "")).endswith("ResourceNotFoundException"):
        raise UndeliveredError("NO_RESOURCE", f"{arn} does not exist.")
    _check(Answer(status, {}, json.dumps(document).encode()), arn)
