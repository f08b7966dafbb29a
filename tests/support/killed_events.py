"""EventBridge that is killed: a bench with a data folder, and what tests put into it and find there."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from support.events import Bench

Kill = Callable[..., Awaitable[Bench]]


async def stop(bench: Bench) -> None:
    """End an engine."""
    bench.events.stop()
    await bench.tasks.cancel_all()
    bench.storage.close()


def at(when: float) -> datetime:
    """Return a time for a parameter."""
    return datetime.fromtimestamp(when, UTC)


def put_at(bench: Bench, *times: float) -> None:
    """Put an event for each of these times, which is also its detail."""
    entries = [{"Source": "s", "DetailType": "t", "Detail": json.dumps({"at": one}), "Time": at(one)} for one in times]
    bench.call("PutEvents", Entries=entries)


def received(bench: Bench, name: str = "q") -> list[Any]:
    """Return the details of the events in a queue, in order."""
    return [json.loads(message.body)["detail"] for message in bench.messages(name)]
