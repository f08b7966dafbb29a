"""The system that the console shows: the one that `up` started here, or a named backend."""

import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from orderboard_stack.backend import BackendName, Endpoint

from orderboard.errors import RigError
from orderboard.system.connect import find_endpoint
from orderboard.system.localbus import Localbus, find
from orderboard.system.state import State, StateFile
from orderboard.system.target import Connection, NoStackError, Target, target
from orderboard.system.workspace import Workspace

_CONNECTS_WITHIN_S: Final = 2.0
_NO_STACK_FOR_S: Final = 5.0


@dataclass
class Source:
    """Finds the system, and keeps it until another one runs here: `up` may have been run again."""

    workspace: Workspace
    backend: BackendName | None = None
    endpoint_url: str | None = None
    stack_name: str | None = None
    api_url: str | None = None
    _connection: Connection | None = field(default=None, init=False)
    _target: Target | None = field(default=None, init=False)
    _no_stack: tuple[float, str] | None = field(default=None, init=False)  # until a monotonic time, and the error
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _known_by: object = field(default=None, init=False)
    _localbus: Localbus | None = field(default=None, init=False)
    _queue_urls: dict[str, str] = field(default_factory=dict, init=False)

    def state(self) -> State | None:
        """Return the state of `up`; None if the system was started elsewhere."""
        if self._named:
            return None
        return StateFile(self.workspace.state_dir).read()

    def connection(self) -> Connection:
        """Return the backend, with or without a stack. Concurrent threads share one lookup."""
        with self._lock:
            return self._connected()

    def target(self) -> Target:
        """Return the system; raise NoStackError if the backend has none. Concurrent threads share one lookup."""
        with self._lock:
            connection = self._connected()
            if self._target is None:
                self._target = self._find_target(connection)
            return self._target

    def _find_target(self, connection: Connection) -> Target:
        """Look for the stack. That there is none is known for a while: the board asks for it every second."""
        if self._no_stack is not None and time.monotonic() < self._no_stack[0]:
            raise NoStackError(self._no_stack[1])
        state = self.state()
        stack_name = self.stack_name or (state.stack_name if state is not None else "orderboard")
        try:
            return target(connection.endpoint, stack_name, self._api_url(state))
        except NoStackError as exc:
            self._no_stack = (time.monotonic() + _NO_STACK_FOR_S, str(exc))
            raise

    def _connected(self) -> Connection:
        if self._connection is not None and self._named:
            return self._connection
        endpoint, state = find_endpoint(self.backend, self.endpoint_url, alone=True)
        known_by = (endpoint, self._api_url(state), None if state is None else state.processes[:2])
        if self._connection is None or self._known_by != known_by:
            engine = find(endpoint)
            self._queue_urls.clear()
            if self._localbus is not None:
                self._localbus.close()
            self._connection, self._target, self._localbus = Connection(endpoint), None, engine
            self._known_by, self._no_stack = known_by, None
        return self._connection

    def _api_url(self, state: State | None) -> str | None:
        return self.api_url or (state.api_url if state is not None else None)

    def reachable(self) -> Target:
        """Return the system; raise RigError at once if nothing listens there: an SDK would retry for long."""
        found = self.target()
        _check_reachable(found.endpoint)
        return found

    def reachable_connection(self) -> Connection:
        """Return the backend; raise RigError at once if nothing listens there."""
        found = self.connection()
        _check_reachable(found.endpoint)
        return found

    def localbus(self) -> Localbus | None:
        """Return the backend's developer API; None if the backend is not localbus."""
        self.connection()
        return self._localbus

    def backend_now(self) -> float:
        """Return the time by the clock that dates messages: localbus's may be set by hand."""
        engine = self.localbus()
        return time.time() if engine is None else engine.now()

    @property
    def _named(self) -> bool:
        return self.endpoint_url is not None or self.backend == "aws"

    def queue_url(self, name: str) -> str:
        """Return a queue's URL, from a cache."""
        if name not in self._queue_urls:
            self._queue_urls[name] = self.target().queue_url(name)
        return self._queue_urls[name]

    @property
    def logs_dir(self) -> Path | None:
        """The folder with the services' logs; None if they run elsewhere."""
        return self.workspace.logs_dir if self.state() is not None else None


def _check_reachable(endpoint: Endpoint) -> None:
    if not endpoint.local or endpoint.endpoint_url is None:
        return
    address = urlsplit(endpoint.endpoint_url)
    try:
        socket.create_connection((address.hostname, address.port or 80), _CONNECTS_WITHIN_S).close()
    except OSError as exc:
        fix = "If the system has ended, start it again: `orderboard down && orderboard up`."
        raise RigError(f"Nothing answers at {endpoint.endpoint_url}. {fix}") from exc
