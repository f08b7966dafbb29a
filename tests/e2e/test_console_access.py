"""Accessibility of the console: keyboard, screen reader, reduced motion, contrast, small screens."""

from pathlib import Path

import pytest
from e2e.browser import Page
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from support.waiting import eventually

_UNNAMED = """
const refers = (e) => (e.getAttribute("aria-labelledby") ?? "").split(" ").some((id) => document.getElementById(id));
const named = (e) => e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length || refers(e);
const wanted = "a, button, input, select, textarea, summary, [tabindex], [role=region], [role=tabpanel]";
return [...document.querySelectorAll(wanted)].filter((e) => !named(e)).map((e) => e.outerHTML.slice(0, 120));
"""
_POINT_AT_NOTHING = """
for (const each of document.querySelectorAll("[data-control]")) each.dispatchEvent(new PointerEvent("pointerleave"));
"""
_LIVE = (
    "return [...document.querySelectorAll('[role=status], [role=alert], [aria-live]')].map((e) => e.id || e.className)"
)
_COMMANDS = """
const found = {};
for (const each of document.querySelectorAll("[data-control], #per-s, #preparation, #delivery-faults")) {
  each.focus();
  const command = document.querySelector(".command-box code")?.textContent ?? "";
  const name = each.dataset.control ?? each.id;
  if (!document.querySelector(".command-box .meaning a")) (found.meaningless ??= []).push(name);
  (found[name] ??= []).push(command);
}
document.activeElement.blur();
return found;
"""
_MOTION = """
const edge = document.querySelector("svg .edge");
edge.classList.add("flowing");
return getComputedStyle(edge).animationName;
"""
_FOCUSED = "const e = document.activeElement; return e.id || e.dataset.control || e.dataset.queue || e.textContent"
_ON_SCREEN = """
const box = document.querySelector(arguments[0]).getBoundingClientRect();
return box.top >= 0 && box.bottom <= window.innerHeight && box.height > 0;
"""
_CUT_OFF = """
const found = [...document.querySelectorAll(arguments[0])].filter((e) => e.scrollWidth > e.clientWidth);
return found.map((e) => e.textContent);
"""
_CONTROLS = ("worker-1.stop", "undelivered.purge", "mapping", "replay", "faults", "kill-backend", "clock", "workers")
_CONTRASTS = Path(__file__).with_name("contrast.js").read_text()  # of every visible text, by element


def _keys(page: Page, *keys: str) -> None:
    actions = ActionChains(page.driver)
    for key in keys:
        actions.send_keys(key)
    actions.perform()


def _focused(page: Page) -> str:
    return str(page.run(_FOCUSED))


async def test_everything_has_a_name(page: Page) -> None:
    """Each control and region has a name for screen readers."""
    await eventually(lambda: page.text("#diagram .worker") == "worker-1", within_s=20)

    assert page.run(_UNNAMED) == []


async def test_the_keyboard_reaches_what_matters(page: Page) -> None:
    """Tab goes first to the link past the diagram, then through the guide; Enter opens a queue, arrows change tabs."""
    page.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    _keys(page, Keys.TAB)
    assert _focused(page) == "Skip to the controls"
    seen = []
    for _ in range(14):
        _keys(page, Keys.TAB)
        seen.append(_focused(page))
    assert seen.index("Resources") < seen.index("theme") < seen.index("20 a second") < seen.index("express")

    page.run("document.querySelector('[data-queue=inbox]').focus()")
    _keys(page, Keys.ENTER)
    await eventually(lambda: "orderboard-inbox" in page.text("#peek .note"), within_s=10)
    assert "nothing in this system reads them" in page.text("#peek .purpose")
    assert "SNS or a rule could not deliver" in page.text('[data-queue="undelivered"] title')
    page.find("#tab-peek").send_keys(Keys.ARROW_RIGHT)
    assert _focused(page) == "tab-explain"
    page.find("#tab-explain").send_keys(Keys.HOME)
    assert _focused(page) == "tab-follow"
    assert page.shown("#follow")


async def test_an_unavailable_control_explains_why(page: Page) -> None:
    """It can be focused, shows the reason, and does nothing when pressed."""
    page.run("document.querySelector('[data-control=\"work.redrive\"]').focus()")

    assert _focused(page) == "work.redrive"
    assert "There are no dead letters." in page.text(".command-box")
    _keys(page, Keys.ENTER)
    await eventually(lambda: page.text("#effect .result") == "There are no dead letters.", within_s=5)


async def test_every_control_shows_its_own_command(page: Page) -> None:
    """A focused control shows its command and meaning; no two clock steps or fault buttons have the same command."""
    shown: dict[str, list[str]] = page.run(_COMMANDS)

    assert "meaningless" not in shown
    assert shown["worker-1.freeze"][0].endswith("orderboard worker freeze worker-1")
    assert page.texts(".command-box code") == []

    assert {name for name, commands in shown.items() if not all(commands)} == {"reset-proof"}  # of the page alone
    assert [command.count("orderboard clock +") for command in shown["clock"]] == [1, 1, 1, 1]
    assert len(set(shown["clock"])) == 4
    assert "throttle" in shown["faults"][0]
    assert "throttle" not in shown["faults"][1]


async def test_the_guide_hides_and_returns(page: Page) -> None:
    """It stays hidden after a reload, and a button shows it again; its steps are checked off as they happen."""
    page.press("#guide .hide")
    assert not page.shown("#guide")
    page.open()
    await eventually(lambda: page.shown("#open-guide"), within_s=10)
    assert not page.shown("#guide")

    page.press("#open-guide")
    assert page.shown("#guide")
    page.press("#guide li button")
    await eventually(lambda: page.attribute("#guide li", "class") == "done", within_s=10)
    assert page.attribute("#guide li:nth-of-type(2)", "aria-current") == "step"
    page.press("#guide li:last-child button")
    await eventually(lambda: page.text("output") == "0/s", within_s=10)

    page.open()
    await eventually(lambda: page.attribute("#guide li", "class") == "done", within_s=10)


async def test_a_burst_is_a_first_step_too(page: Page) -> None:
    """The first step of the guide is done once a burst was sent, also without a stream."""
    page.run(
        "localStorage.removeItem('guide-done'); Storage.prototype.setItem = () => {}"
    )  # each snapshot writes it again
    page.open()
    await page.live()
    assert page.attribute("#guide li", "class") == "now"

    await page.use_soon("burst")
    await eventually(lambda: page.attribute("#guide li", "class") == "done", within_s=20)


async def test_an_effect_is_near_its_button(page: Page) -> None:
    """The result, the numbers that changed and the meaning with AWS's page are on the screen, on a phone too."""
    for size in ((390, 844), (1280, 1000)):
        page.resize(*size)
        await page.use_soon("normal")
        await eventually(lambda: page.text("#effect .result").startswith("Accepted: "), within_s=10)
        await eventually(lambda: "accepted" in page.text("#effect .changes"), within_s=10)
        assert page.run(_ON_SCREEN, "#effect .result")
        assert page.run(_ON_SCREEN, '[data-control="normal"]')
        # The panel grows, and may have moved another control below the pointer, whose meaning it then shows.
        page.run(_POINT_AT_NOTHING)
        href = str(page.attribute("#effect .meaning a", "href"))
        assert href.startswith("https://docs.aws.amazon.com/sns/")
    page.reset_size()


async def test_the_controls_are_above_the_fold(page: Page) -> None:
    """At 1280 by 1000 pixels every control is on the screen, and each dead-letter queue has one line."""
    page.resize(1280, 1000)
    page.run("window.scrollTo(0, 0)")

    assert [name for name in _CONTROLS if not page.run(_ON_SCREEN, f'[data-control="{name}"]')] == []
    assert page.run("return Math.max(...[...document.querySelectorAll('.dead-row')].map((e) => e.clientHeight))") < 45
    page.run("document.querySelector('.desk').scrollIntoView()")
    assert page.run(_ON_SCREEN, "#effect .result")
    page.reset_size()


async def test_screen_readers_are_not_flooded(page: Page) -> None:
    """Live regions are only those that change rarely: connection, verdict, results of actions."""
    assert {name.split()[0] for name in page.run(_LIVE)} <= {"live", "trouble", "spoken", "result", "note", "answers"}


async def test_reduced_motion_stops_the_animation(page: Page) -> None:
    """Arrows are animated unless the user asked for reduced motion."""
    assert page.run(_MOTION) == "flow"

    preference = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", preference)

    assert page.run(_MOTION) == "none"
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tab", ["follow", "journal", "peek", "explain"])
async def test_text_has_enough_contrast(page: Page, theme: str, tab: str) -> None:
    """Every text, disabled ones included, has a contrast of at least 4.5 (WCAG 2.2, 1.4.3)."""
    page.run("document.documentElement.dataset.theme = arguments[0]", theme)
    page.press(f"#tab-{tab}")
    if tab == "explain":
        page.press("#explain .chip")
        await eventually(lambda: "orderboard-large-order" in page.text("#explain"), within_s=10)
        assert page.run(_CUT_OFF, "#explain .reasons li") == []

    measured: dict[str, float] = page.run(_CONTRASTS)

    assert len(measured) > 60
    assert {name: ratio for name, ratio in measured.items() if ratio < 4.5} == {}


async def test_nothing_is_cut_off_on_any_screen(page: Page) -> None:
    """The page fits the width of every screen, from a phone, where a table replaces the diagram, to a projector."""
    for size in ((390, 844), (768, 1024), (1280, 800), (1920, 1080)):
        page.resize(*size)
        for tab in ("follow", "journal", "peek", "explain", "alarms"):
            page.press(f"#tab-{tab}")
            assert page.overflow() <= 0, (size, tab)
        assert page.run(_CUT_OFF, "#explain .answers *") == [], size
        assert page.find("#event").size["height"] < 150
        assert page.shown("#table") is (size[0] < 700)
    page.reset_size()
    assert page.warnings() == []
