"""What the console looks at: the system that `up` started here, or a backend that was named."""

import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from orderboard_stack.backend import CLIENT_CONFIG, BackendName

from orderboard.errors import RigError
from orderboard.system.connect import find_endpoint
from orderboard.system.localbus import Localbus, find
from orderboard.system.state import State, StateFile
from orderboard.system.target import Target, target
from orderboard.system.workspace import Workspace

if TYPE_CHECKING:
    from types_boto3_lambda.client import LambdaClient
    from types_boto3_sns.client import SNSClient


_CONNECTS_WITHIN_S: Final = 2.0


@dataclass
class Source:
    """Finds the system. What is looked up once stays, until another system runs here: `up` may have been run again."""

    workspace: Workspace
    backend: BackendName | None = None
    endpoint_url: str | None = None
    stack_name: str | None = None
    api_url: str | None = None
    _target: Target | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _known_by: object = field(default=None, init=False)
    _localbus: Localbus | None = field(default=None, init=False)
    _queue_urls: dict[str, str] = field(default_factory=dict, init=False)
    _functions: "LambdaClient | None" = field(default=None, init=False)

    def state(self) -> State | None:
        """What `up` remembers; None where somebody else started the system."""
        if self._named:
            return None
        return StateFile(self.workspace.state_dir).read()

    def target(self) -> Target:
        """The system; raise RigError when there is none. Asked by several threads, it is looked up by one."""
        with self._lock:
            return self._found()

    def _found(self) -> Target:
        if self._target is not None and self._named:
            return self._target
        endpoint, state = find_endpoint(self.backend, self.endpoint_url)
        api_url = self.api_url or (state.api_url if state is not None else None)
        known_by = (endpoint, api_url, None if state is None else state.processes[:2])
        if self._target is None or self._known_by != known_by:
            stack_name = self.stack_name or (state.stack_name if state is not None else "orderboard")
            found, engine = target(endpoint, stack_name, api_url), find(endpoint)
            self._queue_urls.clear()
            if self._localbus is not None:
                self._localbus.close()
            self._functions = None
            self._target, self._known_by, self._localbus = found, known_by, engine
        return self._target

    def reachable(self) -> Target:
        """The system; raise RigError at once when nothing listens there any more, before an SDK tries for long."""
        found = self.target()
        if found.endpoint.local and found.endpoint.endpoint_url is not None:
            address = urlsplit(found.endpoint.endpoint_url)
            try:
                socket.create_connection((address.hostname, address.port or 80), _CONNECTS_WITHIN_S).close()
            except OSError as exc:
                mend = "If it has ended: orderboard down, orderboard up."
                raise RigError(f"Nothing answers at {found.endpoint.endpoint_url}. {mend}") from exc
        return found

    def localbus(self) -> Localbus | None:
        """The backend's own doors, where it is localbus."""
        self.target()
        return self._localbus

    def backend_now(self) -> float:
        """The time by the clock that says when a message was sent: localbus's may be turned by hand."""
        engine = self.localbus()
        return time.time() if engine is None else engine.now()

    @property
    def _named(self) -> bool:
        return self.endpoint_url is not None or self.backend == "aws"

    def queue_url(self, name: str) -> str:
        """The address of a queue, asked for once."""
        if name not in self._queue_urls:
            self._queue_urls[name] = self.target().queue_url(name)
        return self._queue_urls[name]

    @property
    def logs_dir(self) -> Path | None:
        """Where the services of this system write their logs; None when that is not known here."""
        return self.workspace.logs_dir if self.state() is not None else None

    def sns(self) -> "SNSClient":
        """For subscriptions."""
        target = self.target()
        return target.session.client("sns", endpoint_url=target.endpoint.endpoint_url, config=CLIENT_CONFIG)

    def functions(self) -> "LambdaClient":
        """For the notifier's mapping."""
        target = self.target()
        if self._functions is None:
            url = target.endpoint.endpoint_url
            self._functions = target.session.client("lambda", endpoint_url=url, config=CLIENT_CONFIG)
        return self._functions
