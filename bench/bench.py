"""`make bench`: every speed goal, side by side on one backend process, as the median of several rounds."""

import argparse
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Final

from goals import Goal
from interruptible import exit_code_of
from orderboard.system.backends import version_of
from orderboard.system.services import ServiceOptions
from orderboard.system.system import SystemOptions, running_system
from orderboard.system.workspace import find_workspace
from orderboard.terminal.progress import progress_screen
from orderboard_stack.backend import DEFAULT_BACKEND, BackendName
from orders.api import api_part, calm_part
from orders.memory import memory_part
from orders.report import Report, parsed
from orders.running import RunningSystem
from orders.whole import whole_part
from orders.worker import worker_part

PARTS: Final[dict[str, Callable[[RunningSystem], list[Goal]]]] = {
    "worker": worker_part,
    "api": api_part,
    "calm": calm_part,
    "whole": whole_part,
    "memory": memory_part,
}
_BACKENDS: Final[tuple[BackendName, ...]] = ("embedded", "ministack", "localstack")


def main() -> int:
    """Run the selected parts and print the results. Exit 0 also if goals are missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=_BACKENDS, default=DEFAULT_BACKEND)
    parser.add_argument("--only", choices=PARTS, action="append", help="a part to run; repeatable; default: all")
    arguments = parsed(parser)
    found: list[Report] = []
    parts = arguments.only or tuple(PARTS)
    if code := exit_code_of("bench", lambda: found.append(_measure(arguments.backend, arguments.rounds, parts))):
        return code
    found[0].print(arguments)
    return 0


def _measure(backend: BackendName, rounds: int, parts: Sequence[str]) -> Report:
    began_at = datetime.now(UTC)
    goals: list[Goal] = []
    part_s: dict[str, float] = {}
    with ExitStack() as stack, progress_screen() as screen:
        system = stack.enter_context(running_system(_options(backend, stack), screen))
        running = RunningSystem(system, screen, rounds)
        version = version_of(running.system.target.endpoint)
        stack.callback(running.resume_worker)
        running.pause_worker()
        for name in parts:
            began = time.perf_counter()
            goals += PARTS[name](running)
            part_s[name] = time.perf_counter() - began
    return Report(goals, part_s, rounds, f"{backend} ({version})", began_at)


def _options(backend: BackendName, stack: ExitStack) -> SystemOptions:
    name = f"orderboard-bench-{secrets.token_hex(3)}"
    logs_dir = find_workspace().state_dir / name
    stack.callback(shutil.rmtree, logs_dir, ignore_errors=True)
    return SystemOptions(
        backend=backend,
        endpoint_url=None,
        services=ServiceOptions(logs_dir=logs_dir),
        stack_name=name,
        prefix=name,
        parameters={"WithDashboard": "false", "WithArchive": "false"},
        keeps_stack=False,
    )


if __name__ == "__main__":
    sys.exit(main())
