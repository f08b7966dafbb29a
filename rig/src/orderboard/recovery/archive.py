"""The facts in the bus's archive. An archive cannot be read, so they are replayed to a queue, and to no other target.

Replays may reorder events and repeat them.
Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Final

from orderboard_contracts.events import NotAnEvent, parse_event

from orderboard.errors import RigError
from orderboard.ledger.bus_queue import bus_queue
from orderboard.ledger.queue_reader import QueueReader
from orderboard.orders.queues import depth
from orderboard.orders.replay import ACTIVE, start
from orderboard.recovery.facts import Facts
from orderboard.system.localbus import now_at
from orderboard.system.target import AWS_ERRORS, Target

# An event may reach the archive late; AWS recommends to wait for so long before a replay.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
ARCHIVE_LAG_S: Final = 600.0
_SOURCES: Final = ["orderboard.order-api", "orderboard.worker"]
_THREADS: Final = 4
_POLL_S: Final = 0.1
# Side by side, as a replay takes its window minute by minute. An account may run ten.
_REPLAYS: Final = 8
_OVERLAP: Final = timedelta(seconds=1)
# Without a message for so long after the replay, the queue has got all of it: counts of SQS are a minute late at most.
_QUIET_S: Final = 60.0
_QUIET_LOCAL_S: Final = 0.5

Say = Callable[[str], None]


def read_facts(target: Target, begin: datetime, say: Say = lambda _: None) -> Facts:
    """Return the facts since a time. Raises RigError."""
    facts = Facts()
    end = now_at(target.endpoint) + timedelta(seconds=1 if target.endpoint.local else 0)  # whole seconds are sent
    names = [f"orderboard-recovery-{secrets.token_hex(4)}-{number}" for number in range(_REPLAYS)]
    pattern = {"source": _SOURCES, "replay-name": names}
    last = time.monotonic()

    def on_message(body: str, _at: float) -> None:
        nonlocal last
        last = time.monotonic()
        with suppress(NotAnEvent, ValueError, KeyError):  # of another publisher
            facts.add(parse_event(json.loads(body)["detail"]))

    quiet_s = _QUIET_LOCAL_S if target.endpoint.local else _QUIET_S
    with (
        bus_queue(target, pattern, "The archive's facts, for a recovery") as queue,
        QueueReader(target, queue.url, on_message, name="facts", threads=_THREADS),
        _cancelled(target, names),
    ):
        for number, name in enumerate(names):
            first, after = (begin + (end - begin) * part / _REPLAYS for part in (number, number + 1))
            start(target, name, first - _OVERLAP, after, [queue.name])
        while not _completed(target, names):
            say(f"{facts.count:,} facts")
            time.sleep(_POLL_S)
        last = time.monotonic()
        while depth(target.sqs, queue.url).total or time.monotonic() - last < quiet_s:
            say(f"{facts.count:,} facts")
            time.sleep(_POLL_S)
    return facts


def _completed(target: Target, names: Sequence[str]) -> bool:
    """Return whether all replays have ended. Raises RigError if one failed."""
    found = [target.events.describe_replay(ReplayName=name) for name in names]
    for each in found:
        if each["State"] not in (*ACTIVE, "COMPLETED"):
            reason = each.get("StateReason", "no reason")
            raise RigError(f"The replay {each['ReplayName']} is {each['State']}: {reason}. Run the command again.")
    return all(each["State"] == "COMPLETED" for each in found)


@contextmanager
def _cancelled(target: Target, names: Sequence[str]) -> Iterator[None]:
    """Cancel the replays if the block does not end well."""
    try:
        yield
    except BaseException:
        for name in names:
            with suppress(*AWS_ERRORS):
                target.events.cancel_replay(ReplayName=name)
        raise
