"""Event source mappings with real functions: Python that a MiniStack upstream runs, in time as it passes.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from localbus.clock import ManualClock
from localbus.engine import Engine, Options
from orderboard_stack.clients import CLIENT_CONFIG
from orderboard_stack.local_backend import LocalBackend, start_local
from support import eventually

# The function writes a line to a file for each invocation that begins or ends: what really ran is told by no one else.
FUNCTION = """
import json, os, time, uuid

def handle(event, context):
    me = uuid.uuid4().hex
    def tell(what):
        with open(os.environ["TOLD"], "a") as told:
            told.write(json.dumps([what, me, time.time(), [r["body"] for r in event["Records"]]]) + "\\n")
    tell("begin")
    time.sleep(float(os.environ.get("TAKES_S", "0")))
    tell("end")
    failed = [r["messageId"] for r in event["Records"] if r["body"].startswith("fail")
              and int(r["attributes"]["ApproximateReceiveCount"]) <= int(os.environ.get("FAILS", "1"))]
    if any(r["body"].startswith("raise") for r in event["Records"]):
        raise ValueError("as asked")
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}
"""
ROLE = "arn:aws:iam::000000000000:role/any"


class Works:
    """localbus before MiniStack, with boto3 clients; their calls block, so they are made in threads."""

    def __init__(self, engine: Engine, url: str, upstream: LocalBackend, told: Path) -> None:
        self.engine = engine
        self.upstream = upstream
        self.told = told
        given: dict[str, Any] = {
            "endpoint_url": url,
            "region_name": "us-east-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
            "config": CLIENT_CONFIG,
        }
        make: Any = boto3.client
        self.sqs = make("sqs", **given)
        self.functions = make("lambda", **given)

    async def queue(self, name: str, **attributes: str) -> str:
        """A new queue's URL."""
        answer = await asyncio.to_thread(self.sqs.create_queue, QueueName=name, Attributes=attributes)
        url: str = answer["QueueUrl"]
        return url

    async def function(self, **environment: str) -> None:
        """Make the function."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("barista.py", FUNCTION)
        await asyncio.to_thread(
            self.functions.create_function,
            FunctionName="barista",
            Runtime="python3.12",
            Role=ROLE,
            Handler="barista.handle",
            Timeout=2,
            Code={"ZipFile": packed.getvalue()},
            Environment={"Variables": {"TOLD": str(self.told), **environment}},
        )

    async def map(self, **given: Any) -> str:
        """Map the queue to the function."""
        answer = await asyncio.to_thread(
            self.functions.create_event_source_mapping,
            EventSourceArn="arn:aws:sqs:us-east-1:000000000000:work",
            FunctionName="barista",
            FunctionResponseTypes=["ReportBatchItemFailures"],
            **given,
        )
        uuid: str = answer["UUID"]
        return uuid

    async def send(self, url: str, *bodies: str) -> None:
        """Send messages one by one."""
        for body in bodies:
            await asyncio.to_thread(self.sqs.send_message, QueueUrl=url, MessageBody=body)

    async def left(self, url: str) -> int:
        """How many messages a queue has, wherever they are."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = await asyncio.to_thread(self.sqs.get_queue_attributes, QueueUrl=url, AttributeNames=names)
        return sum(int(value) for value in answer["Attributes"].values())

    def noted(self) -> dict[str, int]:
        """How often the journal notes each thing."""
        return Counter(entry.event for entry in self.engine.journal.entries())

    def done(self) -> list[list[str]]:
        """The bodies of the batches that came to their end."""
        return [bodies for what, _, _, bodies in self.lines() if what == "end"]

    def lines(self) -> list[Any]:
        """What the function wrote."""
        return [json.loads(line) for line in self.told.read_text().splitlines()] if self.told.exists() else []


@asynccontextmanager
async def works(folder: Path, clock: ManualClock | None = None) -> AsyncIterator[Works]:
    """Both engines while they are needed."""
    upstream = await asyncio.to_thread(start_local, "ministack", folder / "ministack.log")
    engine = Engine(Options(upstream=upstream.endpoint.endpoint_url), clock)
    url = await engine.start()
    try:
        yield Works(engine, url, upstream, folder / "told")
    finally:
        await engine.stop()
        await asyncio.to_thread(upstream.stop)


async def test_a_real_function_takes_messages_fails_some_and_gives_up_others(tmp_path: Path) -> None:
    """Done messages are deleted, a reported one comes back until it succeeds, and a hopeless one is dead-lettered."""
    clock = ManualClock()  # functions take their own time, however busy the machine is
    async with works(tmp_path, clock) as it:
        dead = await it.queue("dead")
        redrive = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 2}
        url = await it.queue("work", RedrivePolicy=json.dumps(redrive))
        await it.function()
        await it.map(BatchSize=1)

        await it.send(url, "good", "fail once", "raise always")
        await eventually(partial(_is_noted, it, deleted=1, item_failed=1, invocation_failed=1), within_s=30)
        clock.advance(30)
        await eventually(partial(_is_noted, it, deleted=2, item_failed=1, invocation_failed=2), within_s=30)
        clock.advance(30)
        await eventually(partial(_is_noted, it, moved=1))

        assert (await it.left(url), await it.left(dead)) == (0, 1)
        attempts = sorted(body for bodies in it.done() for body in bodies)
        assert attempts == ["fail once", "fail once", "good", "raise always", "raise always"]


def _is_noted(it: Works, **events: int) -> bool:
    noted = it.noted()
    return all(noted[event] == times for event, times in events.items())


async def test_maximum_concurrency_holds_for_real_processes(tmp_path: Path) -> None:
    """However many messages wait, no more functions run at a time than MaximumConcurrency says."""
    async with works(tmp_path) as it:
        url = await it.queue("work")
        await it.function(TAKES_S="0.2")
        await it.send(url, *(f"message {number}" for number in range(12)))

        await it.map(BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})

        await eventually(lambda: len(it.done()) == 12, within_s=30)
        running = most = 0
        for what, _, _, _ in sorted(it.lines(), key=lambda line: line[2]):
            running += 1 if what == "begin" else -1
            most = max(most, running)
        assert most <= 2


async def test_a_paused_mapping_leaves_messages_alone(tmp_path: Path) -> None:
    """Paused over HTTP, nothing is received; enabled again, everything is."""
    async with works(tmp_path) as it:
        url = await it.queue("work")
        await it.function()
        uuid = await it.map(Enabled=False)
        await it.send(url, "a", "b", "c")
        assert await it.left(url) == 3

        await asyncio.to_thread(it.functions.update_event_source_mapping, UUID=uuid, Enabled=True)

        await eventually(
            lambda: sorted(body for bodies in it.done() for body in bodies) == ["a", "b", "c"], within_s=30
        )


@pytest.mark.parametrize("takes_s", ["0", "1"])
async def test_an_upstream_that_is_killed_loses_nothing(tmp_path: Path, takes_s: str) -> None:
    """Messages whose function died with its engine come back; a new engine at the same address takes every one."""
    async with works(tmp_path) as it:
        url = await it.queue("work", VisibilityTimeout="3")
        await it.function(TAKES_S=takes_s)
        await it.map(BatchSize=1)
        await it.send(url, *(f"before {number}" for number in range(3)))
        await eventually(lambda: any(line[0] == "begin" for line in it.lines()), within_s=30)

        await asyncio.to_thread(it.upstream.stop)
        await it.send(url, *(f"during {number}" for number in range(3)))
        port = int(str(it.upstream.endpoint.endpoint_url).rpartition(":")[2])
        it.upstream = await asyncio.to_thread(start_local, "ministack", tmp_path / "again.log", port=port)
        try:
            await it.function(TAKES_S=takes_s)
            await eventually(lambda: _bodies(it) >= EVERY_ONE, within_s=60)

            async def empty() -> bool:
                return await it.left(url) == 0

            is_empty: bool = await eventually(empty, within_s=30)
            assert is_empty
        finally:
            await asyncio.to_thread(it.upstream.stop)


EVERY_ONE = {f"{when} {number}" for when in ("before", "during") for number in range(3)}


def _bodies(it: Works) -> set[str]:
    return {body for bodies in it.done() for body in bodies}
