"""The page on a localbus with a manual clock: an hour passes at once, and no time is shown wrongly."""

from datetime import UTC, datetime, timedelta

from e2e.browser import Page
from support.waiting import eventually

UP_OPTIONS = ("--manual-clock",)


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


async def test_a_story_keeps_its_steps(page: Page) -> None:
    """An hour after the services' clock, the steps of SNS, SQS and EventBridge are between those of the services.

    Slow: the timeline ends with the announcement, which the notifier's function makes.
    """
    await page.use_soon("large")

    await eventually(lambda: "Announced" in page.text("#follow .timeline"), within_s=40)
    steps = page.texts("#follow .timeline li")
    assert steps.index(_first(steps, "Delivered to orderboard-work")) < steps.index(
        _first(steps, "Recorded in the table")
    )
    assert "Matched by rule orderboard-large-order" in page.text("#follow .timeline")
    assert "queue_clock" in page.text("#follow .timeline")
    assert page.text("#follow .tag") == "completed"
    assert "NaN" not in page.text("body")
    assert page.warnings() == []


async def test_a_replay_ends_at_the_queues_time(page: Page) -> None:
    """The archive dates its events by the queues' clock, an hour ahead, so the replay's end is by that clock too."""
    await page.use_soon("replay")

    await eventually(lambda: "Replaying the archive" in page.text("#effect .result"), within_s=20)
    end = page.text(".command-box code").rpartition("--event-end-time ")[2].strip()
    assert datetime.fromisoformat(end) > datetime.now(UTC) + timedelta(minutes=50)


def _first(steps: list[str], text: str) -> str:
    return next(each for each in steps if text in each)
