"""Plays a rush on a running system: sends every order, waits until all have ended, and has the ledger judge."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import httpx

from orderboard.demo.scenario import Intent
from orderboard.ledger.evidence import gather
from orderboard.ledger.ledger import Evidence, Ledger, Placed, balance
from orderboard.ledger.outcome_listener import OutcomeListener
from orderboard.orders.client import Accepted, Answer, OrderClient, order_client, refusal
from orderboard.orders.dead_letters import dead_letter_queues
from orderboard.orders.queues import depth
from orderboard.system.system import System
from orderboard.system.target import Target
from orderboard.terminal.progress import Screen, Task

_LOOK_EVERY_S: Final = 0.1
_RECORDED_WITHIN_S: Final = 30.0
# Fewer than the client's connections: a cancellation must not queue behind every order.
_CUSTOMERS_AT_ONCE: Final = 20


class Player:
    """One rush on a running system. deadline_s is how long orders may take to end after the last was placed."""

    def __init__(
        self, system: System, heard: OutcomeListener, screen: Screen, *, deadline_s: float, kills_worker: bool
    ) -> None:
        self._system = system
        self._heard = heard
        self._deadline_s = deadline_s
        self._screen = screen
        self._answered = 0
        self._at_the_counter = asyncio.Semaphore(_CUSTOMERS_AT_ONCE)
        self._may_kill = kills_worker
        self._large_order_cents = int(system.target.outputs.large_order_cents)

    async def play(self, intents: Sequence[Intent]) -> tuple[Sequence[Placed], Evidence, Ledger]:
        """Send everything, wait until everything has ended, and judge."""
        with self._screen.task("Orders answered", total=len(intents)) as answered:
            async with order_client(self._system.target.api()) as client, asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._play_one(client, intent, answered)) for intent in intents]
        placed = [task.result() for task in tasks]
        with self._screen.task("Orders ended", total=sum(order.order_id is not None for order in placed)) as ended:
            evidence, ledger = await self._settle(placed, ended)
        return placed, evidence, ledger

    async def _play_one(self, client: OrderClient, intent: Intent, answered: Task) -> Placed:
        sends = [client.place(intent.body, idempotency_key=intent.idempotency_key) for _ in range(intent.sends)]
        async with self._at_the_counter:
            answers = await asyncio.gather(*sends)
        self._answered += 1
        answered.advance_to(self._answered)
        self._kill_a_worker_halfway()
        accepted = [answer for answer in answers if isinstance(answer, Accepted)]
        cancellation = await self._cancel(client, intent, accepted[0].order_id) if accepted else None
        return Placed(
            kind=intent.kind,
            may_end=intent.may_end,
            order_ids=tuple(answer.order_id for answer in accepted),
            refusals=tuple(said for answer in answers if (said := refusal(answer)) is not None),
            total_cents=accepted[0].total_cents if accepted else 0,
            express=intent.body.get("priority") == "express",
            cancellation_accepted=isinstance(cancellation, Accepted),
        )

    async def _cancel(self, client: OrderClient, intent: Intent, order_id: str) -> Answer | None:
        match intent.cancellation:
            case "never":
                return None
            case "at once":
                return await client.cancel(order_id, reason="changed my mind")
            case "when final":
                await _recorded(client, order_id)
                return await client.cancel(order_id, reason="too late, I fear")

    def _kill_a_worker_halfway(self) -> None:
        if self._may_kill and self._heard.finished > 0:
            self._may_kill = False
            self._screen.say("Killed worker-1 (SIGKILL) with orders in hand, and started another.")
            self._system.replace_worker()

    async def _settle(self, placed: Sequence[Placed], ended: Task) -> tuple[Evidence, Ledger]:
        accepted = sum(order.order_id is not None for order in placed)
        until = time.monotonic() + self._deadline_s
        while True:
            idle, resting = await asyncio.to_thread(_look, self._system.target)
            done = self._heard.finished + resting
            ended.advance_to(min(done, accepted))
            late = time.monotonic() > until
            if (idle and done >= accepted) or late:
                evidence = await asyncio.to_thread(gather, self._system.target, self._heard)
                ledger = balance(placed, evidence, large_order_cents=self._large_order_cents)
                if ledger.balanced or late:
                    return evidence, ledger
            await asyncio.sleep(_LOOK_EVERY_S)


async def _recorded(client: OrderClient, order_id: str) -> None:
    until = time.monotonic() + _RECORDED_WITHIN_S
    while time.monotonic() < until:
        with suppress(httpx.HTTPError):  # asked again just below
            if await client.order(order_id) is not None:
                return
        await asyncio.sleep(_LOOK_EVERY_S)


def _look(target: Target) -> tuple[bool, int]:
    """Whether nothing is under way on any queue, and how much rests in dead-letter queues."""
    outputs = target.outputs
    working = (outputs.work_queue, outputs.express_queue, outputs.alerts_queue)
    idle = all(depth(target.sqs, target.queue_url(queue)).total == 0 for queue in working)
    return idle, sum(depth(target.sqs, target.queue_url(queue)).visible for queue in dead_letter_queues(target))
