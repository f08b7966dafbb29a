"""An inventory: what exists in an account, in the shapes of AWS's own APIs, and how the resources are connected."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from orderboard.resources.policy import Sender

Document = Mapping[str, Any]
KINDS: Final = ("queue", "topic", "subscription", "bus", "rule", "mapping", "table")
SNS, EVENTS = "sns.amazonaws.com", "events.amazonaws.com"


@dataclass(frozen=True)
class Edge:
    """A way for messages from one resource to another.

    via is the resource that configures it: a subscription, a rule, a mapping, or the queue itself for its dead letters.
    sender is None where the target's policy does not matter, as for a queue's own dead letters.
    """

    via: str
    source: str
    target: str
    sender: Sender | None
    is_dead_letter: bool = False


@dataclass(frozen=True)
class Inventory:
    """Resources by kind. queues and subscriptions, like topics, are their attributes; rules have their Targets.

    now_s is the backend's time. oldest_sent_at has the queues (by ARN) whose age is known, None for an empty one.
    scopes: the accounts and regions that were read, None for all; unread: why a kind could not be read, by its name.
    """

    now_s: float
    queues: tuple[Document, ...] = ()
    topics: tuple[Document, ...] = ()
    subscriptions: tuple[Document, ...] = ()
    buses: tuple[Document, ...] = ()
    rules: tuple[Document, ...] = ()
    archives: tuple[Document, ...] = ()
    mappings: tuple[Document, ...] = ()
    tables: tuple[Document, ...] = ()
    oldest_sent_at: Mapping[str, float | None] = field(default_factory=dict)
    scopes: frozenset[tuple[str, str]] | None = None
    unread: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_arn(self) -> dict[str, tuple[str, Document]]:
        """The kind and the document of each resource, by its ARN."""
        keys = {
            "queue": (self.queues, "QueueArn"),
            "topic": (self.topics, "TopicArn"),
            "subscription": (self.subscriptions, "SubscriptionArn"),
            "bus": (self.buses, "Arn"),
            "rule": (self.rules, "Arn"),
            "mapping": (self.mappings, "EventSourceMappingArn"),
            "table": (self.tables, "TableArn"),
        }
        return {str(each[key]): (kind, each) for kind, (found, key) in keys.items() for each in found if key in each}

    def kind(self, arn: str) -> str | None:
        """Return the kind of a resource; None if it is not here."""
        return self.by_arn[arn][0] if arn in self.by_arn else None

    def covers(self, arn: str) -> bool:
        """Return whether a resource of this ARN would be here if it existed."""
        parts = arn.split(":")
        if len(parts) < 6 or (parts[2] not in ("sqs", "sns") and ":event-bus/" not in arn):
            return False
        name = {"sqs": "queue", "sns": "topic"}.get(parts[2], "bus")
        return name not in self.unread and (self.scopes is None or (parts[4], parts[3]) in self.scopes)

    def policy(self, arn: str) -> str:
        """Return the text of a resource's policy; empty without one."""
        return str(self.by_arn[arn][1].get("Policy") or "") if arn in self.by_arn else ""

    def subscriptions_of(self, topic_arn: str) -> list[Document]:
        """Return the subscriptions of a topic."""
        return [each for each in self.subscriptions if each["TopicArn"] == topic_arn]

    def rules_of(self, bus_arn: str) -> list[Document]:
        """Return the rules of a bus, without those that AWS manages."""
        return [each for each in self.rules if bus_of(each) == bus_arn and "ManagedBy" not in each]

    def describe(self, arn: str) -> str:
        """Return a resource in words, such as `queue work`; the ARN of one that is not here."""
        if arn not in self.by_arn:
            kind = {"sqs": "queue", "sns": "topic", "lambda": "function", "dynamodb": "table"}.get(service_of(arn))
            return arn if kind is None else f"{kind} {name_of(arn)}"
        kind, document = self.by_arn[arn]
        return f"{kind} {label(kind, document)}"

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Every way for messages, dead letters included."""
        return (*self._of_queues(), *self._of_subscriptions(), *self._of_rules(), *self._of_mappings())

    @cached_property
    def _arriving(self) -> defaultdict[str, list[Edge]]:
        found = defaultdict[str, list[Edge]](list)
        for each in self.edges:
            found[each.target].append(each)
        return found

    def _of_queues(self) -> Iterator[Edge]:
        for each in self.queues:
            target = object_of(each.get("RedrivePolicy")).get("deadLetterTargetArn")
            if target:
                yield Edge(each["QueueArn"], each["QueueArn"], str(target), None, is_dead_letter=True)

    def _of_subscriptions(self) -> Iterator[Edge]:
        for each in self.subscriptions:
            arn, topic = each["SubscriptionArn"], each["TopicArn"]
            sender = Sender(SNS, topic)
            yield Edge(arn, topic, each["Endpoint"], sender if each["Protocol"] == "sqs" else None)
            target = object_of(each.get("RedrivePolicy")).get("deadLetterTargetArn")
            if target:
                yield Edge(arn, arn, str(target), sender, is_dead_letter=True)

    def _of_rules(self) -> Iterator[Edge]:
        for rule in self.rules:
            sender = Sender(EVENTS, rule["Arn"])
            for target in rule.get("Targets", ()):
                by_policy = service_of(target["Arn"]) in ("sqs", "sns") and "RoleArn" not in target
                yield Edge(rule["Arn"], bus_of(rule), target["Arn"], sender if by_policy else None)
                dead = target.get("DeadLetterConfig", {}).get("Arn")
                if dead:
                    yield Edge(rule["Arn"], rule["Arn"], dead, sender, is_dead_letter=True)

    def _of_mappings(self) -> Iterator[Edge]:
        for each in self.mappings:
            if "EventSourceArn" in each:
                yield Edge(each["EventSourceMappingArn"], each["EventSourceArn"], each["FunctionArn"], None)

    def dead_letter_sources(self, queue_arn: str) -> list[str]:
        """Return the ARNs of the queues, subscriptions and rules whose dead-letter queue this is."""
        return list(dict.fromkeys(each.via for each in self._arriving[queue_arn] if each.is_dead_letter))

    def feeding(self, arn: str) -> list[Edge]:
        """Return the ways by which messages come here, without dead letters."""
        return [each for each in self._arriving[arn] if not each.is_dead_letter]


def label(kind: str, document: Document) -> str:
    """Return a resource's name for people, such as `orders to work` for a subscription."""
    match kind:
        case "subscription":
            return f"{name_of(document['TopicArn'])} to {name_of(document['Endpoint'])}"
        case "rule":
            return f"{document['Name']} on {document.get('EventBusName', 'default')}"
        case "mapping":
            return f"{name_of(document.get('EventSourceArn', 'a source'))} to {name_of(document['FunctionArn'])}"
        case "table":
            return str(document["TableName"])
        case "bus":
            return str(document["Name"])
        case _:
            return name_of(document["QueueArn" if kind == "queue" else "TopicArn"])


def bus_of(rule: Document) -> str:
    """Return the ARN of a rule's bus."""
    name = str(rule.get("EventBusName") or "default")
    return name if name.startswith("arn:") else f"{rule['Arn'].split(':rule/')[0]}:event-bus/{name}"


def name_of(arn: str) -> str:
    """Return the name at the end of an ARN; a text that is not an ARN, such as a URL, as it is."""
    return arn.rpartition(":")[2].rpartition("/")[2] if arn.startswith("arn:") else arn


def service_of(arn: str) -> str:
    """Return the service in an ARN."""
    return arn.split(":")[2] if arn.startswith("arn:") and arn.count(":") >= 5 else ""


def scope_of(arn: str) -> tuple[str, str]:
    """Return the account and the region in an ARN."""
    parts = arn.split(":")
    return parts[4], parts[3]


def scopes_of(arns: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Return the accounts and regions of these ARNs."""
    return frozenset(scope_of(each) for each in arns)


def object_of(text: object) -> dict[str, Any]:
    """Return the JSON object in an attribute; an empty one if it has none."""
    try:
        found = json.loads(str(text or "{}"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
