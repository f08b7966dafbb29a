"""The beginning of a message, a topic or a bus, and why it may have gone nowhere from there. Pure."""

from collections.abc import Collection, Iterator, Sequence

from orderboard.resources.ending import Ending, numbers_of
from orderboard.resources.inventory import Document, Inventory, name_of, service_of
from orderboard.system.localbus import JournalEntry


def at_topics(inventory: Inventory, entries: Sequence[JournalEntry], reached: Collection[str]) -> Iterator[Ending]:
    """Yield why a topic did not deliver it to anybody, or not to a subscription. reached: ARNs that have entries."""
    for entry in entries:
        if service_of(entry.resource) != "sns" or entry.event not in ("published", "deduplicated"):
            continue
        topic, numbers = name_of(entry.resource), numbers_of(entry)
        if entry.event == "deduplicated":
            why = f"The topic {topic} took it for a duplicate: the same deduplication id within five minutes."
            yield Ending("stopped", entry.resource, why, "Give each message its own MessageDeduplicationId.", numbers)
            continue
        now = [each["SubscriptionArn"] for each in inventory.subscriptions_of(entry.resource)]
        if not now and not any(arn.startswith(f"{entry.resource}:") for arn in reached):
            why = f"Nobody was subscribed to the topic {topic}: SNS accepted the message and dropped it."
            yield Ending("stopped", entry.resource, why, "Subscribe before you publish.", numbers)
        for arn in now:
            if arn not in reached:
                why = f"The {inventory.describe(arn)} was made after the message was published."
                yield Ending("stopped", arn, why, "SNS delivers to those that are subscribed: publish again.", numbers)


def at_buses(inventory: Inventory, entries: Sequence[JournalEntry], reached: Collection[str]) -> Iterator[Ending]:
    """Yield why no rule of a bus sent it on, or not one that matched it."""
    for entry in entries:
        if entry.event == "unmatched":
            yield _unmatched(inventory, entry)
        elif entry.event == "dropped" and service_of(entry.resource) == "":  # PutEvents to a bus that does not exist
            why = f"The bus {entry.resource} does not exist: PutEvents accepted the event and dropped it."
            yield Ending("stopped", entry.resource, why, "Correct EventBusName, or create the bus.", numbers_of(entry))
    for entry in {each.resource: each for each in entries if each.event in ("matched", "scheduled")}.values():
        targets = [each["Arn"] for each in inventory.by_arn.get(entry.resource, ("", {}))[1].get("Targets", ())]
        if inventory.kind(entry.resource) == "rule" and not targets:
            why = f"The {inventory.describe(entry.resource)} matched it, and has no target."
            yield Ending("stopped", entry.resource, why, "Add a target: aws events put-targets.", numbers_of(entry))
        elif targets and not set(targets) & set(reached) and not _is_archive(inventory, entry):
            why = f"The {inventory.describe(entry.resource)} matched it; the journal has no delivery yet."
            yield Ending("waiting", entry.resource, why, "Look again in a moment.", numbers_of(entry))


def unmatched_rules(inventory: Inventory, entries: Sequence[JournalEntry]) -> list[Document]:
    """Return the rules of its buses that did not match it, where others did."""
    matched = {each.resource for each in entries if each.event in ("matched", "scheduled")}
    buses = {each.resource for each in entries if each.event == "published" and service_of(each.resource) == "events"}
    rules = [rule for bus in sorted(buses) for rule in inventory.rules_of(bus)]
    return [rule for rule in rules if matched and rule["Arn"] not in matched]


def _unmatched(inventory: Inventory, entry: JournalEntry) -> Ending:
    bus, rules = name_of(entry.resource), inventory.rules_of(entry.resource)
    if not rules:
        why = f"The bus {bus} has no rule: EventBridge accepted the event and dropped it."
        return Ending("stopped", entry.resource, why, "Add a rule: aws events put-rule.", numbers_of(entry))
    disabled = [str(each["Name"]) for each in rules if each.get("State") == "DISABLED"]
    off = f" Disabled: {', '.join(disabled)}." if disabled else ""
    count = "The only rule of the bus" if len(rules) == 1 else f"None of the {len(rules)} rules of the bus"
    why = f"{count} {bus} {'did not match' if len(rules) == 1 else 'matched'} it.{off}"
    fix = "Open the rule that you expected, and paste the event into `Why did it not match?`."
    return Ending("stopped", entry.resource, why, fix, numbers_of(entry))


def _is_archive(inventory: Inventory, entry: JournalEntry) -> bool:
    return "ManagedBy" in inventory.by_arn[entry.resource][1]
