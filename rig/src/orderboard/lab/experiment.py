"""An experiment: a claim, and the steps that put it to the proof. A file in `lab/` builds one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from orderboard.lab.recorder import Recorder
from orderboard.lab.steps import Call, Check, Remove
from orderboard.lab.values import Joined, Json, Name, Value, Variable, Zip

SQS, SNS, EVENTS = "sqs.amazonaws.com", "sns.amazonaws.com", "events.amazonaws.com"
_READY_WITHIN_S: Final = 90
_SETTLED_AFTER_S: Final = 15
_COUNTS: Final = {
    "ApproximateNumberOfMessages": "waiting, ",
    "ApproximateNumberOfMessagesNotVisible": "in flight, ",
    "ApproximateNumberOfMessagesDelayed": "delayed",
}
_RUNTIME: Final = "python3.13"
_EXECUTION_POLICY: Final = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"


@dataclass
class Queue:
    """A queue of an experiment. Its ARN is read when it is first needed."""

    lab: Experiment
    name: str
    url: Variable
    senders: list[tuple[str, Value]] = field(default_factory=list)
    _arn: Variable | None = None

    @property
    def arn(self) -> Variable:
        """The queue's ARN."""
        if self._arn is None:
            found = self.lab.you.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
            self._arn = found.keep("Attributes.QueueArn", f"{self.name}_arn")
        return self._arn


@dataclass(frozen=True)
class Bus:
    """An event bus of an experiment."""

    name: Name
    arn: Variable

    def entry(self, detail: Any, *, source: str = "shop", detail_type: str = "order") -> dict[str, Any]:
        """An entry of PutEvents for this bus. A document as detail becomes JSON."""
        text = Json(detail) if isinstance(detail, dict) else detail
        return {"EventBusName": self.name, "Source": source, "DetailType": detail_type, "Detail": text}


@dataclass(frozen=True)
class Rule:
    """A rule of an experiment."""

    name: Name
    arn: Variable


@dataclass(frozen=True)
class Function:
    """A Lambda function of an experiment."""

    name: Name
    arn: Variable


class Experiment(Recorder):
    """A claim of AWS's documentation, and the steps that show whether it holds.

    claim: a sentence that can be true or false. source: AWS's page. means: what follows for the reader's code.
    """

    def __init__(self, claim: str, source: str, means: str, *, needs: Sequence[str] = ()) -> None:
        super().__init__(frozenset(needs))
        self.claim = claim
        self.source = source
        self.means = means
        self._settled = True

    def step(self, text: str) -> None:
        """A sentence about the steps that follow. New policies, subscriptions and rules are in effect by then."""
        if not self._settled:
            self.settle(_SETTLED_AFTER_S, "new policies, subscriptions and rules take effect")
            self._settled = True
        super().step(text)

    def queue(self, name: str = "orders", *, fifo: bool = False, **attributes: Any) -> Queue:
        """Create a queue. Attributes by SQS's names; documents become JSON."""
        settings = {"FifoQueue": "true", **_texts(attributes)} if fifo else _texts(attributes)
        parameters: dict[str, Any] = {"QueueName": Name(f"{name}.fifo" if fifo else name)}
        created = self.you.sqs.create_queue(**parameters, **({"Attributes": settings} if settings else {}))
        url = created.keep("QueueUrl", f"{name}_url")
        self.remove("sqs", "delete_queue", QueueUrl=url)
        return Queue(self, name, url)

    def dead_letters(
        self, name: str = "failed", *, after: int, fifo: bool = False, **attributes: Any
    ) -> tuple[Queue, Json]:
        """Create a dead-letter queue; return it, and the RedrivePolicy of its source queues."""
        queue = self.queue(name, fifo=fifo, **attributes)
        return queue, Json({"deadLetterTargetArn": queue.arn, "maxReceiveCount": after})

    def counts(self, queue: Queue, *expected: str, within_s: float = 75) -> Variable:
        """Wait until a queue has so many messages: "1 waiting, 2 in flight, 0 delayed", or one of several such texts.

        Return what it has at last. AWS's numbers may be a minute late.
        """
        seen = self.you.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=list(_COUNTS))
        parts = ", ".join(f"Attributes.{name}, ' {words}'" for name, words in _COUNTS.items())
        found = seen.keep(f"join('', [{parts}])", f"{queue.name}_counts")
        if len(expected) == 1:
            self.until(seen, found, expected[0], within_s=within_s)
        else:
            self.until(seen, found, expected, "is one of", within_s=within_s)
        return found

    def disorder(self, why: str, queue: Queue | None = None, **settings: float) -> None:
        """Make a queue of localbus, or all queues and rules, as unreliable as AWS allows: duplicates=1.0, seed=7.

        At the end the settings are as before.
        """
        self.engine("disorder", settings if queue is None else {"queues": {Name(queue.name): settings}}, why)

    def allow(self, queue: Queue, service: str, source: Value) -> None:
        """Let a service send to the queue for a topic, rule or other source (its ARN), beside those allowed before."""
        arn = queue.arn
        queue.senders.append((service, source))
        statements = [
            {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": source}},
            }
            for service, source in queue.senders
        ]
        policy = Json({"Version": "2012-10-17", "Statement": statements})
        self.you.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": policy})
        self._settled = False

    def topic(self, name: str = "orders", *, fifo: bool = False, **attributes: Any) -> Variable:
        """Create a topic; return its ARN."""
        settings = {"FifoTopic": "true", **_texts(attributes)} if fifo else _texts(attributes)
        parameters: dict[str, Any] = {"Name": Name(f"{name}.fifo" if fifo else name)}
        created = self.you.sns.create_topic(**parameters, **({"Attributes": settings} if settings else {}))
        arn = created.keep("TopicArn", f"{name}_topic_arn")
        self.remove("sns", "delete_topic", TopicArn=arn)
        return arn

    def subscribe(self, topic: Variable, queue: Queue, *, allowed: bool = True, **attributes: Any) -> Variable:
        """Subscribe a queue, with its policy unless `allowed` is false; return the subscription's ARN.

        Attributes by SNS's names: RawMessageDelivery="true", FilterPolicy={...}, RedrivePolicy={...}.
        """
        arn = queue.arn
        if allowed:
            self.allow(queue, SNS, topic)
        settings = {"Attributes": _texts(attributes)} if attributes else {}
        made = self.you.sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True, **settings
        )
        return made.keep("SubscriptionArn", f"{queue.name}_subscription_arn")

    def bus(self, name: str = "shop") -> Bus:
        """Create an event bus."""
        arn = self.you.events.create_event_bus(Name=Name(name)).keep("EventBusArn", f"{name}_bus_arn")
        self.remove("events", "delete_event_bus", Name=Name(name))
        return Bus(Name(name), arn)

    def rule(self, name: str, *, bus: Bus | None = None, **settings: Any) -> Rule:
        """Create a rule: EventPattern={...} or ScheduleExpression="rate(1 minute)". Targets: `target`."""
        where = {} if bus is None else {"EventBusName": bus.name}
        made = self.you.events.put_rule(Name=Name(name), **where, **_documents(settings))
        self.remove("events", "delete_rule", Name=Name(name), **where)
        return Rule(Name(name), made.keep("RuleArn", f"{name}_rule_arn"))

    def target(
        self, rule: Rule, queue: Queue, *, bus: Bus | None = None, allowed: bool = True, **settings: Any
    ) -> None:
        """Send what a rule matches to a queue, with the queue's policy unless `allowed` is false.

        Settings of the target by EventBridge's names: Input, InputTransformer, RetryPolicy, DeadLetterConfig.
        """
        arn = queue.arn
        if allowed:
            self.allow(queue, EVENTS, rule.arn)
        self.target_arn(rule, queue.name, arn, bus=bus, **settings)

    def target_arn(self, rule: Rule, target_id: str, arn: Value, *, bus: Bus | None = None, **settings: Any) -> None:
        """Send what a rule matches to the target with this ARN."""
        where = {} if bus is None else {"EventBusName": bus.name}
        target = {"Id": target_id, "Arn": arn, **settings}
        self.you.events.put_targets(Rule=rule.name, **where, Targets=[target])
        self._settled = False
        self.remove("events", "remove_targets", Rule=rule.name, **where, Ids=[target_id])

    def archive(self, bus: Bus, name: str = "kept", **settings: Any) -> Variable:
        """Archive the events of a bus; return the archive's ARN once it is enabled."""
        made = self.you.events.create_archive(ArchiveName=Name(name), EventSourceArn=bus.arn, **_documents(settings))
        self.remove("events", "delete_archive", ArchiveName=Name(name))
        arn = made.keep("ArchiveArn", f"{name}_archive_arn")
        seen = self.you.events.describe_archive(ArchiveName=Name(name))
        self.until(seen, seen.keep("State", "archive_state"), "ENABLED", within_s=_READY_WITHIN_S)
        return arn

    def function(self, name: str, code: str, **settings: Any) -> Function:
        """Create a function with a role that may read queues. `code` (Python) defines handler(event, context)."""
        you = self.you
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = you.client("iam").create_role(
            RoleName=Name(name), AssumeRolePolicyDocument=Json({"Version": "2012-10-17", "Statement": [trust]})
        )
        role_arn = role.keep("Role.Arn", f"{name}_role_arn")
        self.remove("iam", "delete_role", RoleName=Name(name))
        you.client("iam").attach_role_policy(RoleName=Name(name), PolicyArn=_EXECUTION_POLICY)
        self.remove("iam", "detach_role_policy", RoleName=Name(name), PolicyArn=_EXECUTION_POLICY)
        self.settle(15, "a new role becomes known to Lambda")
        made = you.functions.create_function(
            FunctionName=Name(name),
            Runtime=_RUNTIME,
            Role=role_arn,
            Handler="index.handler",
            Code={"ZipFile": Zip(code)},
            **settings,
        )
        self.remove("lambda", "delete_function", FunctionName=Name(name))
        seen = you.functions.get_function_configuration(FunctionName=Name(name))
        self.until(seen, seen.keep("State", "function_state"), "Active", within_s=_READY_WITHIN_S)
        return Function(Name(name), made.keep("FunctionArn", f"{name}_function_arn"))

    def mapping(self, queue: Queue, function: Function, **settings: Any) -> Variable:
        """Let Lambda read a queue for a function; return the mapping's id once it is enabled."""
        functions = self.you.functions
        made = functions.create_event_source_mapping(EventSourceArn=queue.arn, FunctionName=function.name, **settings)
        uuid = made.keep("UUID", "mapping_id")
        self.remove("lambda", "delete_event_source_mapping", UUID=uuid)
        seen = functions.get_event_source_mapping(UUID=uuid)
        self.until(seen, seen.keep("State", "mapping_state"), "Enabled", within_s=_READY_WITHIN_S)
        return uuid

    def remove(self, service: str, operation: str, **parameters: Any) -> None:
        """Make this call at the end, before those that were recorded earlier."""
        self.add(Remove(Call(self.you.party, service, operation, parameters)))

    @property
    def checks(self) -> list[Check]:
        """Every check, in order."""
        return [each for each in self.all_steps() if isinstance(each, Check)]


def _documents(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with documents as JSON text."""
    return {name: Json(value) if isinstance(value, dict) else value for name, value in settings.items()}


def _texts(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes as AWS takes them: documents as JSON text, numbers and truth values as text."""
    texts: dict[str, Any] = {}
    for name, value in attributes.items():
        match value:
            case dict():
                texts[name] = Json(value)
            case bool():
                texts[name] = "true" if value else "false"
            case int():
                texts[name] = str(value)
            case _:
                texts[name] = value
    return texts


__all__ = ["EVENTS", "SNS", "SQS", "Bus", "Experiment", "Function", "Joined", "Queue", "Rule"]
