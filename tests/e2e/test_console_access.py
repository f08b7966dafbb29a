"""The console without a mouse, without motion, without colour sight, read aloud: what a page owes to everybody."""

from collections.abc import Iterator
from typing import Any

import pytest
from e2e.browser import Page, browser, missing
from e2e.contrast import contrasts
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from support import eventually

_UNNAMED = """
const refers = (e) => (e.getAttribute("aria-labelledby") ?? "").split(" ").some((id) => document.getElementById(id));
const named = (e) => e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length || refers(e);
const wanted = "a, button, input, select, textarea, summary, [tabindex], [role=region], [role=tabpanel]";
return [...document.querySelectorAll(wanted)].filter((e) => !named(e)).map((e) => e.outerHTML.slice(0, 120));
"""
_LIVE = (
    "return [...document.querySelectorAll('[role=status], [role=alert], [aria-live]')].map((e) => e.id || e.className)"
)
_COMMANDS = """
const found = {};
for (const knob of document.querySelectorAll("[data-knob], #per-s, #preparation, #disorder")) {
  knob.focus();
  (found[knob.dataset.knob ?? knob.id] ??= []).push(document.querySelector(".call code")?.textContent ?? "");
}
document.activeElement.blur();
return found;
"""
_MOTION = """
const edge = document.querySelector("svg .edge");
edge.classList.add("flowing");
return getComputedStyle(edge).animationName;
"""


@pytest.fixture(scope="module")
def page(system: dict[str, Any]) -> Iterator[Page]:
    """The page in Chromium."""
    if (lack := missing()) is not None:
        pytest.skip(lack)
    with browser(system["console_url"]) as opened:
        yield opened


def _keys(page: Page, *keys: str) -> None:
    actions = ActionChains(page.driver)
    for key in keys:
        actions.send_keys(key)
    actions.perform()


def _focused(page: Page) -> str:
    return str(
        page.driver.execute_script(
            "const e = document.activeElement; return e.id || e.dataset.knob || e.dataset.queue || e.textContent"
        )
    )


async def test_everything_has_a_name(page: Page) -> None:
    """Each control and region says what it is to who cannot see it."""
    await eventually(lambda: page.text("#diagram .worker") == "worker-1", within_s=20)

    assert page.driver.execute_script(_UNNAMED) == []


async def test_the_keyboard_reaches_what_matters(page: Page) -> None:
    """Tab goes first to the way past the diagram, then through the guide; a queue opens by Enter, tabs by arrows."""
    page.driver.execute_script("document.activeElement.blur(); window.scrollTo(0, 0)")
    _keys(page, Keys.TAB)
    assert _focused(page) == "To the knobs"
    seen = []
    for _ in range(14):
        _keys(page, Keys.TAB)
        seen.append(_focused(page))
    assert seen.index("theme") < seen.index("20 a second") < seen.index("express") < seen.index("work")

    page.driver.execute_script("document.querySelector('[data-queue=inbox]').focus()")
    _keys(page, Keys.ENTER)
    await eventually(lambda: "orderboard-inbox" in page.text("#peek .note"), within_s=10)
    page.find("#tab-peek").send_keys(Keys.ARROW_RIGHT)
    assert _focused(page) == "tab-match"
    page.find("#tab-match").send_keys(Keys.HOME)
    assert _focused(page) == "tab-follow"
    assert page.find("#follow").is_displayed()


async def test_a_grey_knob_says_why(page: Page) -> None:
    """One that cannot be turned can be reached, shows the reason, and does nothing when it is pressed."""
    page.driver.execute_script("document.querySelector('[data-knob=\"work.redrive\"]').focus()")

    assert _focused(page) == "work.redrive"
    assert "Nothing rests there." in page.text(".call")
    _keys(page, Keys.ENTER)
    await eventually(lambda: "Nothing rests there." in page.text("#toast"), within_s=5)


async def test_a_knob_shows_its_command_before_it_is_pressed(page: Page) -> None:
    """Pointing at a knob shows what it would run; what was pressed last comes back afterwards."""
    page.driver.execute_script("document.querySelector('[data-knob=\"worker-1.freeze\"]').focus()")
    assert "kill -STOP" in page.text(".call")

    page.driver.execute_script("document.activeElement.blur()")
    assert "kill -STOP" not in page.text(".call")


async def test_every_knob_shows_its_command(page: Page) -> None:
    """Whatever can be pressed tells what it would run, and tells its own: no two clock steps or faults are the same."""
    shown: dict[str, list[str]] = page.driver.execute_script(_COMMANDS)

    assert {name for name, commands in shown.items() if not all(commands)} == set()
    assert [command.count('"advance_s": ') for command in shown["clock"]] == [1, 1, 1, 1]
    assert len(set(shown["clock"])) == 4
    assert "throttle" in shown["faults"][0]
    assert "throttle" not in shown["faults"][1]


async def test_the_guide_goes_and_comes_back(page: Page) -> None:
    """Hidden, it stays away over a reload, and a button brings it back; its steps are ticked as they happen."""
    page.press("#guide .hide")
    assert not page.find("#guide").is_displayed()
    page.open()
    await eventually(lambda: page.find("#open-guide").is_displayed(), within_s=10)
    assert not page.find("#guide").is_displayed()

    page.press("#open-guide")
    assert page.find("#guide").is_displayed()
    page.press("#guide li button")
    await eventually(lambda: page.find("#guide li").get_attribute("class") == "done", within_s=10)
    assert page.find("#guide li:nth-of-type(2)").get_attribute("aria-current") == "step"
    page.press("#guide li:last-child button")
    await eventually(lambda: page.text("output") == "0/s", within_s=10)


async def test_numbers_are_not_read_aloud_all_the_time(page: Page) -> None:
    """Live regions are those that speak now and then: the connection, the verdict, what came of a press."""
    live = page.driver.execute_script(_LIVE)

    assert set(live) <= {"live", "trouble", "said", "toast", "note", "answers"}


async def test_who_wants_no_motion_has_none(page: Page) -> None:
    """With reduced motion asked for, nothing runs along the edges."""
    assert page.driver.execute_script(_MOTION) == "flow"

    preference = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", preference)

    assert page.driver.execute_script(_MOTION) == "none"
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tab", ["follow", "journal", "peek", "match"])
async def test_texts_stand_out(page: Page, theme: str, tab: str) -> None:
    """Every text has a contrast of at least 4.5 to what is behind it (WCAG 2.2, 1.4.3), greyed ones too."""
    page.driver.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
    page.press(f"#tab-{tab}")
    if tab == "match":
        page.press("#match .chip")
        await eventually(lambda: "orderboard-large-order" in page.text("#match"), within_s=10)

    measured = contrasts(page)

    assert len(measured) > 60
    assert {name: ratio for name, ratio in measured.items() if ratio < 4.5} == {}


async def test_nothing_is_cut_off_on_any_screen(page: Page) -> None:
    """From a phone to a projector the page is no wider than the screen."""
    for width, height in ((390, 844), (768, 1024), (1280, 800), (1920, 1080)):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        for tab in ("follow", "journal", "peek", "match"):
            page.press(f"#tab-{tab}")
            wide = page.driver.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, (width, tab)
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert page.complaints() == []
