"""Worker processes on this machine, pointed at LocalStack."""

from contextlib import ExitStack
from pathlib import Path
from typing import Final

from orderboard.system.process import stop_all
from orderboard.system.services import Service, ServiceOptions, start_worker
from support.stack import DeployedStack

STOPS_WITHIN_S: Final = 15


class Workers:
    """Starts workers that end with `running`."""

    def __init__(self, stack: DeployedStack, logs_dir: Path, running: ExitStack) -> None:
        self._stack = stack
        self._logs_dir = logs_dir
        self._running = running
        self._started = 0

    def start(self, *, allow_faults: bool = False, **settings: str) -> Service:
        """Start one more and wait until it is ready; settings are environment variables without ORDERBOARD_."""
        self._started += 1
        options = ServiceOptions(
            logs_dir=self._logs_dir,
            allow_faults=allow_faults,
            worker_environment={f"ORDERBOARD_{name.upper()}": value for name, value in settings.items()},
        )
        worker = start_worker(self._stack.endpoint, self._stack.outputs, options, self._started)
        self._running.callback(stop_all, [worker.process], deadline_s=STOPS_WITHIN_S)
        worker.wait()
        return worker
