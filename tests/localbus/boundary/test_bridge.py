"""A bridge loses no message and delivers none twice, with an upstream that fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from localbus.boundary.bridge import Bridge
from localbus.boundary.mirror import MirrorError
from localbus.http.client import NoAnswerError
from localbus.protocol.service_model import Params
from localbus.storage.storage import NotStoredError, Storage
from support.waiting import eventually


class FakeMirror:
    """A mirror in memory. `failures` are raised by the next calls of an action."""

    def __init__(self) -> None:
        self.messages: list[Params] = []
        self.created = 0
        self.failures: dict[str, list[Exception]] = {}

    async def create(self, _attributes: dict[str, str]) -> None:
        """Count the creation."""
        self._fail("create")
        self.created += 1

    async def receive(self, _wait_s: int) -> list[Params]:
        """Return all messages: none is hidden, as if each visibility timeout were over."""
        await asyncio.sleep(0.001)
        self._fail("receive")
        return list(self.messages)

    async def remove(self, message: Params) -> None:
        """Delete a message."""
        self._fail("remove")
        self.messages.remove(message)

    def _fail(self, action: str) -> None:
        if self.failures.get(action):
            raise self.failures[action].pop(0)


@asynccontextmanager
async def bridge(mirror: Any) -> AsyncIterator[list[str]]:
    """A running bridge, and the bodies that it has delivered."""
    delivered: list[str] = []
    bridge = Bridge(mirror, dict, lambda message: delivered.append(message["Body"]), stored=Storage().stored)
    task = asyncio.ensure_future(bridge.run())
    try:
        yield delivered
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("create", NoAnswerError("down")),
        ("receive", NoAnswerError("down")),
        ("receive", TimeoutError()),
        ("receive", KeyError("Messages")),  # an answer in a form that nothing expects
        ("remove", NoAnswerError("down")),
        ("remove", MirrorError("the receipt handle has expired")),
    ],
)
async def test_a_failure_loses_nothing(action: str, error: Exception) -> None:
    """Each message is delivered once, although a call fails."""
    mirror = FakeMirror()
    mirror.failures[action] = [error]
    mirror.messages = [{"MessageId": str(number), "Body": str(number)} for number in range(3)]

    async with bridge(mirror) as delivered:
        await eventually(lambda: not mirror.messages)

    assert delivered == ["0", "1", "2"]


async def test_a_message_that_fails_comes_again_and_the_others_do_not_wait(caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected error is logged; the bridge goes on."""
    mirror, delivered = FakeMirror(), list[str]()
    mirror.messages = [{"MessageId": name, "Body": name} for name in ("odd", "tea")]
    failures = [KeyError("resources")]

    def deliver(message: Params) -> None:
        if message["Body"] == "odd" and failures:
            raise failures.pop()
        delivered.append(message["Body"])

    task = asyncio.ensure_future(Bridge(mirror, dict, deliver, stored=Storage().stored).run())  # type: ignore[arg-type]
    await eventually(lambda: not mirror.messages)
    task.cancel()

    assert delivered == ["tea", "odd"]
    assert "bridge.delivery_failed" in caplog.text


@pytest.mark.parametrize("error", [MirrorError("the queue does not exist"), NoAnswerError("restarted")])
async def test_a_mirror_that_is_gone_is_made_again(error: Exception) -> None:
    """A reset or restart of the upstream deletes the mirror; the bridge makes another one."""
    mirror = FakeMirror()
    async with bridge(mirror):
        await eventually(lambda: mirror.created == 1)

        mirror.failures["receive"] = [error]

        await eventually(lambda: mirror.created == 2)


async def test_a_message_stays_in_the_mirror_until_it_is_stored() -> None:
    """While the disk is full it stays there, and it is delivered once."""
    mirror, delivered, failures = FakeMirror(), list[str](), [NotStoredError("full"), NotStoredError("full")]
    mirror.messages = [{"MessageId": "m", "Body": "m"}]
    kept: list[list[Params]] = []

    async def stored() -> None:
        kept.append(list(mirror.messages))
        if failures:
            raise failures.pop()

    bridge = Bridge(mirror, dict, lambda message: delivered.append(message["Body"]), stored=stored)  # type: ignore[arg-type]
    task = asyncio.ensure_future(bridge.run())
    await eventually(lambda: not mirror.messages)
    task.cancel()

    assert delivered == ["m"]
    assert [len(messages) for messages in kept] == [1, 1, 1]
