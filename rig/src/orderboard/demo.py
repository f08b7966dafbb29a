"""Plays the morning rush on a system of its own and draws up the ledger. What it prints is demo_report.py's."""

import asyncio
import secrets
import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from orderboard_stack.backend import BackendName

from orderboard import STARTED_AT
from orderboard.checkout import find_checkout
from orderboard.client import Accepted, Answer, OrderClient, Refused, order_client
from orderboard.evidence import dead_letter_queues, gather
from orderboard.ledger import Evidence, Ledger, Placed, balance
from orderboard.memory import Memory, measure
from orderboard.queues import depth
from orderboard.rush import SOLD_OUT_SKU, Intent, morning_rush
from orderboard.screen import Screen, Task
from orderboard.services import ServiceOptions
from orderboard.system import System, SystemOptions, start_system
from orderboard.target import Target
from orderboard.witness import Witness, witness

_LOOK_EVERY_S: Final = 0.1
_RECORDED_WITHIN_S: Final = 30.0
# Fewer than the client's connections: a cancellation must not queue behind every order.
_CUSTOMERS_AT_ONCE: Final = 20
# Short, so that orders in the hand of a worker that died come back soon.
_VISIBILITY_TIMEOUT_S: Final = 6


@dataclass(frozen=True)
class DemoOptions:
    """How the rush is played. deadline_s is how long orders may take to end after the last was placed."""

    system: SystemOptions
    seed: int
    run: str
    deadline_s: float
    kill_worker: bool = False


@dataclass(frozen=True)
class Demo:
    """What came of it. Seconds count from the start of the command."""

    seed: int
    ledger: Ledger
    placed: tuple[Placed, ...]
    evidence: Evidence
    ready_after_s: float
    first_finished_after_s: float | None
    all_finished_after_s: float
    memory: tuple[Memory, ...]
    logs_dir: Path | None  # kept only when the ledger does not balance


def play_demo(options: DemoOptions, screen: Screen) -> Demo:
    """Start a system, play the rush on it, draw up the ledger, end the system. Its logs go if all is well."""
    logs_dir = options.system.services.logs_dir
    try:
        played = _play(options, screen)
    except KeyboardInterrupt:
        shutil.rmtree(logs_dir, ignore_errors=True)
        raise
    if played.ledger.balanced:
        shutil.rmtree(logs_dir, ignore_errors=True)
    return played


def _play(options: DemoOptions, screen: Screen) -> Demo:
    with ExitStack() as stack:
        system = start_system(options.system, screen, stack)
        ready_at = time.time()
        heard = stack.enter_context(witness(system.target))
        rush = Rush(system, heard, options, screen)
        placed, evidence, ledger = asyncio.run(rush.play())
        return Demo(
            seed=options.seed,
            ledger=ledger,
            placed=tuple(placed),
            evidence=evidence,
            ready_after_s=ready_at - STARTED_AT,
            first_finished_after_s=heard.first_outcome_at - STARTED_AT if heard.first_outcome_at else None,
            all_finished_after_s=time.time() - STARTED_AT,
            memory=measure(system.processes()),
            logs_dir=None if ledger.balanced else options.system.services.logs_dir,
        )


class Rush:
    """One rush on a running system."""

    def __init__(self, system: System, heard: Witness, options: DemoOptions, screen: Screen) -> None:
        self._system = system
        self._heard = heard
        self._options = options
        self._screen = screen
        self._answered = 0
        self._at_the_counter = asyncio.Semaphore(_CUSTOMERS_AT_ONCE)
        self._may_kill = options.kill_worker
        self._large_order_cents = int(system.target.outputs.large_order_cents)

    async def play(self) -> tuple[Sequence[Placed], Evidence, Ledger]:
        """Send everything, wait until everything has ended, and judge."""
        intents = morning_rush(self._options.seed, self._options.run)
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
        until = time.monotonic() + self._options.deadline_s
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


def refusal(answer: Answer) -> str | None:
    """What the API said when it was not 202."""
    match answer:
        case Accepted():
            return None
        case Refused(status=status, reason=reason):
            return f"{status} {reason}"
        case unavailable:
            return unavailable.reason


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


def demo_options(
    backend: BackendName | None,
    endpoint_url: str | None,
    *,
    seed: int,
    workers: int,
    kill_worker: bool,
    deadline_s: float,
    yes: bool,
) -> DemoOptions:
    """Options for a stack of its own, under a fresh name."""
    run = secrets.token_hex(3)
    name = f"orderboard-demo-{run}"
    logs_dir = find_checkout().state_dir / name
    system = SystemOptions(
        backend=backend or "embedded",
        endpoint_url=endpoint_url,
        stack_name=name,
        prefix=name,
        parameters={"WorkVisibilityTimeoutS": str(_VISIBILITY_TIMEOUT_S), "WithDashboard": "false"},
        services=ServiceOptions(
            logs_dir=logs_dir,
            workers=workers,
            allow_faults=True,
            worker_environment={"ORDERBOARD_SOLD_OUT": SOLD_OUT_SKU, "ORDERBOARD_RECEIVE_WAIT_S": "1"},
        ),
        keeps_stack=False,
        yes=yes,
    )
    return DemoOptions(system, seed, run, deadline_s, kill_worker)
