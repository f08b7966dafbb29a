"""Asks localbus's journal: for the last that happened, to a queue, to a message, or to all messages of an order."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any, Final

from orderboard.console.journal import found_ids, tell, without_echoes
from orderboard.console.localbus import Entry, Localbus
from orderboard.console.source import Source

_SHOWN: Final = 200
_MESSAGES_OF_AN_ORDER: Final = 40
_KEPT_S: Final = 0.9
_ENDPOINTS_KEPT_S: Final = 60.0

ELSEWHERE: Final = "Only localbus keeps a journal; this backend is {}."


class Journal:
    """Asked by several pages at once for the same it asks localbus once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
        self._endpoints: tuple[float, dict[str, str]] = (float("-inf"), {})

    def document(self, *, queue: str = "", message_id: str = "") -> dict[str, Any]:
        """The last entries, newest first, for the page."""
        return self._shared(
            (queue, message_id),
            lambda engine: engine.entries(last=_SHOWN, resource=queue, message_id=message_id),
        )

    def of_order(self, order_id: str, ids: Callable[[], Iterable[str]]) -> dict[str, Any]:
        """What happened to the messages of an order. ids: those that are known of it."""
        return self._shared(("order", order_id), lambda engine: trace(engine.of_message, ids()))

    def endpoints(self) -> dict[str, str]:
        """Where each subscription of the two topics leads, by its ARN."""
        asked_at, found = self._endpoints
        if time.monotonic() - asked_at > _ENDPOINTS_KEPT_S:
            sns, outputs = self._source.sns(), self._source.target().outputs
            topics = (outputs.orders_topic_arn, outputs.alerts_topic_arn)
            listed = (
                each for topic in topics for each in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
            )
            found = {each["SubscriptionArn"]: each["Endpoint"] for each in listed}
            self._endpoints = (time.monotonic(), found)
        return found

    def _shared(self, key: tuple[str, str], ask: Callable[[Localbus], list[Entry]]) -> dict[str, Any]:
        with self._lock:
            asked_at, kept = self._kept.get(key, (float("-inf"), {}))
            if time.monotonic() - asked_at < _KEPT_S:
                return kept
            engine = self._source.localbus()
            if engine is None:
                return {"entries": [], "why_not": ELSEWHERE.format(self._source.target().endpoint.name)}
            told = [asdict(tell(entry, self.endpoints())) for entry in reversed(ask(engine))]
            self._kept = {} if len(self._kept) > 100 else self._kept
            self._kept[key] = (time.monotonic(), document := {"entries": told, "why_not": None})
            return document


def trace(of_message: Callable[[str], list[Entry]], ids: Iterable[str]) -> list[Entry]:
    """Everything that happened to these messages, and to those that they became; oldest first."""
    entries: dict[int, Entry] = {}
    waiting, asked = list(dict.fromkeys(ids)), set[str]()
    while waiting and len(asked) < _MESSAGES_OF_AN_ORDER:
        message_id = waiting.pop(0)
        asked.add(message_id)
        found = of_message(message_id)
        entries |= {entry.number: entry for entry in found}
        waiting += [each for each in sorted(found_ids(found)) if each not in asked and each not in waiting]
    return without_echoes(entries.values())
