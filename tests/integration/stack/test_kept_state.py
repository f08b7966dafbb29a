"""The state that the embedded backend keeps: when an engine dies, and between two runs on one data folder."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.stack import sample_events
from integration.stack.traffic import put
from orderboard_stack.clients import CLIENT_CONFIG
from orderboard_stack.deploy import deploy
from orderboard_stack.local_backend import LocalBackend, LocalStartError, start_local
from orderboard_stack.local_processes import read_engines
from support.stack import DeployedStack
from support.waiting import eventually


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """The data folder of this test's backend."""
    return tmp_path / "data"


@pytest.fixture
def own_backend(tmp_path: Path, data_dir: Path) -> Iterator[LocalBackend]:
    """A backend on that folder whose engines the test may kill."""
    backend = start_local("embedded", tmp_path / "backend.log", data_dir=data_dir)
    yield backend
    backend.stop()


def client(backend: LocalBackend, service: str) -> Any:
    """A boto3 client."""
    session: Any = backend.endpoint.session()  # boto3's types need the name of the service as a literal
    return session.client(service, endpoint_url=backend.endpoint.endpoint_url, config=CLIENT_CONFIG)


async def kill(backend: LocalBackend, name: str) -> None:
    """SIGKILL an engine, and wait until another process has its place."""
    pid = read_engines(backend.log_path)[name].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: read_engines(backend.log_path)[name].pid != pid, within_s=10)
    await eventually(lambda: backend.endpoint.unanswered(within_s=2) is None, within_s=30)


def put_object(backend: LocalBackend) -> None:
    """Make a bucket with one object."""
    client(backend, "s3").create_bucket(Bucket="menu")
    client(backend, "s3").put_object(Bucket="menu", Key="tea", Body=b"300")


def read_object(backend: LocalBackend) -> bytes:
    """Read that object."""
    body: bytes = client(backend, "s3").get_object(Bucket="menu", Key="tea")["Body"].read()
    return body


async def test_alerts_go_on_after_ministack_was_killed(own_backend: LocalBackend, host_notifier_zip: Path) -> None:
    """Its functions are there again before it answers, so no alert uses up a receive.

    It takes 5 s: a stack is deployed.
    """
    endpoint = own_backend.endpoint
    runtime = {"NotifierRuntime": f"python{sys.version_info.major}.{sys.version_info.minor}"}
    outputs = deploy(endpoint.session(), endpoint.endpoint_url, notifier_zip=host_notifier_zip, parameters=runtime)
    stack = DeployedStack(name="orderboard", prefix="orderboard", endpoint=endpoint, outputs=outputs)
    put(stack, sample_events.rejected())
    await eventually(lambda: stack.receive(outputs.inbox_queue), within_s=30)

    await kill(own_backend, "MiniStack")
    put(stack, sample_events.rejected())

    await eventually(lambda: stack.receive(outputs.inbox_queue), within_s=30)
    again = deploy(endpoint.session(), endpoint.endpoint_url, notifier_zip=host_notifier_zip, parameters=runtime)
    assert again == outputs, "an update finds nothing to change"


async def test_a_queue_and_a_bucket_survive_their_engines(own_backend: LocalBackend) -> None:
    """Everything that was acknowledged before SIGKILL is there when the engine answers again."""
    url = client(own_backend, "sqs").create_queue(QueueName="work")["QueueUrl"]
    client(own_backend, "sqs").send_message(QueueUrl=url, MessageBody="two teas")
    put_object(own_backend)

    await kill(own_backend, "localbus")
    await kill(own_backend, "MiniStack")

    (message,) = client(own_backend, "sqs").receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == "two teas"
    assert read_object(own_backend) == b"300"


def test_the_next_run_goes_on_with_a_data_folder(own_backend: LocalBackend, data_dir: Path, tmp_path: Path) -> None:
    """A backend that is stopped leaves the folder, and one on other ports has all of it."""
    client(own_backend, "sqs").create_queue(QueueName="work")
    put_object(own_backend)
    own_backend.stop()

    following = start_local("embedded", tmp_path / "following.log", data_dir=data_dir)
    try:
        assert (
            client(following, "sqs")
            .get_queue_url(QueueName="work")["QueueUrl"]
            .startswith(str(following.endpoint.endpoint_url))
        )
        assert read_object(following) == b"300"
    finally:
        following.stop()


@pytest.mark.parametrize("damaged", ["localbus/localbus.db", "ministack/state/s3.json"])
def test_a_damaged_file_is_named_and_left(
    own_backend: LocalBackend, data_dir: Path, tmp_path: Path, damaged: str
) -> None:
    """The start fails with the name of the file, which keeps its bytes."""
    put_object(own_backend)
    own_backend.stop()
    path = data_dir / damaged
    path.write_bytes(b"no such format" * 100)
    path.with_name(f"{path.name}-wal").unlink(missing_ok=True)  # it has every page of so small a database

    with pytest.raises(LocalStartError, match=f"{path.name}.*damaged"):
        start_local("embedded", tmp_path / "following.log", data_dir=data_dir)

    assert path.read_bytes() == b"no such format" * 100


def test_a_second_backend_on_one_folder_is_refused(own_backend: LocalBackend, data_dir: Path, tmp_path: Path) -> None:
    """It names the folder, and the first goes on."""
    put_object(own_backend)

    with pytest.raises(LocalStartError, match=f"{data_dir.name}.*in use"):
        start_local("embedded", tmp_path / "second.log", data_dir=data_dir)

    assert read_object(own_backend) == b"300"
