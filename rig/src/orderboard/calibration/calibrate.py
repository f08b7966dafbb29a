"""A calibration from start to end: a backend and a stack without services, measured and deleted again."""

import asyncio
import secrets
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from orderboard_stack.backend import DEFAULT_BACKEND, BackendName

from orderboard.calibration.measure import measure
from orderboard.calibration.model import Calibration, Ceiling, write_calibration
from orderboard.calibration.operations import operations
from orderboard.system.backends import version_of
from orderboard.system.host import this_host
from orderboard.system.services import ServiceOptions
from orderboard.system.system import SystemOptions, running_system
from orderboard.system.target import Target
from orderboard.system.workspace import find_workspace
from orderboard.terminal.progress import Screen, Task


def calibrate(
    backend: BackendName | None,
    endpoint_url: str | None,
    screen: Screen,
    *,
    seconds: float,
    backlogs: Sequence[int],
    yes: bool,
) -> tuple[Calibration, Path]:
    """Measure, write the calibration, and return it with its path."""
    state_dir = find_workspace().state_dir
    name = f"orderboard-calibrate-{secrets.token_hex(3)}"
    logs_dir = state_dir / name
    options = SystemOptions(
        backend=backend or DEFAULT_BACKEND,
        endpoint_url=endpoint_url,
        services=ServiceOptions(logs_dir=logs_dir),
        stack_name=name,
        prefix=name,
        parameters={"WithDashboard": "false", "WithArchive": "false"},
        keeps_stack=False,
        stack_only=True,
        yes=yes,
    )
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, logs_dir, ignore_errors=True)
        target = stack.enter_context(running_system(options, screen)).target
        backend_version = version_of(target.endpoint)
        with screen.task("Calibration", total=0) as task:
            ceilings = asyncio.run(_measure(target, seconds, backlogs, task))
    about = this_host()
    calibration = Calibration(
        measured_at=datetime.now(UTC),
        backend=target.endpoint.name,
        backend_version=backend_version,
        processor=about.processor,
        cpus=about.cpus,
        versions=dict(about.versions),
        ceilings=tuple(ceilings),
    )
    return calibration, write_calibration(calibration, state_dir)


async def _measure(target: Target, seconds: float, backlogs: Sequence[int], task: Task) -> list[Ceiling]:
    async with operations(target) as calls:
        return await measure(calls, target, seconds=seconds, backlogs=backlogs, task=task)
