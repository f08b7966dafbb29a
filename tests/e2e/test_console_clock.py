"""The page on a localbus with a manual clock: an hour passes at once, and no time is shown wrongly."""

from e2e.browser import Page
from support.waiting import eventually

UP_OPTIONS = ("--manual-clock",)  # the clock starts years ago


async def test_an_hour_passes_at_once(page: Page) -> None:
    """A waiting message is an hour older, in the diagram and in its queue; a started worker handles it.

    Slow: the worker stops and starts.
    """
    await page.live()
    await page.use_soon("worker-1.stop")
    await eventually(lambda: "is not running" in page.unavailable("worker-1.stop"), within_s=30)
    await page.use_soon("normal")
    await eventually(lambda: "oldest 0 ms" in page.text('[data-queue="work"]'), within_s=20)

    page.press('[data-control="clock"]:nth-of-type(3)')
    await eventually(lambda: "oldest 60 min" in page.text('[data-queue="work"]'), within_s=20)
    page.press('[data-queue="work"]')
    await eventually(lambda: "60 min old" in page.text("#peek .messages"), within_s=20)

    await page.use_soon("worker-1.start")
    await eventually(lambda: "1 completed" in page.text("#reconciliation"), within_s=40)


async def test_a_timeline_where_clocks_differ(page: Page) -> None:
    """Steps that only the queues' clock could date come last, and the page says that the clocks differ.

    Slow: the timeline ends with the announcement, which the notifier's function makes.
    """
    await page.use_soon("large")

    await eventually(lambda: "Announced" in page.text("#follow .timeline li:last-child"), within_s=40)
    assert "clock is not the services' clock" in page.text("#follow .timeline-status")
    assert "NaN" not in page.text("body")
    assert page.warnings() == []
