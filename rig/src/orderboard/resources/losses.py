"""Messages that went astray: what localbus counted, with the resource behind each, and the command that fixes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from orderboard.resources.clients import Clients
from orderboard.resources.ending import plain_reason
from orderboard.resources.inventory import Edge, Inventory
from orderboard.resources.problems import allow_command

# What became of them, by the journal's event. A delivery that will be retried is not lost.
_VERBS: Final = {
    "dropped": "lost",
    "undelivered": "lost",
    "withheld": "withheld",
    "expired": "expired",
    "filtered": "filtered out",
    "dead_lettered": "to a dead-letter queue",
    "moved": "to a dead-letter queue",
    "invocation_failed": "not processed",
}


@dataclass(frozen=True)
class Loss:
    """Messages that went astray for one reason. via: the ARN of the subscription or rule behind it, if it is known.

    target is empty for a message that goes nowhere. command: an aws command line that allows the delivery.
    """

    verb: str
    source: str
    target: str
    source_name: str
    target_name: str
    reason: str
    fix: str
    count: int
    via: str | None = None
    command: str = ""


def losses_of(counted: Iterable[Mapping[str, Any]], inventory: Inventory, clients: Clients) -> list[Loss]:
    """Return the losses that localbus counted, the worst and most frequent first."""
    found = [_loss(each, inventory, clients) for each in counted if each["event"] in _VERBS]
    worst = list(dict.fromkeys(_VERBS.values()))
    return sorted(found, key=lambda loss: (worst.index(loss.verb), -loss.count))


def _loss(counted: Mapping[str, Any], inventory: Inventory, clients: Clients) -> Loss:
    source, target, reason = str(counted["source"]), str(counted["target"]), str(counted["reason"])
    edge = _edge(inventory, source, target)
    sender = None if edge is None or "policy does not allow" not in reason else edge.sender
    return Loss(
        verb=_VERBS[counted["event"]],
        source=source,
        target=target,
        source_name=inventory.describe(source),
        target_name=inventory.describe(target),
        reason=plain_reason(reason),
        fix=f"{fix}." if (fix := str(counted.get("fix", "")).rstrip(".")) else "",
        count=int(counted["count"]),
        via=None if edge is None else edge.via,
        command="" if sender is None else allow_command(inventory, sender, target, clients),
    )


def _edge(inventory: Inventory, source: str, target: str) -> Edge | None:
    """Return the way from a source (a topic, or the rule itself) to a target."""
    return next((each for each in inventory.feeding(target) if source in (each.source, each.via)), None)
