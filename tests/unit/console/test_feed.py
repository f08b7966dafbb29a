"""Ten viewers cost the backend no more than one."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from orderboard.console.feed import HISTORY_S, Feed
from orderboard.errors import RigError
from support import eventually


def board(at_s: float) -> dict[str, Any]:
    """A board with one queue, which holds three."""
    return {"at_s": at_s, "api_ms": None, "queues": {"work": {"waiting": 1, "in_flight": 2, "delayed": 0}}}


class Clock:
    """Every look is a minute later."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def look(self) -> dict[str, Any]:
        """Look."""
        self.now_s += 60
        return board(self.now_s)


@asynccontextmanager
async def _running(feed: Feed) -> AsyncIterator[None]:
    task = asyncio.create_task(feed.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _boards(feed: Feed, wanted: int) -> list[str]:
    stream, found = feed.watch(), []
    async for event in stream:
        if event.startswith("event: board"):
            found.append(event)
        if len(found) == wanted:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    return found


async def test_ten_viewers_share_every_look() -> None:
    """All of ten viewers see the same looks, and the backend is looked at once for each."""
    feed = Feed(Clock().look, every_s=0.02)

    async with _running(feed):
        seen = await asyncio.gather(*(_boards(feed, 5) for _ in range(10)))

    assert feed.looks <= 9 + 5  # nudged by each that came, at most, then once for all
    assert len(set(seen[0]) & set(seen[9])) >= 1


async def test_the_last_five_minutes_are_kept() -> None:
    """Who comes late gets the history, and nothing older than five minutes."""
    clock = Clock()
    feed = Feed(clock.look, every_s=0.001, idle_every_s=0.001)

    async with _running(feed):
        await eventually(lambda: clock.now_s > 1200)
        history = json.loads((await anext(aiter(feed.watch()))).partition("data: ")[2])

    assert history[-1]["at_s"] - history[0]["at_s"] == HISTORY_S
    assert history[-1]["work"] == 3


async def test_trouble_is_told_and_passes() -> None:
    """When nothing answers, the viewers are told why, and the looking goes on."""
    answers: Iterator[RigError | dict[str, Any]] = iter([RigError("Nothing runs here."), board(1.0), board(2.0)])

    def look() -> dict[str, Any]:
        answer = next(answers, board(3.0))
        if isinstance(answer, RigError):
            raise answer
        return answer

    feed = Feed(look, every_s=0.02)
    async with _running(feed):
        seen = await _boards(feed, 3)

    assert "Nothing runs here." in seen[0]
    assert "queues" in seen[-1]


async def test_nobody_watches_nobody_looks() -> None:
    """Where looks are billed, there are none without a viewer."""
    feed = Feed(Clock().look, every_s=0.001, idle_every_s=None)
    idler = Feed(Clock().look, every_s=0.001, idle_every_s=0.001)

    async with _running(feed), _running(idler):
        await eventually(lambda: idler.looks > 20)
        assert feed.looks == 0
        await _boards(feed, 1)

    assert feed.looks > 0


async def test_knobs_are_told_when_they_change() -> None:
    """A look has them first and whenever they are others; in between it is shorter without."""
    knobs = iter([1, 1, 1, 2])
    feed = Feed(lambda: {**board(1.0), "knobs": next(knobs, 2)}, every_s=0.02)

    async with _running(feed):
        seen = [json.loads(each.partition("data: ")[2]).get("knobs") for each in await _boards(feed, 8)]

    assert seen[0] == 1
    assert [each for each in seen if each is not None][-1] == 2
    assert seen.count(None) >= 4


async def test_who_is_slow_gets_a_whole_look() -> None:
    """A viewer that reads late has missed looks, and perhaps a change; the newest that it gets has everything."""
    feed = Feed(lambda: {**board(1.0), "knobs": 1}, every_s=0.001)

    async with _running(feed):
        stream = feed.watch()
        await anext(stream)
        await eventually(lambda: feed.looks > 20)
        late = [await anext(stream) for _ in range(9)]
        await stream.aclose()  # type: ignore[attr-defined]

    assert '"knobs":1' in late[-1]
