"""Every behaviour, in the order of the table."""

from __future__ import annotations

from typing import Final

from fidelity.behaviour import Behaviour, Group
from fidelity.behaviours import (
    across_functions,
    across_mappings,
    across_policies,
    across_stacks,
    events_archives,
    events_destinations,
    events_entries,
    events_patterns,
    events_rules,
    events_targets,
    sns_delivery,
    sns_filters,
    sns_http,
    sns_publishing,
    sns_push,
    sns_subscriptions,
    sns_topics,
    sqs_attributes,
    sqs_batches,
    sqs_dead_letters,
    sqs_fifo,
    sqs_move_tasks,
    sqs_policies,
    sqs_queues,
    sqs_receiving,
    sqs_sending,
    sqs_visibility,
)

GROUPS: Final[tuple[Group, ...]] = (
    sqs_queues.GROUP,
    sqs_attributes.GROUP,
    sqs_sending.GROUP,
    sqs_batches.GROUP,
    sqs_receiving.GROUP,
    sqs_visibility.GROUP,
    sqs_fifo.GROUP,
    sqs_dead_letters.GROUP,
    sqs_move_tasks.GROUP,
    sqs_policies.GROUP,
    sns_topics.GROUP,
    sns_subscriptions.GROUP,
    sns_publishing.GROUP,
    sns_delivery.GROUP,
    sns_filters.GROUP,
    sns_http.GROUP,
    sns_push.GROUP,
    events_entries.GROUP,
    events_rules.GROUP,
    events_patterns.MATCHES,
    events_patterns.INVALID,
    events_targets.GROUP,
    events_archives.GROUP,
    events_destinations.GROUP,
    across_policies.GROUP,
    across_functions.GROUP,
    across_mappings.GROUP,
    across_stacks.GROUP,
)


def keyed() -> dict[str, Behaviour]:
    """Return the behaviours by a stable key: service, group title and behaviour name."""
    return {f"{key_of(group)}/{one.name}": one for group in GROUPS for one in group.behaviours}


def key_of(group: Group) -> str:
    """Return a group's part of a key."""
    return f"{group.service}/{group.title}".lower().replace(" ", "-")
