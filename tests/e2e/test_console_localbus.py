"""The pages on localbus alone: journal, a time for each step of a timeline, faults, resources, and experiments."""

from collections.abc import Iterator
from typing import Any

import pytest
from e2e.browser import Page
from e2e.command import Command
from orderboard_stack.clients import local_session
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from support.waiting import eventually

UP_OPTIONS = ("--backend", "embedded")
_SMALL_TEXTS = """
const shown = (e) => e.checkVisibility() && !e.closest(".unseen, .skip");
const speaks = (e) => [...e.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
const small = (e) => parseFloat(getComputedStyle(e).fontSize) < 24;
const texts = [...document.querySelectorAll("body *")].filter((e) => shown(e) && speaks(e));
return texts.filter(small).map((e) => e.outerHTML);
"""
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


@pytest.fixture(scope="module")
def own_topic(system: dict[str, Any]) -> str:
    """A topic of somebody else in the account of the system, with a queue whose policy admits nobody, and 60 more."""
    session, url = local_session("us-east-1"), system["endpoint_url"]
    sqs, sns = session.client("sqs", endpoint_url=url), session.client("sns", endpoint_url=url)
    for number in range(60):
        sqs.create_queue(QueueName=f"own-{number:02}")
    topic = str(sns.create_topic(Name="own")["TopicArn"])
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:000000000000:own-07")
    return topic


@pytest.fixture
def resources(page: Page, own_topic: str) -> Iterator[Page]:
    """The page of resources, in the browser of the board."""
    page.driver.get(f"{page.url}/resources")
    yield page
    page.open()


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
    assert page.attribute("#journal button[aria-pressed]", "aria-pressed") == "true"
    page.press("#journal tbody button")
    await eventually(lambda: len(_entries(page)) >= 3, within_s=10)
    assert len(set(page.texts("#journal tbody td:last-child"))) == 1


async def test_delivery_faults_lose_nothing(page: Page) -> None:
    """With messages delivered twice, out of order and missed by polls, every order still ends once.

    Slow: 300 orders go all the way.
    """
    Select(page.find("#delivery-faults")).select_by_value("all of it")
    await eventually(lambda: "orderboard disorder" in page.text(".command-box"), within_s=10)
    await page.use_soon("burst")

    await eventually(lambda: "302 completed" in page.text("#reconciliation"), within_s=90)
    assert page.text("#reconciliation .verdict") == "✓ No order was lost"

    Select(page.find("#delivery-faults")).select_by_value("none")
    await eventually(lambda: "No delivery faults." in page.text("#effect .result"), within_s=10)


async def test_a_worker_survives_api_faults(page: Page) -> None:
    """While every receive is throttled, the queues fill and the page says why; then they drain.

    Slow: 300 orders go all the way, after the worker's backoff.
    """
    Select(page.find("#fault-share")).select_by_value("1")
    await page.use_soon("faults")
    await eventually(lambda: "Throttle in 100 % of ReceiveMessage" in page.text(".faults + .note"), within_s=10)
    await page.use_soon("burst")
    await eventually(lambda: page.waiting("work") + page.waiting("express") > 100, within_s=30)

    page.press(".faults button:last-of-type")
    await eventually(lambda: "No API faults." in page.text(".faults + .note"), within_s=10)
    await eventually(lambda: "602 completed" in page.text("#reconciliation"), within_s=90)
    assert page.text("#reconciliation .verdict") == "✓ No order was lost"


async def test_own_resources_are_found_sent_to_and_followed(resources: Page, own_topic: str) -> None:
    """A search finds a queue among those of the system; a message is sent, peeked as text, and explained."""
    page = resources
    await eventually(lambda: len(page.texts(".list tbody tr")) == 50, within_s=10)
    assert page.text(".pager span").startswith("1 to 50 of ")
    page.find("#search").send_keys("own-07")
    await eventually(lambda: page.texts(".list tbody th .name") == ["own-07", "own to own-07"], within_s=5)
    assert "1 problem" in page.text(".list tbody")
    page.press(".list tbody .name")
    assert "does not allow subscription own to own-07" in page.text("#detail .problem")

    page.press("#tab-1")
    page.run("document.querySelector('#send-body').value = arguments[0]", HOSTILE)
    page.press("#panel-1 button.main")
    await eventually(lambda: "own-07 accepted it" in page.text("#panel-1 .result"), within_s=5)
    assert "sqs send-message" in page.text("#panel-1 .commands")
    page.press("#panel-1 .result button")
    await eventually(lambda: page.text("#arrival strong") == "It waits in own-07: nobody receives it.", within_s=5)

    page.press("#tab-0")
    await eventually(lambda: page.text("#panel-0 pre") == HOSTILE, within_s=5)
    assert page.run("return document.title") == "Resources · Order Board"


async def test_a_stopped_delivery_is_on_the_page(resources: Page, own_topic: str) -> None:
    """A publish whose delivery the queue's policy stops is counted with its reason, and explained by its id."""
    page = resources
    page.driver.get(f"{page.url}/resources#{own_topic}")
    await eventually(lambda: page.has("#panel-0 form"), within_s=10)
    page.press("#panel-0 button.main")
    await eventually(lambda: page.has("#panel-0 .result button"), within_s=5)
    page.press("#panel-0 .result button")

    await eventually(lambda: "does not allow sns.amazonaws.com" in page.text("#arrival strong"), within_s=5)
    await eventually(lambda: "1 not delivered" in page.text("#losses"), within_s=10)
    assert "set-queue-attributes" in page.text("#losses")


async def test_resources_fit_and_can_be_read_on_any_screen(resources: Page, own_topic: str) -> None:
    """Nothing is wider than a phone or a laptop, and every text has a contrast of at least 4.5 in both themes."""
    page = resources
    for size in ((1280, 900), (390, 844)):
        page.resize(*size)
        page.driver.get(f"{page.url}/resources#{own_topic}")
        await eventually(lambda: page.has("#panel-0 form"), within_s=10)
        assert page.shown("#list") is (size[0] > 900)
        if size[0] > 900:  # side by side
            assert page.find("#list").location["y"] == page.find("#detail").location["y"]
        assert page.unreadable([size]) == []
    page.resize(390, 844)
    page.press(".back")
    assert page.shown("#list")
    page.reset_size()


async def test_an_experiment_runs_in_the_page_on_any_screen(page: Page) -> None:
    """A filter finds it, it runs with a column for each party, and it can be kept as a program; on a phone, too.

    Slow: the first run starts an engine.
    """
    page.driver.get(f"{page.url}/lab")
    await eventually(lambda: len(page.texts("#lab-names a")) > 45, within_s=10)
    assert page.text("#experiment h2") == "The same shop, coupled tightly by HTTP and loosely by a queue"
    page.find("#lab-filter").send_keys("not deleted in time")
    page.press("#lab-names a")
    await eventually(lambda: page.text("#experiment h2").startswith("A message that is not deleted"), within_s=5)

    page.press("#run")
    await eventually(lambda: page.text(".outcome") == "✓ Reproduced on embedded: all 4 checks hold.", within_s=40)
    assert page.texts(".lane-head") == ["", "producer", "consumer A", "consumer B"]
    assert len(page.texts(".lanes .good")) == 4

    assert page.unreadable() == []
    page.resize(390, 844)
    page.press("[data-form=cli]")
    await eventually(lambda: page.text("pre.program").startswith("#!/usr/bin/env bash"), within_s=5)
    assert page.overflow() <= 0
    page.reset_size()
    page.open()


async def test_an_exercise_is_worked_on_beside_the_board(page: Page, orderboard: Command) -> None:
    """It is opened and checked, and the page shows what the command line does; its solution asks first.

    Slow: an exercise puts the system back as deployed.
    """
    page.driver.get(f"{page.url}/workshop#2")
    await eventually(lambda: page.shown("[data-action=open]"), within_s=10)
    page.press("[data-action=open]")
    await eventually(lambda: page.shown("[data-action=check]"), within_s=30)
    assert orderboard.run("workshop", "hint").returncode == 0
    await eventually(lambda: page.text(".hint h3") == "Hint 1 of 3", within_s=10)
    assert page.attribute(".exercise-text a", "target") == "_blank"

    page.driver.get(f"{page.url}/?workshop")
    await eventually(lambda: page.has("#exercise .snippet, #exercise .exercise-text h3"), within_s=10)
    page.press("#exercise [data-action=check]")
    await eventually(lambda: page.text("#exercise .result").startswith("Not yet: "), within_s=20)
    assert any(each.startswith("✗ 0 messages waited") for each in page.texts("#exercise .findings li"))
    page.press("#exercise [data-action=solution]")
    await eventually(lambda: page.shown("[data-action=apply]"), within_s=10)
    page.press("[data-action=apply]")
    assert page.shown("[data-confirm=apply]")
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert page.run("return document.activeElement.dataset.action") == "apply"

    assert page.unreadable() == []
    page.resize(390, 844)
    page.find("#exercise").send_keys(Keys.ESCAPE)
    assert not page.shown("#exercise")
    assert page.run("return document.activeElement.id") == "open-exercise"
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.shown("#exercise")
    page.find("#exercise").send_keys(Keys.ESCAPE)
    page.reset_size()
    page.open()
    await page.live()


async def test_the_quiz_is_answered_by_press_and_by_key(page: Page) -> None:
    """An answer shows why and links the experiment that proves it; a reload keeps it."""
    page.driver.get(f"{page.url}/workshop#quiz")
    await eventually(lambda: page.has('[data-question="2"] .answer'), within_s=10)
    page.press('[data-question="1"] [data-choice="2"]')
    await eventually(lambda: page.text('[data-question="1"] .why').startswith("Right. "), within_s=10)
    page.find('[data-question="2"] [data-choice="1"]').send_keys("b")
    await eventually(lambda: page.text('[data-question="2"] .why').startswith("Not right: it is a. "), within_s=10)
    assert page.run("return document.activeElement.dataset.question") == "2"
    assert page.unreadable() == []

    page.driver.refresh()
    await eventually(lambda: page.text("#quiz .note") == "1 of 2 right · 15 questions", within_s=10)
    page.press('[data-question="1"] .why a')
    await eventually(
        lambda: page.run("return location.pathname + location.hash") == "/lab#coupling-outage", within_s=10
    )
    page.open()
    await page.live()


async def test_a_presenter_has_large_type_and_keys(page: Page) -> None:
    """Without scrolling at two sizes, every text has 24 pixels at least; a key acts; the other pages keep the mode."""
    page.driver.get(f"{page.url}/?present")
    await page.live()
    page.driver.switch_to.active_element.send_keys("t")
    await eventually(lambda: page.text("#stage .result") == "Sending 20 orders a second.", within_s=10)
    await eventually(lambda: page.text("#stage .keys span") == "Stop stream", within_s=10)
    for size in ((1280, 720), (1920, 1080)):
        page.resize(*size)
        assert page.run("return document.documentElement.scrollHeight - window.innerHeight") <= 0
        assert page.run(_SMALL_TEXTS) == []
    assert page.unreadable([(1280, 720)]) == []
    page.driver.switch_to.active_element.send_keys("t")
    await eventually(lambda: page.text("#stage .keys span") == "Stream 20/s", within_s=10)

    for path, presents in (("lab", True), ("", True), ("?present=off", False), ("", False)):
        page.driver.get(f"{page.url}/{path}")
        assert page.has("[aria-label='Leave presenter mode']") is presents, path
    await page.live()


async def test_a_real_clock_cannot_be_advanced(page: Page) -> None:
    """The services run by the real clock, so the control is unavailable and names the option for a manual one."""
    assert "--manual-clock" in page.unavailable("clock")
    assert page.warnings() == []
