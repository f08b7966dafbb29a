"""Problems that show in the configuration alone: a target that is gone, a policy that stops deliveries, no target."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from orderboard.resources.clients import Clients
from orderboard.resources.inventory import Document, Edge, Inventory
from orderboard.resources.policy import Sender, admits, extended, statement_for

_REQUIRED_OF_HTTP: Final = "Its endpoint must answer the confirmation first."


@dataclass(frozen=True)
class Problem:
    """A problem and its fix. command: an aws command line that fixes it, empty if there is none."""

    text: str
    fix: str
    command: str = ""


def problems_of(inventory: Inventory, clients: Clients) -> dict[str, list[Problem]]:
    """Return the problems of each resource, by its ARN. Those of a way to a target are shown at both of its ends."""
    found = defaultdict[str, list[Problem]](list)
    for edge in inventory.edges:
        problem = _of_edge(inventory, edge, clients)
        if problem is not None:
            for arn in {edge.via, edge.target}:
                found[arn].append(problem)
    for each in inventory.topics:
        if not inventory.subscriptions_of(each["TopicArn"]) and "subscription" not in inventory.unread:
            found[each["TopicArn"]].append(
                Problem("Nobody is subscribed: messages are accepted, and nobody gets them.", "Subscribe a queue.")
            )
    for each in inventory.subscriptions:
        if each.get("PendingConfirmation") == "true":
            text = "Not confirmed: it gets no message."
            found[each["SubscriptionArn"]].append(Problem(text, _REQUIRED_OF_HTTP))
    for rule in inventory.rules:
        found[rule["Arn"]] += _of_rule(rule)
    return {arn: problems for arn, problems in found.items() if problems}


def _of_rule(rule: Document) -> list[Problem]:
    found = []
    if rule.get("State") == "DISABLED":
        found.append(Problem("Disabled: it matches nothing.", "Enable it: aws events enable-rule."))
    if not rule.get("Targets"):
        found.append(Problem("No target: the events that it matches go nowhere.", "Add one: aws events put-targets."))
    return found


def _of_edge(inventory: Inventory, edge: Edge, clients: Clients) -> Problem | None:
    target, role = edge.target, "Its dead-letter queue" if edge.is_dead_letter else "Its target"
    named = inventory.describe(target)
    if inventory.kind(target) is None:
        if not inventory.covers(target):
            return None
        lost = "what cannot be delivered is lost" if edge.is_dead_letter else "nothing arrives there"
        return Problem(f"{role}, {named}, does not exist: {lost}.", "Create it, or name another one.")
    if edge.sender is None or admits(inventory.policy(target), edge.sender, target) is not False:
        return None
    stopped = "dead letters" if edge.is_dead_letter else "deliveries"
    sender = f"{inventory.describe(edge.via)} ({edge.sender.service})"
    return Problem(
        f"The policy of {named} does not allow {sender}: AWS stops these {stopped}.",
        "Allow it in the policy.",
        allow_command(inventory, edge.sender, target, clients),
    )


def allow_command(inventory: Inventory, sender: Sender, target: str, clients: Clients) -> str:
    """Return an aws command that adds the statement for this delivery to the target's policy."""
    policy = extended(inventory.policy(target), statement_for(sender, target))
    match inventory.kind(target):
        case "queue":
            words = ["--queue-url", clients.queue_url(target), "--attributes", json.dumps({"Policy": policy})]
            return clients.command(target, "sqs", "set-queue-attributes", *words)
        case "topic":
            words = ["--topic-arn", target, "--attribute-name", "Policy", "--attribute-value", policy]
            return clients.command(target, "sns", "set-topic-attributes", *words)
    return ""
