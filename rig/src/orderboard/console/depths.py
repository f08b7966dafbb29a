"""How much is in each queue and how old the oldest of it is: localbus tells it in one answer, others queue by queue."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from orderboard.console.source import Source
from orderboard.orders.browse import BrowseUnavailableError, browse
from orderboard.orders.queues import Depth, depth
from orderboard.system.localbus import Localbus
from orderboard.system.target import Target

_OLDEST_EVERY_S: Final = 1.0
_MESSAGES_READ_A_SECOND: Final = 500  # a long queue is asked for its oldest message less often


@dataclass(frozen=True)
class Held:
    """What a queue holds. oldest_s: how long its oldest message has been there; None where that is not known."""

    depth: Depth
    oldest_s: float | None = None


@dataclass
class Depths:
    """Asks again and again, and remembers what is dear to find out."""

    source: Source
    _oldest: dict[str, tuple[float, float]] = field(default_factory=dict)

    def look(self, names: Collection[str], dlq_names: Collection[str], now_s: float) -> dict[str, Held]:
        """Every queue by its name. Of dead-letter queues nobody shows the age."""
        target, engine = self.source.target(), self.source.localbus()
        told = None if engine is None else _told(engine, target)
        if told is not None and {*names, *dlq_names} <= told.keys():
            return told
        counts = {name: depth(target.sqs, self.source.queue_url(name)) for name in (*names, *dlq_names)}
        return {
            name: Held(found, self._oldest_s(target, name, found.total, now_s) if name in names else None)
            for name, found in counts.items()
        }

    def _oldest_s(self, target: Target, name: str, count: int, now_s: float) -> float | None:
        if count == 0:
            self._oldest.pop(name, None)
            return None
        looked_at, sent = self._oldest.get(name, (0.0, None))
        if sent is None or now_s - looked_at >= max(_OLDEST_EVERY_S, count / _MESSAGES_READ_A_SECOND):
            try:
                times = [each.sent_at_s for each in browse(target.endpoint, self.source.queue_url(name))]
            except BrowseUnavailableError:
                return None
            sent = min((each for each in times if each is not None), default=None)
            if sent is None:
                return None
            self._oldest[name] = (now_s, sent)
        return max(0.0, now_s - sent)


def _told(engine: Localbus, target: Target) -> dict[str, Held] | None:
    """What localbus tells of the queues of our account and region, by its own clock; None where it is too old to."""
    document = engine.queues()
    if document is None:
        return None
    region, account = target.outputs.orders_topic_arn.split(":")[3:5]
    return {
        each["name"]: Held(
            Depth(each["visible"], each["in_flight"], each["delayed"]),
            None if each["oldest_sent_at"] is None else max(0.0, document["now"] - each["oldest_sent_at"]),
        )
        for each in document["queues"]
        if (each["account"], each["region"]) == (account, region)
    }
