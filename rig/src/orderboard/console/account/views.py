"""Answers about one resource or message: messages, journal, deliveries, and the two whys."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from orderboard.console.account.reading import Account, Reading
from orderboard.console.commands import curl
from orderboard.errors import UsageError
from orderboard.orders.browse import BrowseUnavailableError, StoredMessage, browse
from orderboard.orders.journal import describe
from orderboard.resources.following import follow
from orderboard.resources.inventory import Inventory, name_of
from orderboard.resources.matching import Match, Matcher
from orderboard.system.localbus import DELIVERY_FAULTS, FAULTS, JournalEntry, Localbus

_MESSAGES: Final = 50
_CUT_AT: Final = 4_000  # characters of a body, until the user asks for all of it
_ENTRIES: Final = 100
_JOURNALS: Final = 12  # resources whose entries are shown with those of their topic or bus
_DELIVERIES: Final = 2_000
_DELIVERY_EVENTS: Final = "delivered,filtered,withheld,undelivered,retry_scheduled,dead_lettered,dropped"
_STATES: Final = {True: "waiting", False: "in flight or hidden", None: None}
_STOPPED_EVENTS: Final = "withheld,undelivered,dead_lettered,dropped"
_FAILED: Final = ("undelivered", "withheld", "retry_scheduled")


class Views:
    """The views of one account. Each takes the reading that the page shows, at most a second older."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def messages(self, arn: str = "", message_id: str = "") -> dict[str, Any]:
        """Return the first messages of a queue without receiving them, long bodies cut; with an id that one, whole."""
        reading = self._account.reading()
        reading.find(arn, "queue")
        connection = reading.clients.at(arn)
        try:
            limit = None if message_id else _MESSAGES
            found = browse(connection.endpoint, reading.clients.queue_url(arn), limit=limit)
        except BrowseUnavailableError as exc:
            return {"messages": [], "why_not": str(exc)}
        now_s = reading.inventory.now_s
        if message_id:
            found = [each for each in found if each.message_id == message_id]
        shown = [_message(each, now_s, None if message_id else _CUT_AT) for each in found[:_MESSAGES]]
        return {"messages": shown, "why_not": None, "commands": [self._account.orderboard("peek", arn)]}

    def journal(self, arn: str = "", message_id: str = "") -> dict[str, Any]:
        """Return the last journal entries of a resource (with those of its subscriptions or rules) or of a message."""
        engine, inventory = self._account.engine(), self._account.reading().inventory
        if message_id:
            entries = engine.entries(last=_ENTRIES, message_id=message_id)
        else:
            entries = _of_resource(engine, inventory, arn)
        words = [message_id] if message_id else ["--queue", name_of(arn)] if inventory.kind(arn) == "queue" else []
        return {
            "entries": [_described(each, inventory) for each in reversed(entries)],
            "commands": [self._account.orderboard("journal", *words)],
        }

    def deliveries(self, arn: str = "") -> dict[str, Any]:
        """Return how the last deliveries of a topic, bus or rule ended, by subscription or target."""
        engine, inventory = self._account.engine(), self._account.reading().inventory
        vias = set(_parts(inventory, arn))
        entries = engine.entries(last=_DELIVERIES, event=_DELIVERY_EVENTS)
        counts, reasons = dict[str, Counter[str]](), dict[str, str]()
        for each in entries:
            rule = each.detail.get("rule") if isinstance(each.detail, dict) else None
            if each.resource not in vias or (rule is not None and rule not in vias):
                continue
            counts.setdefault(each.resource, Counter())[each.event] += 1
            if each.event in _FAILED:
                detail = each.detail
                reasons[each.resource] = str(detail.get("reason", "") if isinstance(detail, dict) else detail or "")
        rows = [
            {"arn": to, "name": inventory.describe(to), "counts": dict(found), "last_failure": reasons.get(to)}
            for to, found in counts.items()
        ]
        return {"of_last": _DELIVERIES, "rows": rows}

    def arrival(self, message_id: str = "") -> dict[str, Any]:
        """Explain why a message or event did not arrive, or where it did."""
        if not message_id:
            raise UsageError("The id of a message or event is missing.")
        engine, reading = self._account.engine(), self._account.reading(fresh=True)
        inventory, clients = reading.inventory, reading.clients
        found = follow(engine, inventory, clients, message_id)
        entries = [_described(each, inventory) for each in found.entries]
        endings = [{**asdict(each), "name": inventory.describe(each.at)} for each in found.endings]
        notes = [*found.notes, *(_faults(engine) if any(each.verdict == "waiting" for each in found.endings) else ())]
        commands = [self._account.orderboard("journal", message_id)]
        return {
            "summary": found.summary,
            "endings": endings,
            "entries": entries,
            "notes": notes,
            "commands": commands,
        }

    def matches(self, arn: str, text: str) -> dict[str, Any]:
        """Explain whether a rule, filter policy or filter criteria match what the user pasted."""
        reading = self._account.reading()
        document = reading.find(arn, "rule", "subscription", "mapping")
        kind = reading.inventory.by_arn[arn][0]
        matcher = Matcher(reading.engine, reading.clients.at(arn).events)
        answers = matcher.resource(kind, document, text)
        commands = [self._test_command(reading, arn, each) for each in answers if each.event]
        return {"answers": [asdict(each) for each in answers], "commands": commands}

    @staticmethod
    def _test_command(reading: Reading, arn: str, tested: Match) -> str:
        """Return the command of the test: of localbus's developer API, or of EventBridge."""
        if reading.engine is not None:
            document = {"pattern": json.loads(tested.pattern), "event": tested.event}
            return curl(f"{reading.engine.url}/_localbus/explain", document)
        words = ["--event-pattern", tested.pattern, "--event", json.dumps(tested.event)]
        return reading.clients.command(arn, "events", "test-event-pattern", *words)


def _message(message: StoredMessage, now_s: float, cut_at: int | None) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "body": message.body[:cut_at],
        "characters": len(message.body),
        "age_s": None if message.sent_at_s is None else max(0.0, now_s - message.sent_at_s),
        "receive_count": message.receive_count,
        "state": "delayed" if message.delayed else _STATES[message.visible],
        "attributes": dict(message.attributes),
    }


def _parts(inventory: Inventory, arn: str) -> list[str]:
    """Return a resource and those whose entries are about its messages too."""
    match inventory.kind(arn):
        case "topic":
            return [arn, *(each["SubscriptionArn"] for each in inventory.subscriptions_of(arn))]
        case "bus":
            rules = inventory.rules_of(arn)
            return list(dict.fromkeys([arn, *(each["Arn"] for each in rules), *_targets(rules)]))
        case "rule":
            return [arn, *_targets([inventory.by_arn[arn][1]])]
        case _:
            return [arn]


def _targets(rules: Iterable[Any]) -> list[str]:
    return [target["Arn"] for rule in rules for target in rule.get("Targets", ())]


def _of_resource(engine: Localbus, inventory: Inventory, arn: str) -> list[JournalEntry]:
    """Return the last entries, oldest first, with those of the parts: of targets and senders only their deliveries."""
    found: dict[int, JournalEntry] = {}
    parts = dict.fromkeys(_parts(inventory, arn), "")
    for part in parts:
        if part != arn and inventory.kind(part) not in ("subscription", "rule"):
            parts[part] = _DELIVERY_EVENTS
    if inventory.kind(arn) == "queue":
        senders = (each.via for each in inventory.feeding(arn) if inventory.kind(each.via) == "subscription")
        parts |= dict.fromkeys(senders, _STOPPED_EVENTS)
    for part, events in list(parts.items())[:_JOURNALS]:
        found |= {each.number: each for each in engine.entries(last=_ENTRIES, resource=part, event=events)}
    if inventory.kind(arn) == "rule":
        found = {number: each for number, each in found.items() if _is_by(each, arn)}
    return [found[number] for number in sorted(found)][-_ENTRIES:]


def _is_by(entry: JournalEntry, rule: str) -> bool:
    by = entry.detail.get("rule") if isinstance(entry.detail, dict) else None
    return by is None or by == rule


def _described(entry: JournalEntry, inventory: Inventory) -> dict[str, Any]:
    kind, document = inventory.by_arn.get(entry.resource, ("", {}))
    endpoints = {entry.resource: str(document["Endpoint"])} if kind == "subscription" else {}
    return {**asdict(describe(entry, endpoints)), "arn": entry.resource}


def _faults(engine: Localbus) -> list[str]:
    """Return which faults are on, for messages that wait: they delay polls and receives."""
    found = []
    delivery, api = engine.get(DELIVERY_FAULTS) or {}, engine.get(FAULTS) or {}
    shares = {name: share for name, share in delivery.items() if isinstance(share, int | float) and name != "seed"}
    on = [f"{name.replace('_', ' ')} {share:g}" for name, share in shares.items() if share]
    if on:
        found.append(f"Delivery faults are on: {', '.join(on)}.")
    rules = [f"{each.get('kind')} of {each.get('action')} ({each.get('probability')})" for each in api.get("rules", [])]
    if rules:
        found.append(f"API faults are on: {', '.join(rules)}.")
    return found
