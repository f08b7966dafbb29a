"""Fixtures of all tests: one embedded backend a session, and on it a stack of its own for each test that asks."""

import secrets
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from orderboard_stack.backend import Endpoint
from orderboard_stack.deploy import delete, deploy
from orderboard_stack.embedded import embedded
from support import DeployedStack, DeployStack

HOST_RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The embedded backend, shared by the session."""
    with embedded(tmp_path_factory.mktemp("embedded") / "ministack.log") as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def host_notifier_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notifier's zip for this machine's Python, which the embedded backend runs."""
    from orderboard_stack.notifier_zip import HostTarget, build_notifier_zip  # noqa: PLC0415

    return build_notifier_zip(tmp_path_factory.mktemp("notifier") / "notifier.zip", HostTarget())


@pytest.fixture
def deploy_stack(backend: Endpoint, host_notifier_zip: Path) -> Iterator[DeployStack]:
    """Deploys a stack with a name and prefix of its own and these template parameters; deletes it after the test."""
    session = backend.session()
    names: list[str] = []

    def deployed(parameters: Mapping[str, str]) -> DeployedStack:
        name = f"test-{secrets.token_hex(4)}"
        names.append(name)
        outputs = deploy(
            session,
            backend.endpoint_url,
            stack_name=name,
            prefix=name,
            notifier_zip=host_notifier_zip,
            parameters={"NotifierRuntime": HOST_RUNTIME, **parameters},
        )
        return DeployedStack(name=name, prefix=name, endpoint=backend, outputs=outputs, session=session)

    yield deployed
    for name in names:
        delete(session, backend.endpoint_url, stack_name=name, prefix=name)


@pytest.fixture
def stack(deploy_stack: DeployStack) -> DeployedStack:
    """A stack of the template's defaults, for this test alone."""
    return deploy_stack({})
