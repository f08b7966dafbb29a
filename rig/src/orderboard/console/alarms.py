"""The stack's alarms for the page."""

from typing import Any

from orderboard.console.source import Source
from orderboard.metrics import alarms


def read_alarms(source: Source) -> dict[str, Any]:
    """Return the alarms, those that went off first, each with the seconds since its last change."""
    now_s = source.backend_now()
    found = alarms.read_alarms(source.reachable())
    return {"alarms": [each.document() | {"since_s": max(0.0, now_s - each.since.timestamp())} for each in found]}
