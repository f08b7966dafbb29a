"""The console that does not belong to `up`: it follows a system that goes and comes, and many pages cost as one."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import ExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.browser import browser, missing
from e2e.command import Command
from e2e.passing import Passing, passing
from orderboard.system.process import answers
from orderboard.system.services import free_port
from support import eventually

_LOOKS = 5
_ONCE_A_LOOK = ".DescribeTable"
_STARTS_WITHIN_S = 60  # Python, on a machine as busy as it is
_NOBODYS = "00000000-0000-5000-8000-000000000000"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Command]:
    """The command with a state of its own, nothing of which is left to run."""
    command = Command(tmp_path / "state")
    yield command
    command.run("down")


@asynccontextmanager
async def _console(command: Command, *arguments: str, port: int | None = None) -> AsyncIterator[httpx.AsyncClient]:
    port = port or free_port()
    process = command.start("console", "--port", str(port), *arguments)
    url = f"http://127.0.0.1:{port}"
    try:
        await eventually(lambda: answers(f"{url}/healthz"), within_s=_STARTS_WITHIN_S)
        async with httpx.AsyncClient(base_url=url, headers={"Origin": url}, trust_env=False, timeout=30) as http:
            yield http
    finally:
        process.terminate()
        process.communicate(timeout=15)


async def _boards(http: httpx.AsyncClient) -> AsyncGenerator[dict[str, Any], None]:
    async with http.stream("GET", "/api/events") as seen:
        event = ""
        async for line in seen.aiter_lines():
            event = line.removeprefix("event: ") if line.startswith("event: ") else event
            if event == "board" and line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


async def test_it_follows_a_system_that_comes_back_elsewhere(own: Command) -> None:
    """Faults are grey where `up` did not allow them; after `down` and `up` on another port orders go to that one."""
    ports = free_port(), free_port()
    own.run("up", "--no-console", "--port", str(ports[0]))

    async with _console(own) as http, aclosing(_boards(http)) as boards, asyncio.timeout(60):
        first = await anext(boards)
        await asyncio.to_thread(own.run, "down")
        await _first_with(boards, trouble=True)
        await asyncio.to_thread(own.run, "up", "--no-console", "--port", str(ports[1]), "--allow-faults")
        second = await _first_with(boards, trouble=False)
        async for _ in boards:
            placed = await http.post("/api/do/place", json={"kind": "normal"})
            if placed.is_success:
                break

    assert "--allow-faults" in first["knobs"]["poisoned"]["reason"]
    assert first["api_url"].endswith(str(ports[0]))
    assert second["knobs"]["poisoned"]["reason"] is None
    assert second["api_url"].endswith(str(ports[1]))
    assert f"http://127.0.0.1:{ports[1]}/orders" in placed.json()["command"]


async def _first_with(boards: AsyncGenerator[dict[str, Any], None], *, trouble: bool) -> dict[str, Any]:
    return await anext(board async for board in boards if ("trouble" in board) is trouble)


async def test_a_page_comes_back_with_its_console(system: dict[str, Any], orderboard: Command) -> None:
    """When the console has gone the page says so and its numbers are pale; when it is back, so is the page.

    An order that was followed is followed on.
    """
    if (lack := missing()) is not None:
        pytest.skip(lack)
    port, named = free_port(), ("--endpoint-url", system["endpoint_url"])
    with ExitStack() as opened:
        async with _console(orderboard, *named, port=port):
            page = opened.enter_context(browser(f"http://127.0.0.1:{port}"))
            await eventually(lambda: page.text("#live") == "live", within_s=20)
            page.press("#tab-follow")
            page.find("#order-id").send_keys(_NOBODYS)
            page.press("#follow form button.main")
            await eventually(lambda: page.text("#follow .tag") == "unknown", within_s=20)
        await eventually(lambda: "connection lost" in page.text("#live"), within_s=20)
        await eventually(lambda: "does not answer" in page.text("#follow .story-status"), within_s=20)
        assert page.find("#board").get_attribute("class") == "board stale"

        async with _console(orderboard, *named, port=port):
            await eventually(lambda: page.text("#live") == "live", within_s=30)
            assert page.find("#board").get_attribute("class") == "board"
            await eventually(lambda: page.text("#follow .tag") == "unknown", within_s=20)


async def test_ten_pages_cost_the_backend_as_much_as_one(system: dict[str, Any], orderboard: Command) -> None:
    """Counted between the console and the backend: neither looks nor the requests of one grow with the open pages."""
    async with (
        passing(system["endpoint_url"]) as between,
        _console(orderboard, "--endpoint-url", between.url) as http,
    ):
        one, _ = await _asked(http, between, pages=1)
        ten, looks_per_s = await _asked(http, between, pages=10)

    assert one > 1
    assert ten <= one * 1.3, (one, ten, Counter(between.seen).most_common(5))
    assert looks_per_s < 2


async def _asked(http: httpx.AsyncClient, between: Passing, *, pages: int) -> tuple[float, float]:
    """What the backend is asked for one look at the board while so many pages are open, and how many looks a second.

    A look's news may come when the next is under way: requests are counted from one look's own to another's, and time
    goes by what the boards say.
    """
    seen = [asyncio.Queue[dict[str, Any]]() for _ in range(pages)]
    opened = [asyncio.create_task(_page(http, looks)) for looks in seen]
    try:
        for looks in seen:
            await looks.get()
        while not seen[0].empty():  # each page that came asked for a look of its own
            seen[0].get_nowait()
        await seen[0].get()
        before, first = len(between.seen), await seen[0].get()
        boards = [await seen[0].get() for _ in range(_LOOKS)]
        looked = [at for at, asked in enumerate(between.seen[before:]) if asked.endswith(_ONCE_A_LOOK)]
        looks_per_s = _LOOKS / (boards[-1]["at_s"] - first["at_s"])
        return (looked[-1] - looked[0]) / (len(looked) - 1), looks_per_s
    finally:
        for each in opened:
            each.cancel()
        await asyncio.gather(*opened, return_exceptions=True)


async def _page(http: httpx.AsyncClient, looks: asyncio.Queue[dict[str, Any]]) -> None:
    async for board in _boards(http):
        looks.put_nowait(board)
