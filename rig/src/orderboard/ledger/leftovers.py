"""Queues and rules of measurements on a system that others use, and those that a killed measurement left there."""

import re
import socket
from os import getpid
from typing import Final

from orderboard.system.state import KnownProcess, known
from orderboard.system.target import Target

_OWNER: Final = re.compile(r"process (\d+) of (\S+), started (\d+\.\d+)")


def listener_prefix(target: Target) -> str:
    """Return how the names of listeners' queues and rules begin."""
    return f"{target.outputs.bus_name}-outcomes-"


def owner() -> str:
    """Return this process, for the description of a rule."""
    process = known("", getpid())
    return f"process {process.pid} of {socket.gethostname()}, started {process.create_time:.2f}"


def leftovers(target: Target) -> list[str]:
    """Return the names of queues and rules of measurements whose process has ended. Those of other machines count not.

    A queue without its rule is one, too: its process was killed before the rule was made, or after it was deleted.
    """
    prefix = listener_prefix(target)
    pages = target.events.get_paginator("list_rules").paginate(EventBusName=target.outputs.bus_name, NamePrefix=prefix)
    rules = {rule["Name"]: rule.get("Description", "") for page in pages for rule in page["Rules"]}
    urls = target.sqs.list_queues(QueueNamePrefix=prefix, MaxResults=1000).get("QueueUrls", [])
    alive = tuple(name for name, description in rules.items() if not _has_ended(description))
    queues = [url.rsplit("/", 1)[1] for url in urls]
    return (
        sorted({each for each in (*rules, *queues) if not each.startswith(alive)})
        if alive
        else sorted({*rules, *queues})
    )


def named_leftovers(target: Target) -> str | None:
    """Return a sentence that names them; None without any."""
    if not (names := leftovers(target)):
        return None
    return (
        f"A measurement that was killed left {', '.join(names)}: a rule of the bus {target.outputs.bus_name} and "
        "queues that nothing reads. Delete the rule, the queues, and the subscription of the alerts topic."
    )


def _has_ended(description: str) -> bool:
    if (match := _OWNER.search(description)) is None:
        return False
    pid, host, started = match.groups()
    process = KnownProcess(name="", pid=int(pid), create_time=float(started))
    return host == socket.gethostname() and process.find() is None
