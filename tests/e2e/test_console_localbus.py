"""The page's features on localbus alone: the journal, a time for each step of a timeline, and faults."""

from e2e.browser import Page
from selenium.webdriver.support.select import Select
from support.waiting import eventually

UP_OPTIONS = ("--backend", "embedded")


def _steps(page: Page) -> list[str]:
    return page.texts("#follow .timeline li p:first-child")


def _entries(page: Page) -> list[str]:
    return page.texts("#journal tbody tr")


async def test_the_journal_gives_a_timeline_its_steps(page: Page) -> None:
    """Published, filtered for one queue, delivered to the other, received and deleted: each is a step."""
    await page.live()
    await page.use_soon("express")
    await eventually(lambda: any("Deleted" in step for step in _steps(page)), within_s=20)

    steps = " | ".join(_steps(page))
    for step in (
        "Published to orderboard-orders",
        "Filtered out for orderboard-work (filter policy)",
        "Delivered to orderboard-express",
        "Received for the first time",
    ):
        assert step in steps
    assert steps.index("Delivered to orderboard-express") < steps.index("Received for the first time")


async def test_the_journal_of_an_order_and_of_a_queue(page: Page) -> None:
    """A timeline leads to its entries; a queue's entries arrive live until paused. Slow: it is read once a second."""
    page.press("#follow form button:not(.main)")
    await eventually(lambda: any("Delivered to orderboard-express" in each for each in _entries(page)), within_s=10)

    Select(page.find("#journal-queue")).select_by_value("work")
    await eventually(lambda: "No entries yet." in page.text("#journal .note"), within_s=10)
    await page.use_soon("normal")
    await eventually(lambda: any("Received for the first time" in each for each in _entries(page)), within_s=10)

    page.press("#journal button[aria-pressed]")
    assert page.find("#journal button[aria-pressed]").get_attribute("aria-pressed") == "true"
    page.press("#journal tbody button")
    await eventually(lambda: len(_entries(page)) >= 3, within_s=10)
    assert len(set(page.texts("#journal tbody td:last-child"))) == 1


async def test_delivery_faults_lose_nothing(page: Page) -> None:
    """With messages delivered twice, out of order and missed by polls, every order still ends once.

    Slow: 300 orders go all the way.
    """
    Select(page.find("#delivery-faults")).select_by_value("all of it")
    await eventually(lambda: "_localbus/disorder" in page.text(".command-box"), within_s=10)
    await page.use_soon("burst")

    await eventually(lambda: "302 completed" in page.text("#reconciliation"), within_s=90)
    assert page.text("#reconciliation .verdict") == "✓ No order was lost"

    Select(page.find("#delivery-faults")).select_by_value("none")
    await eventually(lambda: "No delivery faults." in page.text(".command-box"), within_s=10)


async def test_a_worker_survives_api_faults(page: Page) -> None:
    """While every receive is throttled, the queues fill and the page says why; then they drain.

    Slow: 300 orders go all the way, after the worker's backoff.
    """
    Select(page.find("#fault-share")).select_by_value("1")
    await page.use_soon("faults")
    await eventually(lambda: "Throttle in 100 % of ReceiveMessage" in page.text("#controls"), within_s=10)
    await page.use_soon("burst")
    await eventually(lambda: page.waiting("work") + page.waiting("express") > 100, within_s=30)

    page.press(".faults button:last-of-type")
    await eventually(lambda: "No API faults." in page.text(".faults + .note"), within_s=10)
    await eventually(lambda: "602 completed" in page.text("#reconciliation"), within_s=90)
    assert page.text("#reconciliation .verdict") == "✓ No order was lost"


async def test_a_real_clock_cannot_be_advanced(page: Page) -> None:
    """The services run by the real clock, so the control is unavailable and names the option for a manual one."""
    assert "--manual-clock" in page.unavailable("clock")
    assert page.warnings() == []
