"""The page on a localbus whose clock is turned by hand: an hour passes at a press, and no number is out of its time."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from e2e.browser import Page, browser, missing
from e2e.command import Command
from support import eventually


@pytest.fixture(scope="module")
def system(orderboard: Command) -> Iterator[dict[str, Any]]:
    """A system on localbus with a manual clock, which begins years ago."""
    up = orderboard.run("up", "--json", "--allow-faults", "--manual-clock")
    assert up.returncode == 0, up.stderr
    document: dict[str, Any] = json.loads(up.stdout)
    yield document
    orderboard.run("down")


@pytest.fixture(scope="module")
def page(system: dict[str, Any]) -> Iterator[Page]:
    """The page in Chromium."""
    if (lack := missing()) is not None:
        pytest.skip(lack)
    with browser(system["console_url"]) as opened:
        yield opened


async def test_an_hour_passes_at_a_press(page: Page) -> None:
    """What waits is an hour older, on the board and where it is looked into; thawed, the worker makes all of it."""
    await eventually(lambda: page.text("#live") == "live", within_s=20)
    await page.turn("worker-1.stop")
    await eventually(lambda: "does not run" in page.greyed("worker-1.stop"), within_s=30)
    await page.turn("normal")
    await eventually(lambda: "oldest 0 ms" in page.text('[data-queue="work"]'), within_s=20)

    page.press('[data-knob="clock"]:nth-of-type(3)')
    await eventually(lambda: "oldest 60 min" in page.text('[data-queue="work"]'), within_s=20)
    page.press('[data-queue="work"]')
    await eventually(lambda: "60 min old" in page.text("#peek .messages"), within_s=20)

    await page.turn("worker-1.start")
    await eventually(lambda: "1 completed" in page.text("#proof"), within_s=40)


async def test_a_story_where_clocks_differ(page: Page) -> None:
    """What only the queues' clock could date comes last, and the page says that the clocks differ."""
    await page.turn("large")

    await eventually(lambda: "Announced" in page.text("#follow .story li:last-child"), within_s=40)
    assert "clock is not that of the services" in page.text("#follow .story-status")
    assert "NaN" not in page.text("body")
    assert page.complaints() == []
