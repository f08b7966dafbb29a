"""A demo from start to end: a system, the rush, the ledger. What the rush needs is imported while the system starts."""

# ruff: noqa: PLC0415

import secrets
import shutil
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from orderboard.burst.measured_system import Where, measured_system
from orderboard.system.lifecycle import system_to_keep
from orderboard.system.system import running_system
from orderboard.system.workspace import find_workspace
from orderboard.terminal.progress import Screen

if TYPE_CHECKING:
    from orderboard.demo.runner import DemoResult

# Short, so that orders in flight at a worker that died come back soon.
_VISIBILITY_TIMEOUT_S: Final = 6


def play_demo(
    where: Where, screen: Screen, *, seed: int, workers: int, kill_worker: bool, deadline_s: float, keep: bool = False
) -> "DemoResult":
    """Start the system, send the rush, judge, end the system. The logs are removed when the ledger balances.

    keep: leave the system and its logs, as `up` does.
    """
    workspace = find_workspace()
    name = f"orderboard-demo-{secrets.token_hex(3)}"
    logs_dir = workspace.logs_dir if keep else workspace.state_dir / name
    options = measured_system(
        name, where, logs_dir=logs_dir, workers=workers, visibility_timeout_s=_VISIBILITY_TIMEOUT_S
    )
    environment = {**options.services.worker_environment, "ORDERBOARD_RECEIVE_WAIT_S": "1"}
    services = replace(options.services, worker_environment=environment, outlives_us=keep)
    options = replace(options, services=services, keeps_stack=keep)
    start = partial(system_to_keep, workspace) if keep else running_system
    try:
        with start(options, screen, meanwhile=lambda: import_module("orderboard.demo.runner")) as system:
            from orderboard.demo.runner import run_demo

            result = run_demo(system, screen, seed=seed, kill_worker=kill_worker, deadline_s=deadline_s, name=name)
    except KeyboardInterrupt:
        if not keep:
            shutil.rmtree(logs_dir, ignore_errors=True)
        raise
    if result.judgement.ledger.balanced and not keep:
        shutil.rmtree(logs_dir, ignore_errors=True)
    return replace(result, kept=keep)
