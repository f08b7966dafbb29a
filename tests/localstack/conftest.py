"""Fixtures of the tests on LocalStack: one container, one stack and one order-api a session; workers as a test asks."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from localstack.container import LocalStack, localstack_container
from localstack.engine import LAMBDA_IMAGE, LOCALSTACK_IMAGE, require
from localstack.inbox import Inbox
from localstack.workers import Workers
from localstack_client.session import Session  # type: ignore[import-untyped]
from orderboard.system.deploy import Zips, deploy_stack, pack_functions
from orderboard.system.process import stop_all
from orderboard.system.services import ServiceOptions, start_api
from orderboard_stack.backend import Endpoint
from support.stack import DeployedStack


@pytest.fixture(scope="session")
def localstack() -> Iterator[LocalStack]:
    """LocalStack, if this machine can run it."""
    require(LOCALSTACK_IMAGE, LAMBDA_IMAGE)
    with localstack_container() as running:
        yield running


@pytest.fixture(scope="session")
def backend(localstack: LocalStack) -> Endpoint:
    """The backend that all fixtures here deploy to."""
    return localstack.endpoint


@pytest.fixture(scope="session")
def aws(backend: Endpoint) -> Session:
    """Clients of LocalStack, by its own client library: `aws.client("sqs")`."""
    return Session(localstack_host=str(backend.endpoint_url).removeprefix("http://"))


@pytest.fixture(scope="session")
def zips(backend: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Zips:
    """The notifier's zip for Lambda's Linux."""
    return pack_functions(backend, tmp_path_factory.mktemp("functions"), "container", print)


@pytest.fixture(scope="session")
def stack(backend: Endpoint, zips: Zips) -> DeployedStack:
    """One stack for all tests here; each tells its orders from the others' by their ids.

    The inbox's dead-letter queue has a message from the start on, since the alarm by it takes minutes.
    """
    name = "orderboard"
    parameters = {"WorkVisibilityTimeoutS": "6", "WorkMaxReceiveCount": "2"}
    outputs = deploy_stack(backend, zips, stack_name=name, prefix=name, parameters=parameters, progress=print)
    deployed = DeployedStack(name=name, prefix=name, endpoint=backend, outputs=outputs)
    deployed.sqs.send_message(QueueUrl=deployed.queue_url(outputs.inbox_dlq), MessageBody="a dead letter")
    return deployed


@pytest.fixture(scope="session")
def api(stack: DeployedStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of an order-api that takes orders with faults."""
    options = ServiceOptions(logs_dir=tmp_path_factory.mktemp("order-api"), allow_faults=True)
    service = start_api(stack.endpoint, stack.outputs, options)
    try:
        service.wait()
        with httpx.Client(base_url=service.url, timeout=10) as client:
            yield client
    finally:
        stop_all([service.process], deadline_s=10)


@pytest.fixture
def workers(stack: DeployedStack, tmp_path: Path) -> Iterator[Workers]:
    """Starts workers; those that still run are stopped after the test."""
    with ExitStack() as running:
        yield Workers(stack, tmp_path, running)


@pytest.fixture(scope="session")
def inbox(stack: DeployedStack) -> Inbox:
    """The alerts of the notifier."""
    return Inbox(stack)
