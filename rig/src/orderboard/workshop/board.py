"""The board: the attendee's system as exercises see it. What they may read, and what they may turn."""

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from boto3.dynamodb.types import TypeDeserializer
from orderboard_contracts.alert import Alert, NotAnAlert, parse_alert
from orderboard_contracts.record import OrderRecord, parse_record

from orderboard.errors import RigError, UsageError
from orderboard.orders import queues, replay
from orderboard.orders.browse import StoredMessage, browse
from orderboard.orders.client import Accepted, refusal
from orderboard.orders.client import order_client as api_client
from orderboard.orders.dead_letters import DeadLetter, dead_letter, dead_letter_queues
from orderboard.orders.kinds import KindName, order_body
from orderboard.orders.service_logs import acceptances
from orderboard.system.localbus import JournalEntry, Localbus
from orderboard.system.state import State
from orderboard.system.target import Target
from orderboard.system.workers import Workers
from orderboard.system.workspace import Workspace

_POLL_S: Final = 0.1
Say = Callable[[str], None]


@dataclass
class Board:
    """The system, from the moment the exercise was opened.

    folder: the exercise's. files: the attendee's own. facts: what `prepare` notes for `check`, kept as JSON.
    say: shows a line of progress.
    """

    workspace: Workspace
    state: State
    target: Target
    engine: Localbus
    workers: Workers
    folder: Path
    files: Path
    opened_at: datetime
    journal_after: int
    facts: MutableMapping[str, Any]
    say: Say = field(default=lambda _: None, repr=False)

    # ---- Evidence ----

    def accepted(self) -> list[str]:
        """Return the ids of the orders that order-api answered 202 since the opening, in order, each once."""
        return list(dict.fromkeys(order_id for order_id, _ in self.acceptances()))

    def acceptances(self) -> list[tuple[str, datetime]]:
        """Return the order's id and the time of each 202 of order-api since the opening; a repeat is listed again."""
        return acceptances(self.workspace.logs_dir, since=self.opened_at)

    def orders(self) -> dict[str, OrderRecord]:
        """Return the rows of the orders that were recorded since the opening, by order id."""
        opened_at = self.opened_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        pages = self.target.dynamodb.get_paginator("scan").paginate(
            TableName=self.target.outputs.orders_table,
            FilterExpression="recorded_at >= :opened_at",  # as text: all have this form, order_codec.py
            ExpressionAttributeValues={":opened_at": {"S": opened_at}},
            ConsistentRead=True,
        )
        rows = (_record(item) for page in pages for item in page["Items"])
        return {each.order_id: each for each in rows}

    def entries(self, *, event: str = "", resource: str = "", message_id: str = "") -> list[JournalEntry]:
        """Return localbus's journal since the opening, oldest first. event: one, or several separated by commas.

        It begins again when localbus does, and has the last 50,000 entries.
        """
        after = 0 if self.last_entry() < self.journal_after else self.journal_after
        return self.engine.entries(event=event, resource=resource, message_id=message_id, after=after)

    def last_entry(self) -> int:
        """Return the number of the journal's newest entry; 0 if it is empty."""
        newest = self.engine.entries(last=1)
        return newest[-1].number if newest else 0

    def depth(self, queue: str) -> queues.Depth:
        """Return the counts of a queue, by its name."""
        return queues.depth(self.target.sqs, self.target.queue_url(queue))

    def attributes(self, queue: str) -> dict[str, str]:
        """Return all attributes of a queue, by its name."""
        url = self.target.queue_url(queue)
        found = self.target.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return {str(name): value for name, value in found.items()}

    def messages(self, queue: str, containing: str = "") -> list[StoredMessage]:
        """Return the messages of a queue, those in flight included, without receiving them."""
        return browse(self.target.endpoint, self.target.queue_url(queue), containing)

    def dead_letters(self) -> list[DeadLetter]:
        """Return everything in the dead-letter queues, without receiving it."""
        names = dead_letter_queues(self.target)
        return [dead_letter(name, each.to_message()) for name in names for each in self.messages(name)]

    def alerts(self) -> list[Alert]:
        """Return the alerts in the inbox about events since the opening, without receiving them."""
        found = []
        for message in self.messages(self.target.outputs.inbox_queue):
            with suppress(NotAnAlert):
                found.append(parse_alert(message.body))
        return [each for each in found if each.occurred_at >= self.opened_at]

    def running_replays(self) -> list[str]:
        """Return the names of the replays that have not ended."""
        found = self.target.events.list_replays()["Replays"]
        return [each["ReplayName"] for each in found if each["State"] in replay.ACTIVE]

    def text(self, name: str) -> str:
        """Return the text of one of the attendee's files; raise UsageError if it cannot be read."""
        try:
            return (self.files / name).read_text(encoding="utf-8")
        except FileNotFoundError as exc:
            raise UsageError(f"{name} is missing. Bring its first version back: orderboard workshop reset") from exc
        except (OSError, UnicodeDecodeError) as exc:
            raise UsageError(f"{name} cannot be read: {exc}") from exc

    # ---- Knobs ----

    def place(self, *bodies: Mapping[str, object], key: str | None = None) -> list[str]:
        """Place orders and return their ids; raise RigError if order-api refuses one. key: of a single one."""
        return asyncio.run(self._place(bodies, key))

    def place_kinds(self, counts: Mapping[KindName, int], *, seed: int = 1) -> list[str]:
        """Place random orders of these kinds."""
        rng = random.Random(seed)  # noqa: S311
        return self.place(*(order_body(kind, rng) for kind, count in counts.items() for _ in range(count)))

    def cancel(self, order_id: str) -> None:
        """Request the cancellation of an order; raise RigError if order-api refuses it."""
        asyncio.run(self._cancel(order_id))

    def eventually(self, condition: Callable[[], object], *, within_s: float, waiting_for: str) -> bool:
        """Wait until the condition holds; return whether it did in this time. The wait is shown after a second."""
        began, said = time.monotonic(), False
        while not condition():
            passed = time.monotonic() - began
            if passed > within_s:
                return False
            if passed > 1 and not said:
                self.say(f"Waiting for {waiting_for}, {within_s:g} s at most.")
                said = True
            time.sleep(_POLL_S)
        return True

    @cached_property
    def own(self) -> str:
        """The start of the names of all resources that exercises and attendees make: they go at the next opening."""
        return f"{self.state.prefix}-workshop"

    async def _place(self, bodies: Iterable[Mapping[str, object]], key: str | None) -> list[str]:
        async with api_client(self.state.api_url) as client:
            answers = await asyncio.gather(
                *(client.place(body, idempotency_key=key or f"workshop-{uuid4()}") for body in bodies)
            )
        refused = [text for answer in answers if (text := refusal(answer)) is not None]
        if refused:
            raise RigError(f"order-api did not accept an order of this exercise: {refused[0]}")
        return [answer.order_id for answer in answers if isinstance(answer, Accepted)]

    async def _cancel(self, order_id: str) -> None:
        async with api_client(self.state.api_url) as client:
            answer = await client.cancel(order_id)
        if (text := refusal(answer)) is not None:
            raise RigError(f"order-api did not accept the cancellation of this exercise: {text}")


def policy(text: str) -> Any:
    """Parse the JSON of a queue's or topic's attribute; an empty object for an empty text."""
    return json.loads(text or "{}")


def _record(item: Mapping[str, Any]) -> OrderRecord:
    deserialize = TypeDeserializer().deserialize
    return parse_record({name: deserialize(value) for name, value in item.items()})
