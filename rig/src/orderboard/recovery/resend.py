"""Orders whose messages are lost, as a queue was purged: their commands are published again, from the facts.

Each has the same id as before, and a worker that meets it twice changes nothing, so a message that is not lost after
all does no harm.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from orderboard_contracts.events import Command
from orderboard_contracts.routing import message_attributes

from orderboard.errors import RigError
from orderboard.ledger.evidence import final_rows_of
from orderboard.orders.dead_letters import dead_letters
from orderboard.recovery.archive import Say, read_facts
from orderboard.recovery.backups import missing_table
from orderboard.recovery.tables import described
from orderboard.system.target import Target

_READ_AT_ONCE: Final = 100
_SENT_AT_ONCE: Final = 10  # https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html


@dataclass(frozen=True)
class Resent:
    """The result: facts that were read, commands that were published again, and those left in dead-letter queues."""

    facts: int
    sent: int
    dead_lettered: int


def resend(target: Target, begin: datetime, say: Say = lambda _: None) -> Resent:
    """Publish the commands since a time that have no outcome, no final row and no dead letter. Raises RigError."""
    if described(target, target.outputs.orders_table) is None:
        raise missing_table(target)
    facts = read_facts(target, begin, say)
    letters = {letter.order_id for letter in dead_letters(target)}
    unfinished = list(facts.unfinished())
    lost = [each for each in _without_row(target, unfinished) if each.subject not in letters]
    for at in range(0, len(lost), _SENT_AT_ONCE):
        _publish(target, lost[at : at + _SENT_AT_ONCE])
        say(f"{at:,} of {len(lost):,} sent")
    return Resent(facts.count, len(lost), len({each.subject for each in unfinished} & letters))


def _without_row(target: Target, commands: Sequence[Command]) -> Iterator[Command]:
    for at in range(0, len(commands), _READ_AT_ONCE):
        some = commands[at : at + _READ_AT_ONCE]
        final = final_rows_of(target, {each.subject for each in some})
        yield from (each for each in some if each.subject not in final)


def _publish(target: Target, commands: Sequence[Command]) -> None:
    entries: list[Any] = [
        {"Id": str(number), "Message": command.to_json(), "MessageAttributes": _attributes(command)}
        for number, command in enumerate(commands)
    ]
    answer = target.sns.publish_batch(TopicArn=target.outputs.orders_topic_arn, PublishBatchRequestEntries=entries)
    if failed := answer.get("Failed"):
        reason = failed[0].get("Message", failed[0]["Code"])
        raise RigError(f"SNS refused {len(failed)} messages: {reason}. Run it again.")


def _attributes(command: Command) -> dict[str, Any]:
    found = message_attributes(command)
    return {name: {"DataType": "String", "StringValue": value} for name, value in found.items()}
