"""Kills order-api and the backend's engine, as a crash would. Both come back: order-api is started again from here."""

from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

import psutil

from orderboard.console import commands, requests
from orderboard.console.controls import ActionResult, Control
from orderboard.console.source import Source
from orderboard.errors import RigError
from orderboard.system.engine import engine_process
from orderboard.system.services import Service, ServiceOptions, start_api
from orderboard.system.state import KnownProcess, State
from orderboard.system.workers import NOT_OURS, Workers

_NO_FAULTS: Final = "The system was started without --allow-faults."
_NOT_EMBEDDED: Final = "Only the embedded backend starts a killed engine again; the backend is {}."


@dataclass
class Kills:
    """The two controls, for a system that `up` started here with faults allowed."""

    source: Source
    workers: Workers
    _engine: psutil.Process | None = field(default=None, init=False)

    def available(self) -> dict[str, Control]:
        """Return both controls, with the reason if one is unavailable."""
        state = self.source.state()
        if state is None:
            return dict.fromkeys(("kill-api", "kill-backend"), Control("", NOT_OURS))
        allowed = None if state.allow_faults else _NO_FAULTS
        away = None if state.backend == "embedded" else _NOT_EMBEDDED.format(state.backend)
        engine = None if allowed or away else self._running_engine(state)
        return {
            "kill-api": Control(commands.kill(_api(state).pid), allowed),
            "kill-backend": Control(
                "" if engine is None else commands.kill(engine.pid),
                allowed or away or (None if engine is not None else "The backend is being started again."),
            ),
        }

    def kill_api(self, _: requests.Empty) -> ActionResult:
        """Kill order-api if it runs, and start it again on its port."""
        state = self._allowed()
        api = _api(state)
        if (process := api.find()) is not None:
            process.kill()
        target, port = self.source.target(), urlsplit(state.api_url).port

        def start(options: ServiceOptions) -> Service:
            return start_api(target.endpoint, target.outputs, replace(options, api_port=port))

        self.workers.start_again(api.name, start)
        return ActionResult("order-api was killed, and started again.", commands.kill(api.pid))

    def kill_backend(self, _: requests.Empty) -> ActionResult:
        """Kill the backend's engine, which is started again with what it acknowledged."""
        state = self._allowed()
        if state.backend != "embedded":
            raise RigError(_NOT_EMBEDDED.format(state.backend))
        if (engine := self._running_engine(state)) is None:
            raise RigError("The backend is not running at the moment: it is being started again.")
        engine.kill()
        return ActionResult("The backend was killed, and starts again.", commands.kill(engine.pid))

    def _allowed(self) -> State:
        if (state := self.source.state()) is None:
            raise RigError(NOT_OURS)
        if not state.allow_faults:
            raise RigError(_NO_FAULTS)
        return state

    def _running_engine(self, state: State) -> psutil.Process | None:
        if self._engine is None or not self._engine.is_running():
            backend = next((each for each in state.processes if each.name == "backend"), None)
            self._engine = None if backend is None else engine_process(backend.pid, state.endpoint_url)
        return self._engine


def _api(state: State) -> KnownProcess:
    return next(each for each in state.processes if each.name == "order-api")
