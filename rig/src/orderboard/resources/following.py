"""Follows a message on a running localbus: `why did it not arrive?` of the page Resources and `orderboard journal`."""

from orderboard.resources.arrival import Arrival, Follower
from orderboard.resources.clients import Clients
from orderboard.resources.inventory import Inventory
from orderboard.resources.problems import allow_command
from orderboard.system.localbus import JournalEntry, Localbus


def follow(engine: Localbus, inventory: Inventory, clients: Clients, message_id: str) -> Arrival:
    """Follow a message or an event by its id, to the end of each of its copies."""

    def purges_of(queue: str) -> list[JournalEntry]:
        entry = engine.last_purge(queue)
        return [] if entry is None else [entry]

    follower = Follower(
        inventory,
        engine.of_message,
        purges_of,
        lambda sender, target: allow_command(inventory, sender, target, clients),
    )
    return follower.follow(message_id)
