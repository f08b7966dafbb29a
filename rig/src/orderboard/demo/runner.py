"""Plays the morning rush on a system of its own and draws up the ledger. What it prints is demo_report.py's."""

import asyncio
import secrets
import shutil
import time
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orderboard_stack.backend import DEFAULT_BACKEND, BackendName, Endpoint

from orderboard import STARTED_AT
from orderboard.demo.player import Player
from orderboard.demo.scenario import morning_rush
from orderboard.errors import RigError
from orderboard.ledger.ledger import Evidence, Ledger, Placed
from orderboard.ledger.outcome_listener import listen_for_outcomes
from orderboard.orders.kinds import SOLD_OUT_SKU
from orderboard.system.backends import listens
from orderboard.system.process_stats import MemoryUse, memory_use
from orderboard.system.services import ServiceOptions
from orderboard.system.system import SystemOptions, start_system
from orderboard.system.workspace import find_workspace
from orderboard.terminal.progress import Screen

# Short, so that orders in the hand of a worker that died come back soon.
_VISIBILITY_TIMEOUT_S: Final = 6
_LOOK_EVERY_S: Final = 1.0

Played = tuple[Sequence[Placed], Evidence, Ledger]


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
    memory: tuple[MemoryUse, ...]
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
        heard = stack.enter_context(listen_for_outcomes(system.target))
        player = Player(system, heard, screen, deadline_s=options.deadline_s, kills_worker=options.kill_worker)
        playing = player.play(morning_rush(options.seed, options.run))
        placed, evidence, ledger = asyncio.run(_while_the_backend_lasts(playing, system.target.endpoint, options))
        return Demo(
            seed=options.seed,
            ledger=ledger,
            placed=tuple(placed),
            evidence=evidence,
            ready_after_s=ready_at - STARTED_AT,
            first_finished_after_s=heard.first_outcome_at - STARTED_AT if heard.first_outcome_at else None,
            all_finished_after_s=time.time() - STARTED_AT,
            memory=memory_use(system.processes()),
            logs_dir=None if ledger.balanced else options.system.services.logs_dir,
        )


async def _while_the_backend_lasts(
    playing: Coroutine[None, None, Played], endpoint: Endpoint, options: DemoOptions
) -> Played:
    """What came of playing; raise RigError soon after the backend has gone, for then nothing can be proved any more."""
    task = asyncio.create_task(playing)
    try:
        while not (await asyncio.wait({task}, timeout=_LOOK_EVERY_S))[0]:
            if not await asyncio.to_thread(listens, endpoint):
                logs_dir = options.system.services.logs_dir
                raise RigError(f"The backend ended while orders were under way. The logs: {logs_dir}")
        return await task
    finally:
        task.cancel()


def demo_options(
    backend: BackendName | None,
    endpoint_url: str | None,
    *,
    seed: int,
    workers: int,
    kill_worker: bool,
    deadline_s: float,
    yes: bool,
    disorder: str | None = None,
) -> DemoOptions:
    """Options for a stack of its own, under a fresh name."""
    run = secrets.token_hex(3)
    name = f"orderboard-demo-{run}"
    logs_dir = find_workspace().state_dir / name
    system = SystemOptions(
        backend=backend or DEFAULT_BACKEND,
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
        disorder=disorder,
    )
    return DemoOptions(system, seed, run, deadline_s, kill_worker)
