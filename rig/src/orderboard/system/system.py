"""The system under test: backend, stack, order-api, workers and console, started in order and ended in reverse.

`up`, `demo`, `burst`, `calibrate` and the benchmarks all run one of these. Parts that do not need each other start
together: while the backend starts, the notifier is packed and the services import.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import psutil
from orderboard_stack.backend import BackendName, Endpoint
from orderboard_stack.local_backend import LOCAL_NAMES

from orderboard.system.backends import Backend, backend_answers, consent, start_backend
from orderboard.system.process import ChildProcess, PortTakenError, stop_all
from orderboard.system.process_stats import MemoryUse, memory_use
from orderboard.system.services import (
    Service,
    ServiceOptions,
    function_settings,
    preload,
    start_api,
    start_console,
    start_worker,
)
from orderboard.system.state import KnownProcess, WorkerCompute, known
from orderboard.terminal.progress import Screen, Task

if TYPE_CHECKING:
    from orderboard.system.deploy import Zips
    from orderboard.system.target import Target

_STOP_WITHIN_S: Final = 10.0
# With faults of the backend, an alert may be received more often than the three times that the template allows.
PATIENT_RECEIVES: Final = "20"


@dataclass(frozen=True)
class SystemOptions:
    """The system to run.

    worker: processes of `services` here, or a function of the stack. keeps_stack: on a backend that goes on after us,
    leave the stack there. stack_only: start no service.
    """

    backend: BackendName
    endpoint_url: str | None
    services: ServiceOptions
    stack_name: str = "orderboard"
    prefix: str = "orderboard"
    parameters: Mapping[str, str] = field(default_factory=dict)
    worker: WorkerCompute = "container"
    yes: bool = False
    disorder: str | None = None  # in the form of localbus's --disorder
    manual_clock: bool = False
    data_dir: Path | None = None  # None: what the embedded backend keeps goes with it
    keeps_stack: bool = True
    stack_only: bool = False
    with_console: bool = False

    @property
    def workers(self) -> int:
        """The number of worker processes to start."""
        return self.services.workers if self.worker == "container" else 0


@dataclass
class System:
    """A running system. api is None only for a stack without services."""

    target: "Target"
    backend: Backend
    options: SystemOptions
    api: Service | None = None
    workers: list[Service] = field(default_factory=list)
    console: Service | None = None
    _children: dict[str, ChildProcess] = field(default_factory=dict, repr=False)  # everything that is to be ended
    _ending: ExitStack = field(default_factory=ExitStack, repr=False)

    @property
    def services(self) -> list[Service]:
        """order-api and the workers, ended ones included."""
        return [*([] if self.api is None else [self.api]), *self.workers]

    def add_worker(self) -> Service:
        """Start one more worker, without waiting until it is ready."""
        number = len(self.workers) + 1
        worker = start_worker(self.target.endpoint, self.target.outputs, self.options.services, number)
        self.workers.append(worker)
        self._children[worker.process.name] = worker.process
        return worker

    def restart_api(self) -> None:
        """Start order-api, which has ended, again on its port, without waiting until it is ready."""
        options = replace(self.options.services, api_port=urlsplit(self.target.api()).port)
        self.api = start_api(self.target.endpoint, self.target.outputs, options)
        self._children[self.api.process.name] = self.api.process

    def processes(self) -> tuple[KnownProcess, ...]:
        """Every process of ours that runs, the backend first."""
        found = []
        with suppress(psutil.NoSuchProcess):
            found += [] if self.backend.pid is None else [known("backend", self.backend.pid)]
        services = [*self.services, *([] if self.console is None else [self.console])]
        found += [known(each.process.name, each.process.pid, each.url) for each in services if each.process.running()]
        return tuple(found)

    @property
    def given_workers(self) -> int:
        """The number of workers that are no processes of the system: a function counts as one."""
        return 1 if self.options.worker == "lambda" else 0

    def memory(self) -> tuple[MemoryUse, ...]:
        """The memory of every process, this command included."""
        return memory_use(self.processes())

    def backend_answers(self) -> bool:
        """Return whether the backend still listens."""
        return backend_answers(self.target.endpoint)

    def leave_running(self) -> None:
        """Let everything go on when the block of running_system ends."""
        self._ending.pop_all()


@contextmanager
def running_system(
    options: SystemOptions, screen: Screen, *, meanwhile: Callable[[], object] = lambda: None
) -> Iterator[System]:
    """Start everything, wait until it is ready, and end it after the block; on failure nothing is left but the logs.

    meanwhile is called once while the system starts, for imports that the caller needs next. Call this on the main
    thread; see process.start.
    """
    with ExitStack() as ending:
        system = _Start(options, screen, ending, meanwhile).run()
        yield system


class _Start:
    """One start. Each part is registered in `ending` as soon as it is started."""

    def __init__(
        self, options: SystemOptions, screen: Screen, ending: ExitStack, meanwhile: Callable[[], object]
    ) -> None:
        self._options = options
        self._services = options.services
        self._screen = screen
        self._ending = ending
        self._meanwhile = meanwhile
        self._children: dict[str, ChildProcess] = {}
        self._zips: Zips | None = None

    def run(self) -> System:
        options = self._options
        self._services.logs_dir.mkdir(parents=True, exist_ok=True)
        self._ending.callback(lambda: stop_all(list(self._children.values()), deadline_s=_STOP_WITHIN_S))
        with self._screen.task(f"Backend {options.backend}") as task:
            backend = self._backend(task)
        consent(backend.endpoint, yes=options.yes, screen=self._screen)
        with self._screen.task("Stack from template.yaml") as task:
            target = self._stack(backend, task)
        system = System(target, backend, options, _children=self._children, _ending=self._ending)
        if options.with_console:
            system.console = self._keep(start_console(self._services.logs_dir))
        if not options.stack_only:
            count = options.workers
            workers = ("", " and worker")[count] if count < 2 else f" and {count} workers"
            with self._screen.task(f"order-api{workers}"):
                self._start_services(system)
        if system.console is not None:
            with self._screen.task("Console"):
                system.console = self._ready(system.console, lambda: start_console(self._services.logs_dir))
        return system

    def _backend(self, task: Task) -> Backend:
        options = self._options
        start = partial(
            start_backend,
            options.backend,
            options.endpoint_url,
            self._services.logs_dir / "backend.log",
            detached=self._services.outlives_us,
            progress=task.detail,
            data_dir=options.data_dir,
            disorder=options.disorder,
            manual_clock=options.manual_clock,
        )
        if options.endpoint_url is not None or options.backend not in LOCAL_NAMES:
            self._meanwhile()
            return self._end_with_us(start())
        with ThreadPoolExecutor(1) as thread:
            starting = thread.submit(start)
            try:
                self._prepare()
            finally:
                backend = self._end_with_us(starting.result())
            return backend

    def _end_with_us(self, backend: Backend) -> Backend:
        if backend.stop is not None:
            self._ending.callback(backend.stop)
        return backend

    def _prepare(self) -> None:
        """Do what needs no backend, while it starts."""
        from orderboard.system.deploy import pack_functions  # noqa: PLC0415 - slow, and the backend starts meanwhile

        options, services = self._options, self._services
        names = ("order-api", *(f"worker-{number}" for number in range(1, options.workers + 1)))
        for name in () if options.stack_only else names:
            self._children[name] = preload(name, services, local=True)
        self._meanwhile()
        self._zips = pack_functions(Endpoint(options.backend, None), services.logs_dir, options.worker)

    def _stack(self, backend: Backend, task: Task) -> "Target":
        from orderboard.system.deploy import deploy_stack, pack_functions, remove_stack  # noqa: PLC0415
        from orderboard.system.target import Target  # noqa: PLC0415
        from orderboard.system.worker_function import WorkerFunction  # noqa: PLC0415

        options = self._options
        zips = self._zips or pack_functions(backend.endpoint, self._services.logs_dir, options.worker, task.detail)
        if not options.keeps_stack and backend.stop is None:
            self._ending.callback(remove_stack, backend.endpoint, options.stack_name, options.prefix)
        parameters = {"AlertsMaxReceiveCount": PATIENT_RECEIVES} if options.disorder is not None else {}
        outputs = deploy_stack(
            backend.endpoint,
            zips,
            stack_name=options.stack_name,
            prefix=options.prefix,
            parameters={**parameters, **options.parameters},
            progress=task.detail,
        )
        target = Target(backend.endpoint, outputs)
        if options.worker == "lambda":
            function = WorkerFunction(target)
            function.set_environment(function_settings(outputs, self._services))
            function.resume()
        return target

    def _start_services(self, system: System) -> None:
        endpoint, outputs, services = system.target.endpoint, system.target.outputs, self._services
        preloaded = dict(self._children)
        api = self._keep(start_api(endpoint, outputs, services, preloaded.get("order-api")))
        for number in range(1, self._options.workers + 1):
            worker = start_worker(endpoint, outputs, services, number, preloaded.get(f"worker-{number}"))
            system.workers.append(self._keep(worker))
        if services.api_port is None:
            api = self._ready(api, lambda: start_api(endpoint, outputs, services))
        for service in (api, *system.workers):
            service.wait()
        system.api = api
        system.target = replace(system.target, api_url=api.url)

    def _ready(self, service: Service, again: Callable[[], Service]) -> Service:
        """Wait for it; start it again, on another port, if a program took its port first."""
        try:
            service.wait()
        except PortTakenError:
            service = self._keep(again())
            service.wait()
        return service

    def _keep(self, service: Service) -> Service:
        self._children[service.process.name] = service.process
        return service
