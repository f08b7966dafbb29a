"""Faults of a burst on a real embedded backend: killed, configured, out of disk space; and back again."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from orderboard.burst.faults.engine import HAS_FULL_DISK, Engine
from orderboard.burst.faults.schedule import Fault
from orderboard.errors import RigError
from orderboard.system import localbus
from orderboard.system.backends import Backend
from orderboard.system.localbus import Localbus
from orderboard.system.system import System
from orderboard_stack.backend import Endpoint
from orderboard_stack.local_backend import start_local
from support.waiting import eventually


@dataclass(frozen=True)
class _Target:
    endpoint: Endpoint


@dataclass(frozen=True)
class _System:
    backend: Backend
    target: _Target


class Faulty:
    """A backend, the faults that act on it, and a queue in it."""

    def __init__(self, system: _System) -> None:
        self.notes: list[str] = []
        self.engine = Engine(cast(System, system), lambda _, text: self.notes.append(text))
        self.client = Localbus(str(system.target.endpoint.endpoint_url))
        self.sqs = boto3.client(
            "sqs",
            endpoint_url=system.target.endpoint.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )
        self.url = self.sqs.create_queue(QueueName="work")["QueueUrl"]

    def apply(self, fault: Fault) -> None:
        """Apply it, which must be possible."""
        assert self.engine.apply(fault, time.monotonic())

    async def until(self, check: Callable[[], object]) -> None:
        """Keep up, as a burst does, until the check is true."""

        def step() -> object:
            self.engine.keep_up(time.monotonic())
            with suppress(RigError):
                return check()
            return False

        await eventually(step, within_s=30)

    def sends(self) -> bool:
        """Return whether a message is accepted."""
        try:
            self.sqs.send_message(QueueUrl=self.url, MessageBody="one")
        except ClientError as exc:
            if exc.response["ResponseMetadata"]["HTTPStatusCode"] != 503:
                raise
            return False
        return True

    def injected(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """Return the API faults and the delivery faults in force."""
        return self.client.get(localbus.FAULTS), self.client.get(localbus.DELIVERY_FAULTS)


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[Faulty]:
    """A backend of this test."""
    backend = start_local("embedded", tmp_path / "backend.log")
    made = Faulty(_System(Backend(backend.endpoint, pid=backend.pid), _Target(backend.endpoint)))
    yield made
    made.engine.close()
    made.client.close()
    backend.stop()


async def test_a_killed_backend_comes_back_with_what_is_to_be_injected(faulty: Faulty) -> None:
    """It keeps messages, not settings of faults: those are sent again. While it is away, a kill finds nothing."""
    assert faulty.sends()
    faulty.apply(Fault(0, "faults", settings="throttle:CreateQueue=1"))
    faulty.apply(Fault(0, "disorder", settings="seed=3,reordering=0.5"))
    await faulty.until(lambda: "throttle" in str(faulty.injected()) and "0.5" in str(faulty.injected()))
    before = faulty.injected()

    faulty.apply(Fault(0, "kill-backend"))
    assert not faulty.engine.apply(Fault(0, "kill-backend"), time.monotonic())
    await faulty.until(lambda: faulty.injected() == before)

    assert [note.partition(",")[0] for note in faulty.notes] == ["the backend answers again"]
    assert len(faulty.sqs.receive_message(QueueUrl=faulty.url, WaitTimeSeconds=5)["Messages"]) == 1
    faulty.engine.lift()
    assert faulty.injected() == ({"rules": []}, {})


@pytest.mark.skipif(not HAS_FULL_DISK, reason="only Linux can limit the files of a running process")
async def test_a_backend_without_disk_space_refuses_and_goes_on(faulty: Faulty) -> None:
    """Answers are 503 until it has room again; nothing that was accepted before or after is lost."""
    assert faulty.sends()

    faulty.apply(Fault(0, "fill-disk", lasts_s=600))
    await faulty.until(lambda: not faulty.sends())
    faulty.engine.keep_up(time.monotonic() + 600)
    await faulty.until(faulty.sends)

    assert faulty.notes == ["the backend's disk has room again"]
    faulty.apply(Fault(0, "kill-backend"))
    await faulty.until(lambda: len(faulty.notes) == 2)
    counts = faulty.sqs.get_queue_attributes(QueueUrl=faulty.url, AttributeNames=["ApproximateNumberOfMessages"])
    assert int(counts["Attributes"]["ApproximateNumberOfMessages"]) >= 2
