"""The inventory as the page shows it: a row for each resource, with its numbers, links, problems and attributes."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from orderboard.resources.inventory import Document, Inventory, bus_of, label, object_of, scope_of
from orderboard.resources.policy import who_may_send
from orderboard.resources.problems import Problem

# Attributes whose value is a JSON document, in the order in which the page shows them.
_DOCUMENTS: Final = ("EventPattern", "FilterPolicy", "FilterCriteria", "Policy", "DeliveryPolicy", "KeySchema")
_SHOWN: Final = 100  # characters of a filter policy or pattern beside a link
_COUNTS: Final = {
    "visible": "ApproximateNumberOfMessages",
    "in_flight": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
}


@dataclass(frozen=True)
class Link:
    """Another resource, and its role for this one. arn is None if it is not on the page."""

    role: str
    label: str
    arn: str | None


@dataclass(frozen=True)
class Row:
    """One resource. about: a few words for the list; who: who may send, None for those that nobody sends to."""

    kind: str
    arn: str
    name: str
    about: str = ""
    who: str | None = None
    counts: Mapping[str, float | None] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    problems: tuple[Problem, ...] = ()
    documents: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """JSON for the page, with the account and region."""
        account, region = scope_of(self.arn)
        return {**asdict(self), "account": account, "region": region}


def rows_of(inventory: Inventory, problems: Mapping[str, list[Problem]]) -> list[Row]:
    """Return a row for each resource, by kind and name; rules that AWS manages are left out."""
    found = []
    for arn, (kind, document) in inventory.by_arn.items():
        if "ManagedBy" in document:
            continue
        documents = {name: _text(document[name]) for name in _DOCUMENTS if document.get(name)}
        row = Row(
            kind=kind,
            arn=arn,
            name=label(kind, document),
            about=_about(inventory, kind, document),
            who=who_may_send(inventory.policy(arn), arn) if kind in ("queue", "topic", "bus") else None,
            counts=_counts(inventory, kind, document),
            links=tuple(_links(inventory, arn, kind, document)),
            problems=tuple(problems.get(arn, ())),
            documents=documents,
            attributes={name: _plain(value) for name, value in document.items() if name not in documents},
        )
        found.append(row)
    order = {kind: place for place, kind in enumerate(("queue", "topic", "subscription", "bus", "rule", "mapping"))}
    return sorted(found, key=lambda row: (order.get(row.kind, len(order)), row.name))


def _about(inventory: Inventory, kind: str, document: Document) -> str:
    match kind:
        case "queue":
            dead = inventory.dead_letter_sources(document["QueueArn"])
            parts = ["FIFO" if document.get("FifoQueue") == "true" else "", "dead-letter queue" if dead else ""]
        case "topic":
            parts = ["FIFO" if document.get("FifoTopic") == "true" else ""]
        case "subscription":
            raw = "raw" if document.get("RawMessageDelivery") == "true" else ""
            parts = [document["Protocol"], raw, "filter policy" if document.get("FilterPolicy") else ""]
        case "rule":
            off = "disabled" if document.get("State") == "DISABLED" else ""
            parts = [str(document.get("ScheduleExpression", "")), off]
        case "mapping":
            parts = [str(document.get("State", ""))]
        case "table":
            keys = " and ".join(each["AttributeName"] for each in document.get("KeySchema", ()))
            parts = [f"key {keys}" if keys else ""]
        case _:
            parts = []
    return ", ".join(filter(None, parts))


def _counts(inventory: Inventory, kind: str, document: Document) -> dict[str, float | None]:
    match kind:
        case "queue":
            found: dict[str, float | None] = {name: _number(document.get(key)) for name, key in _COUNTS.items()}
            return found | _age(inventory, document["QueueArn"], sum(count or 0 for count in found.values()))
        case "topic":
            return {"subscriptions": len(inventory.subscriptions_of(document["TopicArn"]))}
        case "bus":
            arn = document["Arn"]
            archives = [each for each in inventory.archives if each["EventSourceArn"] == arn]
            return {"rules": len(inventory.rules_of(arn)), "archives": len(archives)}
        case "rule":
            return {"targets": len(document.get("Targets", ()))}
        case "table":
            return {"items": document.get("ItemCount")}
        case _:
            return {}


def _age(inventory: Inventory, arn: str, held: float) -> dict[str, float | None]:
    """Return the age of the oldest message: no member for an empty queue, None where the backend has no answer."""
    sent_at = inventory.oldest_sent_at.get(arn)
    if sent_at is not None:
        return {"oldest_s": max(0.0, inventory.now_s - sent_at)}
    return {"oldest_s": None} if held and arn not in inventory.oldest_sent_at else {}


def _links(inventory: Inventory, arn: str, kind: str, document: Document) -> Iterable[Link]:
    def link(role: str, to: str) -> Link:
        known = inventory.kind(to) is not None
        return Link(role, inventory.describe(to), to if known else None)

    dead = object_of(document.get("RedrivePolicy"))
    if "deadLetterTargetArn" in dead:
        after = f" after {dead['maxReceiveCount']} receives" if "maxReceiveCount" in dead else ""
        yield link(f"Dead-letter queue{after}", str(dead["deadLetterTargetArn"]))
    yield from (link("Dead-letter queue of", each) for each in inventory.dead_letter_sources(arn))
    yield from (link("Gets messages from", each.via) for each in inventory.feeding(arn) if kind != "bus")
    match kind:
        case "queue":
            read_by = (each for each in inventory.mappings if each.get("EventSourceArn") == arn)
            yield from (link("Read by", each["EventSourceMappingArn"]) for each in read_by)
        case "topic":
            for each in inventory.subscriptions_of(arn):
                yield _with(link("Delivers to", each["SubscriptionArn"]), each.get("FilterPolicy"))
        case "subscription":
            yield from (link("Topic", document["TopicArn"]), link("Delivers to", document["Endpoint"]))
        case "bus":
            for each in inventory.rules_of(arn):
                yield _with(link("Rule", each["Arn"]), each.get("EventPattern") or each.get("ScheduleExpression"))
            yield from _archives(inventory, arn)
        case "rule":
            yield link("Bus", bus_of(document))
            for each in document.get("Targets", ()):
                yield link(f"Target{_changed(each)}", each["Arn"])
                if "DeadLetterConfig" in each:
                    yield link("Dead-letter queue of the target", each["DeadLetterConfig"].get("Arn", ""))
        case "mapping":
            yield from (link("Reads", document.get("EventSourceArn", "")), link("Invokes", document["FunctionArn"]))


def _archives(inventory: Inventory, bus_arn: str) -> Iterable[Link]:
    for each in inventory.archives:
        if each["EventSourceArn"] == bus_arn:
            kept = f"{each['RetentionDays']} days" if each.get("RetentionDays") else "without an end"
            yield Link("Archive", f"{each['ArchiveName']}: {each.get('EventCount', 0):,} events, kept {kept}", None)


def _with(link: Link, text: object) -> Link:
    """Return the link with the start of a filter policy or pattern."""
    shown = str(text or "")
    cut = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]} …"
    return replace(link, label=f"{link.label}: {cut}") if cut else link


def _changed(target: Document) -> str:
    names = [name for name in ("Input", "InputPath", "InputTransformer") if name in target]
    return f" (with {names[0]})" if names else ""


def _number(text: object) -> float | None:
    return int(str(text)) if text is not None else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _plain(value: object) -> object:
    """Return a value of JSON: an SDK turns times into datetimes."""
    return value if isinstance(value, str) else json.loads(json.dumps(value, default=str))
