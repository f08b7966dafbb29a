"""The boundary of one engine: which of its queues, topics and buses the upstream's services send to, and their bridges.

A bridge exists only while a sender is configured and its target exists. A sender that is deleted leaves its bridge.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Iterable, Mapping
from contextlib import suppress
from typing import Any, cast

from localbus.background_tasks import BackgroundTasks
from localbus.boundary.bridge import Bridge
from localbus.boundary.configuration import Configuration, Sender, not_sent
from localbus.boundary.delivery import Deliveries
from localbus.boundary.mirror import Mirror, MirrorError
from localbus.boundary.names import Kind, Name, name_of
from localbus.boundary.properties import read_stream_mapping
from localbus.boundary.templates import senders_in
from localbus.errors import AwsError
from localbus.events.bus import DEFAULT_BUS, Rule
from localbus.http.client import NoAnswerError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.upstream.client import UpstreamClient

_OF_QUEUE = ("ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit", "MaximumMessageSize")
_OF_TOPIC = ("FifoTopic", "ContentBasedDeduplication")
_WITHOUT_GROUPS = {"iot", "pipes", "ses"}  # their messages have no group, which FIFO needs
_IN_THEIR_SCOPE = {"iot", "ses"}  # the upstream sends them within one account and region
_INVALID_TARGETS = "Unable to validate the following destination configurations"
_Senders = dict[tuple[str, str], Sender]
# Kinds of records: senders of a target, by its ARN, and senders to any target of a kind, account and region.
_SENDER, _SENDER_TO_ANY = "boundary.sender", "boundary.sender_to_any"


class Boundary:
    """The senders of each target, and a bridge for each target that needs one."""

    def __init__(self, deliveries: Deliveries, calls: UpstreamClient, tasks: BackgroundTasks) -> None:
        self._deliveries = deliveries
        self._calls = calls
        self._tasks = tasks
        self._storage = deliveries.sqs.storage
        self._senders: dict[Name, _Senders] = {}
        self._senders_to_any: dict[tuple[Kind, str, str], _Senders] = {}
        self._bridges: dict[Name, tuple[Bridge, asyncio.Task[None]]] = {}
        self._new: set[Bridge] = set()
        self._deletions: dict[Name, asyncio.Task[None]] = {}
        for registry in (deliveries.sqs.queues, deliveries.sns.topics, deliveries.events.buses):
            registry.on_change.append(self._target_changed)
        deliveries.events.on_rule = self._rule_changed

    def restore(self) -> None:
        """Read the senders from the storage, when the engine starts, and go on with their bridges."""
        for arn, _, document in self._storage.records(_SENDER):
            sender = Sender(**document)
            self._senders.setdefault(name_of(arn), {})[sender.key] = sender
        for scope_text, _, document in self._storage.records(_SENDER_TO_ANY):
            kind, account, region = scope_text.split(":")
            sender = Sender(**document)
            self._senders_to_any.setdefault((cast(Kind, kind), account, region), {})[sender.key] = sender
        for name in {*self._senders, *self._existing()}:
            self._update(name)

    def _add(self, name: Name, sender: Sender) -> None:
        self._senders.setdefault(name, {})[sender.key] = sender
        self._storage.save(_SENDER, " ".join(sender.key), sender.document, name.arn)

    @property
    def bridges(self) -> dict[str, list[str]]:
        """The senders by the ARN of each target that has a bridge."""
        return {name.arn: [one.arn or one.service for one in self._senders_of(name)] for name in self._bridges}

    @property
    def is_ready(self) -> bool:
        """False while a bridge has not been created for the first time."""
        return not self._new

    async def ready(self) -> None:
        """Wait until each bridge is created. One that the upstream does not answer is left to its own retries."""
        for bridge in list(self._new):
            with suppress(MirrorError, NoAnswerError, TimeoutError):
                await bridge.create()
            self._new.discard(bridge)

    async def prepare(self, configuration: Configuration, caller: Caller) -> None:
        """Make the bridges that a sender needs, before the upstream gets its configuration. Raises AwsError."""
        sender = configuration.sender
        if sender.service in _WITHOUT_GROUPS and any(name.is_fifo for name in configuration.targets):
            raise not_sent(f"A FIFO queue or topic as a target of {sender.service}", "A standard one is possible.")
        for name in configuration.targets:
            if sender.service in _IN_THEIR_SCOPE and (name.account, name.region) != (caller.account, caller.region):
                what = f"{name.arn}, of another account or region, as a target of {sender.service}"
                raise not_sent(what, "Name one of the sender's own account and region.")
        for name in configuration.targets:
            self._add(name, sender)
        for kind in configuration.all_of:
            scope = (kind, caller.account, caller.region)
            self._senders_to_any.setdefault(scope, {})[sender.key] = sender
            self._storage.save(_SENDER_TO_ANY, " ".join(sender.key), sender.document, ":".join(scope))
        every = [name for name in self._existing() if (name.kind, name.account, name.region) in self._senders_to_any]
        for name in {*configuration.targets, *(every if configuration.all_of else ())}:
            bridge = self._update(name)
            try:
                if bridge is not None:
                    await bridge.create(again=True)
            except MirrorError as exc:
                raise AwsError("InternalFailure", f"The upstream cannot serve {name.arn}: {exc}") from exc
            except (NoAnswerError, TimeoutError):  # the bridge tries again; so does the sender of this request
                pass

    async def prepare_stack(self, resources: Mapping[str, Any], caller: Caller) -> None:
        """Make the bridges for resources that the upstream is going to deploy. Raises AwsError."""
        for configuration in list(senders_in(resources, caller)):
            if configuration.sender.service == "s3":
                self.check_bucket(configuration, caller)
            await self.prepare(configuration, caller)

    async def prepare_mapping(self, given: Params, caller: Caller) -> None:
        """Make the bridge for the destination of an event source mapping of the upstream. Raises AwsError."""
        await self.prepare(read_stream_mapping(given, caller), caller)

    async def check_functions(self, configuration: Configuration) -> None:
        """Raise AwsError if a function that is to be a destination does not exist."""
        for arn in sorted(configuration.functions):
            with suppress(NoAnswerError, TimeoutError):
                if await self._calls.has_function(arn):
                    continue
                if configuration.sender.service == "s3":
                    reason = "The destination function does not exist"
                    raise AwsError("InvalidArgument", f"{_INVALID_TARGETS}: {arn}: {reason}")
                raise AwsError("InvalidParameterValueException", f"The destination ARN {arn} is invalid.")

    def check_bucket(self, configuration: Configuration, caller: Caller) -> None:
        """Raise AwsError unless the targets of a bucket's notifications exist and allow S3 to send."""
        principal = configuration.sender.principal(configuration.sender.arn, caller.account)
        for name in sorted(one for one in configuration.targets if one.kind != "events"):
            if name.is_fifo:
                reason = "S3 sends to standard queues and topics only, not to FIFO ones"
                raise AwsError("InvalidArgument", f"{_INVALID_TARGETS}: {name.arn}: {reason}")
            word = "queue" if name.kind == "sqs" else "topic"
            try:
                service = self._deliveries.sqs if name.kind == "sqs" else self._deliveries.sns
                service.check_delivery(name.arn, principal)
            except AwsError as exc:
                missing = exc.code in {"QueueDoesNotExist", "NotFoundException"}
                reason = f"Permissions on the destination {word} do not allow S3 to publish notifications"
                reason = f"The destination {word} does not exist" if missing else f"{reason} from this bucket"
                raise AwsError("InvalidArgument", f"{_INVALID_TARGETS}: {name.arn}: {reason}") from exc

    def _senders_of(self, name: Name) -> list[Sender]:
        to_any = self._senders_to_any.get((name.kind, name.account, name.region), {})
        return list((to_any | self._senders.get(name, {})).values())

    def _existing(self) -> Iterable[Name]:
        deliveries = self._deliveries
        yield from (name_of(record.queue.arn) for record in deliveries.sqs.queues)
        yield from (name_of(topic.arn) for topic in deliveries.sns.topics)
        yield from (name_of(bus.arn) for bus in deliveries.events.buses)

    def _target_changed(self, arn: str) -> None:
        """Follow the creation or deletion of a queue, topic or bus."""
        self._update(name_of(arn))

    def _rule_changed(self, rule: Rule) -> Awaitable[None] | None:
        """Bridge the default bus, which has the events of AWS's services, for the first rule that can match one."""
        bus = rule.bus
        if bus.name != DEFAULT_BUS or rule.pattern is None or not _may_match_services(rule.pattern.text):
            return None
        name = Name("events", bus.account, bus.region, bus.name)
        self._add(name, Sender("services"))
        self._update(name)
        return None if self.is_ready else self.ready()

    def _update(self, name: Name) -> Bridge | None:
        """Start or end the bridge of a target, and return it if there is one."""
        senders = self._senders_of(name)
        exists = bool(senders) and self._attributes(name) is not None
        needed = exists or any(one.may_precede_target for one in senders)
        if needed and name not in self._bridges:
            bridge = Bridge(
                Mirror(name, self._calls),
                lambda: self._attributes(name) or ({"FifoQueue": "true"} if name.is_fifo else {}),
                lambda message: self._deliveries.deliver(name, self._senders_of(name), message),
                self._deletions.pop(name, None),
                stored=self._storage.stored,
            )
            self._bridges[name] = bridge, self._tasks.start(bridge.run())
            self._new.add(bridge)
        elif not needed and name in self._bridges:
            bridge, task = self._bridges.pop(name)
            task.cancel()
            self._new.discard(bridge)
            self._deletions[name] = self._tasks.start(bridge.delete())
        return self._bridges[name][0] if needed else None

    def _attributes(self, name: Name) -> dict[str, str] | None:
        """Return the attributes of a target that its mirror needs; None if the target does not exist."""
        match name.kind:
            case "sqs":
                record = self._deliveries.sqs.queues.by_arn(name.arn)
                return None if record is None else _picked(record.attributes, _OF_QUEUE)
            case "sns":
                topic = self._deliveries.sns.topics.look_up(name.arn)
                return None if topic is None else _picked(topic.attributes, _OF_TOPIC)
            case "events":
                bus = self._deliveries.events.buses.look_up(name.arn, Caller(name.account, name.region))
                return None if bus is None else {}


def _picked(attributes: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name: attributes[name] for name in names if name in attributes}


def _may_match_services(pattern: str) -> bool:
    """Return whether a pattern can match an event of a service of AWS, whose source begins with `aws.`."""
    sources = json.loads(pattern).get("source")
    return not isinstance(sources, list) or any(not isinstance(one, str) or one.startswith("aws.") for one in sources)
