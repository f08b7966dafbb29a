"""What the page has on localbus alone: the journal, a story with a time for each step, disorder and faults."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from e2e.browser import Page, browser, missing
from e2e.command import Command
from selenium.webdriver.support.select import Select
from support import eventually


@pytest.fixture(scope="module")
def system(orderboard: Command) -> Iterator[dict[str, Any]]:
    """A system on localbus, whatever the default is."""
    up = orderboard.run("up", "--json", "--allow-faults", "--backend", "embedded")
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


def _texts(page: Page, selector: str) -> list[str]:
    script = "return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent)"
    found: list[str] = page.driver.execute_script(script, selector)
    return found


def _steps(page: Page) -> list[str]:
    return _texts(page, "#follow .story li p:first-child")


def _entries(page: Page) -> list[str]:
    return _texts(page, "#journal tbody tr")


async def test_the_journal_gives_a_story_its_steps(page: Page) -> None:
    """Published, kept from one queue by its policy, delivered to the other, received, deleted: each is a step."""
    await eventually(lambda: page.text("#live") == "live", within_s=20)
    await page.turn("express")
    await eventually(lambda: any("Deleted" in step for step in _steps(page)), within_s=20)

    told = " | ".join(_steps(page))
    for step in (
        "Published to orderboard-orders",
        "Kept from orderboard-work by its filter policy",
        "Delivered to orderboard-express",
        "Received for the first time",
    ):
        assert step in told
    assert told.index("Delivered to orderboard-express") < told.index("Received for the first time")


async def test_the_journal_of_an_order_and_of_a_queue(page: Page) -> None:
    """From the story to its entries; a queue's entries come live, until they are paused."""
    page.press("#follow form button:not(.main)")
    await eventually(lambda: any("Delivered to orderboard-express" in each for each in _entries(page)), within_s=10)

    Select(page.find("#journal-queue")).select_by_value("work")
    await eventually(lambda: "Nothing happened yet." in page.text("#journal .note"), within_s=10)
    await page.turn("normal")
    await eventually(lambda: any("Received for the first time" in each for each in _entries(page)), within_s=10)

    page.press("#journal button[aria-pressed]")
    assert page.find("#journal button[aria-pressed]").get_attribute("aria-pressed") == "true"
    page.press("#journal tbody button")
    await eventually(lambda: len(_entries(page)) >= 3, within_s=10)
    assert len(set(_texts(page, "#journal tbody td:last-child"))) == 1


async def test_nothing_is_lost_in_disorder(page: Page) -> None:
    """With messages delivered twice, out of order and missed by polls, every order still ends once."""
    Select(page.find("#disorder")).select_by_value("all of it")
    await eventually(lambda: "_localbus/disorder" in page.text(".call"), within_s=10)
    await page.turn("burst")

    await eventually(lambda: "302 completed" in page.text("#proof"), within_s=90)
    assert page.text("#proof .verdict") == "✓ Nothing was lost"

    page.press("#tab-journal")
    Select(page.find("#journal-queue")).select_by_value("work")
    page.press("#journal button.main")
    Select(page.find("#disorder")).select_by_value("none")
    await eventually(lambda: "Queues are in order again." in page.text(".call"), within_s=10)


async def test_a_worker_lives_through_faults(page: Page) -> None:
    """While every receive is throttled the queues fill and the page says why; without faults they drain."""
    Select(page.find("#fault-share")).select_by_value("1")
    await page.turn("faults")
    await eventually(lambda: "Throttle in 100 % of ReceiveMessage" in page.text("#knobs"), within_s=10)
    await page.turn("burst")
    await eventually(lambda: page.waiting("work") + page.waiting("express") > 100, within_s=30)

    page.press(".faults button:last-of-type")
    await eventually(lambda: "Every call is answered." in page.text("#knobs"), within_s=10)
    await eventually(lambda: "602 completed" in page.text("#proof"), within_s=90)
    assert page.text("#proof .verdict") == "✓ Nothing was lost"


async def test_the_clock_runs_by_itself_here(page: Page) -> None:
    """Services run by the real clock, so the embedded one cannot be moved, and says so."""
    assert "--manual-clock" in page.greyed("clock")
    assert page.complaints() == []
