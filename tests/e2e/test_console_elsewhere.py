"""A console that `up` did not start: it follows a system that restarts, and many pages cost as much as one."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import ExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.browser import browser
from e2e.command import Command
from e2e.recording_proxy import RecordingProxy, recording_proxy
from orderboard_stack.process import answers, free_port
from support.waiting import eventually

_SNAPSHOTS = 5
_ONCE_A_SNAPSHOT = ".DescribeTable"
_STARTS_WITHIN_S = 60  # Python on a busy machine
_UNKNOWN_ORDER = "00000000-0000-5000-8000-000000000000"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Command]:
    """The command with a state folder for this test; `down` ends everything."""
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


async def _snapshots(http: httpx.AsyncClient) -> AsyncGenerator[dict[str, Any], None]:
    async with http.stream("GET", "/api/events") as seen:
        event = ""
        async for line in seen.aiter_lines():
            event = line.removeprefix("event: ") if line.startswith("event: ") else event
            if event == "snapshot" and line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


async def test_it_follows_a_system_to_another_port(own: Command) -> None:
    """Faults are unavailable unless `up` allows them; after `down` and `up` on another port orders go to that one.

    Slow: the system starts twice.
    """
    ports = free_port(), free_port()
    own.run("up", "--no-console", "--port", str(ports[0]))

    async with _console(own) as http, aclosing(_snapshots(http)) as snapshots, asyncio.timeout(60):
        first = await anext(snapshots)
        await asyncio.to_thread(own.run, "down")
        await _first_with(snapshots, trouble=True)
        await asyncio.to_thread(own.run, "up", "--no-console", "--port", str(ports[1]), "--allow-faults")
        second = await _first_with(snapshots, trouble=False)
        async for _ in snapshots:
            placed = await http.post("/api/do/place", json={"kind": "normal"})
            if placed.is_success:
                break

    assert "--allow-faults" in first["controls"]["poison"]["reason"]
    assert first["api_url"].endswith(str(ports[0]))
    assert second["controls"]["poison"]["reason"] is None
    assert second["api_url"].endswith(str(ports[1]))
    assert f"http://127.0.0.1:{ports[1]}/orders" in placed.json()["command"]


async def _first_with(snapshots: AsyncGenerator[dict[str, Any], None], *, trouble: bool) -> dict[str, Any]:
    return await anext(each async for each in snapshots if ("trouble" in each) is trouble)


async def test_a_system_that_was_started_elsewhere(system: dict[str, Any], orderboard: Command) -> None:
    """A console on a named backend shows its queues; processes are unknown, and their controls unavailable."""
    async with (
        _console(orderboard, "--endpoint-url", system["endpoint_url"]) as http,
        aclosing(_snapshots(http)) as snapshots,
    ):
        snapshot = await anext(snapshots)

    assert snapshot["queues"]["work"]["waiting"] is not None
    assert snapshot["workers"] is None
    assert "not started on this machine" in snapshot["controls"]["workers"]["reason"]
    for name in ("poison", "normal", "burst", "stream"):
        assert "address of order-api is unknown" in snapshot["controls"][name]["reason"]


async def test_a_page_reconnects_to_its_console(system: dict[str, Any], orderboard: Command) -> None:
    """While the console is stopped the page says so and dims its numbers; then it goes on, with the same order.

    Slow: the console starts twice.
    """
    port, named = free_port(), ("--endpoint-url", system["endpoint_url"])
    with ExitStack() as opened:
        async with _console(orderboard, *named, port=port):
            page = opened.enter_context(browser(f"http://127.0.0.1:{port}"))
            await page.live()
            page.press("#tab-follow")
            page.find("#order-id").send_keys(_UNKNOWN_ORDER)
            page.press("#follow form button.main")
            await eventually(lambda: page.text("#follow .tag") == "unknown", within_s=20)
        await eventually(lambda: "connection lost" in page.text("#live"), within_s=20)
        await eventually(lambda: "does not answer" in page.text("#follow .timeline-status"), within_s=20)
        assert page.attribute("#board", "class") == "board stale"

        async with _console(orderboard, *named, port=port):
            await page.live(within_s=30)
            assert page.attribute("#board", "class") == "board"
            await eventually(lambda: page.text("#follow .tag") == "unknown", within_s=20)


async def test_ten_pages_cost_the_backend_as_much_as_one(system: dict[str, Any], orderboard: Command) -> None:
    """Neither snapshots nor the requests for one grow with the open pages, as a proxy before the backend counts.

    Slow: a snapshot is taken once a second.
    """
    async with (
        recording_proxy(system["endpoint_url"]) as proxy,
        _console(orderboard, "--endpoint-url", proxy.url) as http,
    ):
        one, _ = await _cost(http, proxy, pages=1)
        ten, snapshots_per_s = await _cost(http, proxy, pages=10)

    assert one > 1
    assert ten <= one * 1.3, (one, ten, Counter(proxy.seen).most_common(5))
    assert snapshots_per_s < 2


async def _cost(http: httpx.AsyncClient, proxy: RecordingProxy, *, pages: int) -> tuple[float, float]:
    """Return the backend requests of one snapshot while this many pages are open, and the snapshots a second.

    A snapshot may reach the pages while the next one is being read, so requests are counted between two requests that
    every snapshot makes once, and time is that of the snapshots.
    """
    seen = [asyncio.Queue[dict[str, Any]]() for _ in range(pages)]
    opened = [asyncio.create_task(_page(http, snapshots)) for snapshots in seen]
    try:
        for snapshots in seen:
            await snapshots.get()
        while not seen[0].empty():  # each page that connects causes a snapshot
            seen[0].get_nowait()
        await seen[0].get()
        before, first = len(proxy.seen), await seen[0].get()
        found = [await seen[0].get() for _ in range(_SNAPSHOTS)]
        marks = [at for at, request in enumerate(proxy.seen[before:]) if request.endswith(_ONCE_A_SNAPSHOT)]
        per_s = _SNAPSHOTS / (found[-1]["at_s"] - first["at_s"])
        return (marks[-1] - marks[0]) / (len(marks) - 1), per_s
    finally:
        for each in opened:
            each.cancel()
        await asyncio.gather(*opened, return_exceptions=True)


async def _page(http: httpx.AsyncClient, seen: asyncio.Queue[dict[str, Any]]) -> None:
    async for snapshot in _snapshots(http):
        seen.put_nowait(snapshot)
