"""Fixtures of all tests: one local backend a session, and on it a stack of its own for each test that asks."""

import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings
from orderboard_stack.backend import DEFAULT_BACKEND, Endpoint, recognise
from orderboard_stack.deploy import delete, deploy
from orderboard_stack.local_backend import LOCAL_NAMES, local_backend
from orderboard_stack.notifier_zip import HostTarget, LinuxTarget, build_notifier_zip, host_architecture
from support import DeployedStack, DeployStack

# How long an example takes says more of the machine than of the code.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

HOST_RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The backend of the session: embedded, or what ORDERBOARD_TEST_BACKEND or ORDERBOARD_TEST_ENDPOINT_URL names."""
    if url := os.environ.get("ORDERBOARD_TEST_ENDPOINT_URL"):
        yield recognise(url)
        return
    wanted = os.environ.get("ORDERBOARD_TEST_BACKEND", DEFAULT_BACKEND)
    (name,) = (each for each in LOCAL_NAMES if each == wanted)
    with local_backend(name, tmp_path_factory.mktemp("backend") / "backend.log") as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def host_notifier_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notifier's zip for this machine's Python, which a local backend runs."""
    return build_notifier_zip(tmp_path_factory.mktemp("notifier") / "notifier.zip", HostTarget())


@pytest.fixture(scope="session")
def notifier_zip(backend: Endpoint, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notifier's zip for where the backend runs it."""
    if backend.capabilities.host_lambda:
        host_zip: Path = request.getfixturevalue("host_notifier_zip")
        return host_zip
    return build_notifier_zip(tmp_path_factory.mktemp("notifier") / "linux.zip", LinuxTarget(host_architecture()))


@pytest.fixture
def deploy_stack(backend: Endpoint, notifier_zip: Path) -> Iterator[DeployStack]:
    """Deploys a stack with a name and prefix of its own and these template parameters; deletes it after the test."""
    session = backend.session()
    runtime: dict[str, str] = {"NotifierArchitecture": host_architecture()}
    if backend.capabilities.host_lambda:
        runtime["NotifierRuntime"] = HOST_RUNTIME
    names: list[str] = []

    def deployed(parameters: Mapping[str, str]) -> DeployedStack:
        name = f"test-{secrets.token_hex(4)}"
        names.append(name)
        outputs = deploy(
            session,
            backend.endpoint_url,
            stack_name=name,
            prefix=name,
            notifier_zip=notifier_zip,
            parameters={**runtime, **parameters},
        )
        return DeployedStack(name=name, prefix=name, endpoint=backend, outputs=outputs, session=session)

    yield deployed
    for name in names:
        delete(session, backend.endpoint_url, stack_name=name, prefix=name)


@pytest.fixture
def stack(deploy_stack: DeployStack) -> DeployedStack:
    """A stack of the template's defaults, for this test alone."""
    return deploy_stack({})
