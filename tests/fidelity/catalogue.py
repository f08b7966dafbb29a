"""Every behaviour, in the order of the table."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from fidelity.behaviour import Behaviour, Group

_MODULES: Final = {
    "sqs": "queues attributes sending batches receiving visibility fifo dead_letters move_tasks policies",
    "sns": "topics subscriptions publishing delivery filters http push",
    "events": "entries rules patterns targets archives destinations",
    "dynamodb": "tables items conditions updates queries batches transactions partiql features",
    "cloudwatch": "metrics alarms",
    "across": "policies functions senders mappings stacks changes templates",
}
"""The modules of behaviours by the start of their name, in the order of the table."""


def _groups(module: str) -> list[Group]:
    members = vars(import_module(f"fidelity.behaviours.{module}"))
    return [member for member in members.values() if isinstance(member, Group)]


GROUPS: Final[tuple[Group, ...]] = tuple(
    group for start, names in _MODULES.items() for name in names.split() for group in _groups(f"{start}_{name}")
)


def keyed() -> dict[str, Behaviour]:
    """Return the behaviours by a stable key: service, group title and behaviour name."""
    return {f"{key_of(group)}/{one.name}": one for group in GROUPS for one in group.behaviours}


def key_of(group: Group) -> str:
    """Return a group's part of a key."""
    return f"{group.service}/{group.title}".lower().replace(" ", "-")
