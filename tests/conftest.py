"""Fixtures of all tests: one local backend per session, and stacks on it: one for each test, or for each file."""

import os
import secrets
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

import pytest
from hypothesis import settings
from orderboard_stack.backend import DEFAULT_BACKEND, Endpoint, detect
from orderboard_stack.deploy import delete, deploy
from orderboard_stack.function_zip import HostTarget, LinuxTarget, build_function_zip, host_architecture
from orderboard_stack.local_backend import LOCAL_NAMES, local_backend
from support.stack import DeployedStack, DeployStack
from xdist.scheduler import LoadScopeScheduling

# How long an example takes says more of the machine than of the code.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# Folders whose tests wait longest come first, so that the workers of a parallel run end together.
_SLOWEST_FIRST = ("localstack", "workshop", "e2e", "lab", "fidelity", "integration", "clients")
# Folders that start or install something too large for each worker to have. The console's tests share one browser at a
# time, too.
_ONE_WORKER = ("localstack", "workshop", "fidelity", "clients")

HOST_RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The backend of the session: embedded, or what ORDERBOARD_TEST_BACKEND or ORDERBOARD_TEST_ENDPOINT_URL names."""
    if url := os.environ.get("ORDERBOARD_TEST_ENDPOINT_URL"):
        yield detect(url)
        return
    wanted = os.environ.get("ORDERBOARD_TEST_BACKEND", DEFAULT_BACKEND)
    (name,) = (each for each in LOCAL_NAMES if each == wanted)
    with local_backend(name, tmp_path_factory.mktemp("backend") / "backend.log") as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def host_notifier_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notifier's zip for this machine's Python, which a local backend runs."""
    return build_function_zip(tmp_path_factory.mktemp("notifier") / "notifier.zip", HostTarget())


@pytest.fixture(scope="session")
def notifier_zip(backend: Endpoint, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notifier's zip for where the backend runs it."""
    if backend.capabilities.host_lambda:
        host_zip: Path = request.getfixturevalue("host_notifier_zip")
        return host_zip
    return build_function_zip(tmp_path_factory.mktemp("notifier") / "linux.zip", LinuxTarget(host_architecture()))


@contextmanager
def stacks(backend: Endpoint, notifier_zip: Path) -> Iterator[DeployStack]:
    """Deploy stacks with a unique name and prefix and these template parameters; delete them at the end."""
    session = backend.session()
    runtime: dict[str, str] = {"NotifierArchitecture": host_architecture()}
    if backend.capabilities.host_lambda:
        runtime["NotifierRuntime"] = HOST_RUNTIME
    names: list[str] = []
    target = HostTarget() if backend.capabilities.host_lambda else LinuxTarget(host_architecture())

    def deployed(parameters: Mapping[str, str]) -> DeployedStack:
        worker_zip = None
        if parameters.get("WorkerCompute") == "lambda":
            worker_zip = build_function_zip(notifier_zip.with_name("worker.zip"), target, "worker")
        name = f"test-{secrets.token_hex(4)}"
        names.append(name)
        outputs = deploy(
            session,
            backend.endpoint_url,
            stack_name=name,
            prefix=name,
            notifier_zip=notifier_zip,
            worker_zip=worker_zip,
            parameters={**runtime, **parameters},
        )
        return DeployedStack(name=name, prefix=name, endpoint=backend, outputs=outputs)

    yield deployed
    for name in names:
        delete(session, backend.endpoint_url, stack_name=name, prefix=name)


@pytest.fixture
def deploy_stack(backend: Endpoint, notifier_zip: Path) -> Iterator[DeployStack]:
    """Deploys stacks for this test."""
    with stacks(backend, notifier_zip) as deployed:
        yield deployed


@pytest.fixture
def stack(deploy_stack: DeployStack) -> DeployedStack:
    """A stack of the template's defaults, for this test alone."""
    return deploy_stack({})


@pytest.fixture(scope="module")
def shared_stack(backend: Endpoint, notifier_zip: Path) -> Iterator[DeployedStack]:
    """A stack of the template's defaults, for all tests of a file: each takes out of its queues what it puts in."""
    with stacks(backend, notifier_zip) as deployed:
        yield deployed({})


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Tests of a file run on one worker, for they share what is expensive to start; so do those of `_ONE_WORKER`."""

    def _split_scope(self, nodeid: str) -> str:
        path = PurePath(nodeid.partition("::")[0])
        if path.parts[1] in _ONE_WORKER:
            return path.parts[1]
        return "browser" if path.name.startswith("test_console") else str(path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Schedule by groups. The mark xdist_group would do, but has no effect with pytest 9.2 and pytest-xdist 3.8."""
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests for a parallel run: the slowest first."""
    tests = Path(__file__).parent
    places = {name: place for place, name in enumerate(_SLOWEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.relative_to(tests).parts[0], len(places)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what was skipped, and what it needs."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ").splitlines()[0] for report in skipped)
    if reasons:
        terminalreporter.write_line("Skipped: " + "; ".join(f"{count} ({reason})" for reason, count in reasons.items()))
