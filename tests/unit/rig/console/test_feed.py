"""The feed: ten viewers cost the backend no more than one."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from orderboard.console.feed import HISTORY_S, Feed
from orderboard.errors import RigError
from support.waiting import eventually


def snapshot(at_s: float) -> dict[str, Any]:
    """A snapshot with one queue that holds three messages."""
    return {"at_s": at_s, "api_ms": None, "queues": {"work": {"waiting": 1, "in_flight": 2, "delayed": 0}}}


class System:
    """A system that counts how often it is read; each reading is a minute later."""

    def __init__(self) -> None:
        self.reads = 0

    def read(self) -> dict[str, Any]:
        """Return the next snapshot."""
        self.reads += 1
        return snapshot(self.reads * 60)


@asynccontextmanager
async def _running(feed: Feed) -> AsyncIterator[None]:
    task = asyncio.create_task(feed.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _snapshots(feed: Feed, wanted: int) -> list[str]:
    stream, found = feed.watch(), []
    async for event in stream:
        if event.startswith("event: snapshot"):
            found.append(event)
        if len(found) == wanted:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    return found


async def test_ten_viewers_share_every_snapshot() -> None:
    """Ten viewers get the same snapshots, each read once from the backend."""
    system = System()
    feed = Feed(system.read, every_s=0.02)

    async with _running(feed):
        seen = await asyncio.gather(*(_snapshots(feed, 5) for _ in range(10)))

    assert system.reads <= 9 + 5  # at most one for each viewer that connects, then one for all
    assert len(set(seen[0]) & set(seen[9])) >= 1


async def test_the_last_five_minutes_are_kept() -> None:
    """A late viewer gets the history, and nothing older than five minutes."""
    system = System()
    feed = Feed(system.read, every_s=0.001, idle_every_s=0.001)

    async with _running(feed):
        await eventually(lambda: system.reads > 20)
        history = json.loads((await anext(aiter(feed.watch()))).partition("data: ")[2])

    assert history[-1]["at_s"] - history[0]["at_s"] == HISTORY_S
    assert history[-1]["work"] == 3


async def test_trouble_is_shown_and_passes() -> None:
    """Viewers get the reason that the backend does not answer, and polling continues."""
    answers: Iterator[RigError | dict[str, Any]] = iter(
        [RigError("Nothing is running here."), snapshot(1.0), snapshot(2.0)]
    )

    def read() -> dict[str, Any]:
        answer = next(answers, snapshot(3.0))
        if isinstance(answer, RigError):
            raise answer
        return answer

    feed = Feed(read, every_s=0.02)
    async with _running(feed):
        seen = await _snapshots(feed, 3)

    assert "Nothing is running here." in seen[0]
    assert "queues" in seen[-1]


async def test_without_viewers_nothing_is_read() -> None:
    """On a backend that bills reads, there are none without a viewer."""
    billed, free = System(), System()
    feed = Feed(billed.read, every_s=0.001, idle_every_s=None)

    async with _running(feed), _running(Feed(free.read, every_s=0.001, idle_every_s=0.001)):
        await eventually(lambda: free.reads > 20)
        assert billed.reads == 0
        await _snapshots(feed, 1)

    assert billed.reads > 0


async def test_controls_are_sent_when_they_change() -> None:
    """The first snapshot has the controls, and each after a change; the others are shorter without them."""
    controls = iter([1, 1, 1, 2])
    feed = Feed(lambda: {**snapshot(1.0), "controls": next(controls, 2)}, every_s=0.02)

    async with _running(feed):
        found = await _snapshots(feed, 8)
    seen = [json.loads(each.partition("data: ")[2]).get("controls") for each in found]

    assert seen[0] == 1
    assert [each for each in seen if each is not None][-1] == 2
    assert seen.count(None) >= 4


async def test_a_slow_viewer_gets_a_complete_snapshot() -> None:
    """A viewer that reads late has missed snapshots, perhaps a change: the newest one has everything."""
    reads = iter(range(1_000_000))
    feed = Feed(lambda: {**snapshot(next(reads)), "controls": 1}, every_s=0.001)

    async with _running(feed):
        stream = feed.watch()
        await anext(stream)
        await eventually(lambda: feed.latest is not None and feed.latest["at_s"] > 20)
        late = [await anext(stream) for _ in range(9)]
        await stream.aclose()  # type: ignore[attr-defined]

    assert '"controls":1' in late[-1]
