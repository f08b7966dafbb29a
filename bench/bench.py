"""`make bench`: every speed goal, side by side on one backend process, the median of several rounds. See README.md."""

import argparse
import json
import secrets
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from api_part import api_part, calm_part
from figures import Figure, show
from ground import Ground
from orderboard.checkout import find_checkout
from orderboard.machine import machine
from orderboard.screen import progress_screen, result_console
from orderboard.services import ServiceOptions
from orderboard.system import SystemOptions, start_system
from orderboard_stack.backend import DEFAULT_BACKEND
from whole_part import memory_part, whole_part
from worker_part import worker_part

PARTS: Final[dict[str, Callable[[Ground], list[Figure]]]] = {
    "worker": worker_part,
    "api": api_part,
    "calm": calm_part,
    "whole": whole_part,
    "memory": memory_part,
}


def main() -> None:
    """Run the parts that were asked for, and print the table. Missed goals are printed like met ones: exit 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=PARTS, action="append", help="repeatable; all parts if not given")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures: list[Figure] = []
    with ExitStack() as stack, progress_screen() as screen:
        ground = Ground(start_system(_options(stack), screen, stack), screen, arguments.rounds)
        ground.sleep()
        for name in arguments.only or PARTS:
            figures += PARTS[name](ground)
    about = machine()
    if arguments.json:
        json.dump(
            {"machine": about.model_dump(), "figures": [each.document() for each in figures]}, sys.stdout, indent=2
        )
        return
    show(figures, result_console())
    print(f" {about.processor}, {about.cpus} cores, {about.system}, Python {about.python}")


def _options(stack: ExitStack) -> SystemOptions:
    name = f"orderboard-bench-{secrets.token_hex(3)}"
    logs_dir = find_checkout().state_dir / name
    stack.callback(shutil.rmtree, logs_dir, ignore_errors=True)
    return SystemOptions(
        backend=DEFAULT_BACKEND,
        endpoint_url=None,
        services=ServiceOptions(logs_dir=logs_dir),
        stack_name=name,
        prefix=name,
        parameters={"WithDashboard": "false", "WithArchive": "false"},
        keeps_stack=False,
    )


if __name__ == "__main__":
    main()
