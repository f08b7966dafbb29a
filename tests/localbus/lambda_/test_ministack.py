"""Event source mappings with real functions: Python that a MiniStack upstream runs, by the real clock.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from localbus.clock import ManualClock
from localbus.engine import Engine, Options
from orderboard_stack.clients import CLIENT_CONFIG
from orderboard_stack.local_backend import LocalBackend, start_local
from support.waiting import eventually

# The function writes a line to a file when it begins and ends: the only record of the invocations that really ran.
FUNCTION = """
import json, os, time

def handle(event, context):
    def write(what):
        with open(os.environ["LOG"], "a") as log:
            log.write(json.dumps([what, time.time(), [r["body"] for r in event["Records"]]]) + "\\n")
    write("begin")
    time.sleep(float(os.environ.get("TAKES_S", "0")))
    write("end")
    failed = [r["messageId"] for r in event["Records"] if r["body"].startswith("fail")
              and r["attributes"]["ApproximateReceiveCount"] == "1"]
    if any(r["body"].startswith("raise") for r in event["Records"]):
        raise ValueError("as asked")
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}
"""


class Bench:
    """localbus with a MiniStack upstream. boto3 calls block, so they run in threads."""

    def __init__(self, engine: Engine, url: str, log: Path) -> None:
        self.engine = engine
        self.log = log
        self.name = f"barista-{log.parent.name}"[:60]
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        make: Any = boto3.client
        self.sqs, self.functions = (
            make(service, endpoint_url=url, config=CLIENT_CONFIG, **keys) for service in ("sqs", "lambda")
        )

    async def queue(self, name: str = "work", **attributes: str) -> str:
        """Create a queue, and return its URL."""
        answer = await asyncio.to_thread(self.sqs.create_queue, QueueName=name, Attributes=attributes)
        return str(answer["QueueUrl"])

    async def function(self, **environment: str) -> None:
        """Create the function."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("barista.py", FUNCTION)
        await asyncio.to_thread(
            self.functions.create_function,
            FunctionName=self.name,
            Runtime="python3.12",
            Role="arn:aws:iam::000000000000:role/any",
            Handler="barista.handle",
            Timeout=2,
            Code={"ZipFile": packed.getvalue()},
            Environment={"Variables": {"LOG": str(self.log), **environment}},
        )

    async def map(self, **given: Any) -> str:
        """Map the queue to the function, and return the id of the mapping."""
        source = {"EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:work", "FunctionName": self.name}
        given |= {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
        answer = await asyncio.to_thread(self.functions.create_event_source_mapping, **source, **given)
        return str(answer["UUID"])

    async def send(self, url: str, *bodies: str) -> None:
        """Send messages."""
        for body in bodies:
            await asyncio.to_thread(self.sqs.send_message, QueueUrl=url, MessageBody=body)

    def left(self, name: str = "work") -> int:
        """Return the number of messages of a queue, in any state."""
        record = self.engine.sqs.queues.by_name(name, "000000000000", "us-east-1")
        return sum(record.queue.counts())

    async def noted(self, **events: int) -> None:
        """Wait until the journal has these events so often."""

        def check() -> bool:
            counts = Counter(entry.event for entry in self.engine.journal.entries())
            return all(counts[event] == times for event, times in events.items())

        await eventually(check, within_s=30)

    def lines(self) -> list[Any]:
        """Return what the function wrote."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def done(self) -> list[str]:
        """Return the bodies of the invocations that ended, sorted."""
        return sorted(body for what, _, bodies in self.lines() if what == "end" for body in bodies)


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBackend]:
    """A MiniStack for the tests of this module."""
    backend = start_local("ministack", tmp_path_factory.mktemp("upstream") / "ministack.log")
    yield backend
    backend.stop()


@asynccontextmanager
async def bench(backend: LocalBackend, folder: Path, clock: ManualClock | None = None) -> AsyncIterator[Bench]:
    """localbus in front of a MiniStack."""
    engine = Engine(Options(upstream=backend.endpoint.endpoint_url), clock)
    url = await engine.start()
    try:
        yield Bench(engine, url, folder / "log")
    finally:
        await engine.stop()


async def test_a_real_function(upstream: LocalBackend, tmp_path: Path) -> None:
    """Processed messages are deleted, a reported one is received again, and a poisonous one is dead-lettered."""
    clock = ManualClock()  # functions run in real time, however busy the machine is
    async with bench(upstream, tmp_path, clock) as it:
        await it.queue("dead")
        redrive = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 2}
        url = await it.queue(RedrivePolicy=json.dumps(redrive))
        await it.function()
        await it.map(BatchSize=1)

        await it.send(url, "good", "fail once", "raise always")
        await it.noted(deleted=1, item_failed=1, invocation_failed=1)
        clock.advance(30)
        await it.noted(deleted=2, item_failed=1, invocation_failed=2)
        clock.advance(30)
        await it.noted(moved=1)

        assert (it.left(), it.left("dead")) == (0, 1)
        assert it.done() == ["fail once", "fail once", "good", "raise always", "raise always"]


async def test_maximum_concurrency_with_real_processes(upstream: LocalBackend, tmp_path: Path) -> None:
    """However many messages wait, no more functions run at a time than MaximumConcurrency."""
    async with bench(upstream, tmp_path) as it:
        url = await it.queue()
        await it.function(TAKES_S="0.2")
        await it.send(url, *(f"message {number}" for number in range(12)))

        await it.map(BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})

        await eventually(lambda: len(it.done()) == 12, within_s=30)
        running = most = 0
        for what, _, _ in sorted(it.lines(), key=lambda line: line[1]):
            running += 1 if what == "begin" else -1
            most = max(most, running)
        assert most <= 2


async def test_a_disabled_mapping(upstream: LocalBackend, tmp_path: Path) -> None:
    """Disabled over HTTP, it receives nothing; enabled again, it receives everything."""
    async with bench(upstream, tmp_path) as it:
        url = await it.queue()
        await it.function()
        uuid = await it.map(Enabled=False)
        await it.send(url, "a", "b", "c")
        assert it.left() == 3

        await asyncio.to_thread(it.functions.update_event_source_mapping, UUID=uuid, Enabled=True)

        await eventually(lambda: it.done() == ["a", "b", "c"], within_s=30)


@pytest.mark.parametrize("takes_s", ["0", "1"])
async def test_an_upstream_that_is_killed_loses_nothing(tmp_path: Path, takes_s: str) -> None:
    """Messages of killed functions are received again, and a new upstream at the same address processes all.

    It takes 6 to 10 s, for two starts of MiniStack and the visibility timeout by the real clock.
    """
    every_one = {f"{when} {number}" for when in ("before", "during") for number in range(3)}
    with ExitStack() as backends:
        first = await asyncio.to_thread(start_local, "ministack", tmp_path / "first.log")
        backends.callback(first.stop)
        async with bench(first, tmp_path) as it:
            url = await it.queue(VisibilityTimeout="3")
            await it.function(TAKES_S=takes_s)
            await it.map(BatchSize=1)
            await it.send(url, *(f"before {number}" for number in range(3)))
            await eventually(it.lines, within_s=30)

            await asyncio.to_thread(first.stop)
            await it.send(url, *(f"during {number}" for number in range(3)))
            port = int(str(first.endpoint.endpoint_url).rpartition(":")[2])
            second = await asyncio.to_thread(start_local, "ministack", tmp_path / "second.log", port=port)
            backends.callback(second.stop)
            await it.function(TAKES_S=takes_s)
            await eventually(lambda: set(it.done()) >= every_one, within_s=60)
            await eventually(lambda: it.left() == 0, within_s=30)
