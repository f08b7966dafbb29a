"""The messages of one queue as the page shows them, or why they cannot be shown."""

from typing import Any, Final

from orderboard.console.board import queue_names
from orderboard.console.source import Source
from orderboard.errors import UsageError
from orderboard.orders.browse import BrowseUnavailableError, StoredMessage, browse

_SHOWN: Final = 50


def messages(source: Source, key: str) -> dict[str, Any]:
    """What lies in a queue, by its short name, such as work or work.dlq; raise UsageError when there is none."""
    target = source.target()
    short, _, dead = key.partition(".")
    names = queue_names(target.outputs).get(short)
    name = None if names is None else names[1] if dead == "dlq" else names[0]
    if name is None:
        raise UsageError(f"There is no queue {key}.")
    try:
        found = browse(target.endpoint, source.queue_url(name))
    except BrowseUnavailableError as exc:
        return {"queue": name, "count": None, "messages": [], "why_not": str(exc)}
    now_s = source.backend_now()
    shown = [{**each.document(), "age_s": _age_s(each, now_s)} for each in found[:_SHOWN]]
    return {"queue": name, "count": len(found), "messages": shown, "why_not": None}


def _age_s(message: StoredMessage, now_s: float) -> float | None:
    return None if message.sent_at_s is None else max(0.0, now_s - message.sent_at_s)
