"""Takes screenshots of the console: `python tests/e2e/pictures.py FOLDER [CONSOLE_URL]`.

Without a URL it starts a system, and stops it afterwards. Wide, projector and phone; light and dark.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from e2e.browser import Page, browser, screenshot
from e2e.command import Command

WIDE, LAPTOP, PROJECTOR, PHONE = (1600, 1000), (1280, 800), (1920, 1080), (390, 844)


def set_rate(page: Page, per_s: int) -> None:
    """Move the slider."""
    page.run(
        "const s = document.getElementById('per-s'); s.value = arguments[0]; s.dispatchEvent(new Event('change'))",
        per_s,
    )


def show(page: Page, selector: str) -> None:
    """Scroll a part of the page to the top."""
    page.run("document.querySelector(arguments[0]).scrollIntoView()", selector)


def outage(page: Page, folder: Path) -> None:
    """An idle system, an outage with its backlog, a burst, and a dead letter."""
    time.sleep(4)
    screenshot(page, folder / "idle.png", size=WIDE)
    set_rate(page, 20)
    time.sleep(10)
    page.use("worker-1.stop")
    time.sleep(14)
    show(page, "header")
    for name, size in (("laptop", LAPTOP), ("projector", PROJECTOR), ("phone", PHONE)):
        screenshot(page, folder / f"outage-{name}.png", size=size)
    screenshot(page, folder / "outage.png", size=WIDE)
    page.use("worker-1.start")
    page.use("burst")
    time.sleep(3)
    show(page, "header")
    screenshot(page, folder / "burst.png", size=WIDE)
    page.use("poison")
    time.sleep(8)
    set_rate(page, 0)
    time.sleep(6)
    show(page, "header")
    screenshot(page, folder / "dead.png", size=WIDE)
    page.use("work.redrive")
    time.sleep(1)
    show(page, "header")
    screenshot(page, folder / "redrive-laptop.png", size=LAPTOP)


def details(page: Page, folder: Path, name: str) -> None:
    """Take the part below the diagram, wide and on a phone. The first screenshot sets the size to scroll in."""
    for suffix, size in (("", WIDE), ("-phone", PHONE)):
        for _ in range(2):
            screenshot(page, folder / f"{name}{suffix}.png", size=size)
            show(page, ".desk")


def desk(page: Page, folder: Path) -> None:
    """The timeline of an order, the journal, the messages of a queue, an explained event."""
    page.press("#tab-follow")
    page.use("large")
    time.sleep(9)
    details(page, folder, "timeline")
    page.press("#follow form button:not(.main)")
    time.sleep(2)
    details(page, folder, "journal")
    page.press("#tab-peek")
    page.run("document.getElementById('peek-queue').value = 'inbox'")
    page.press("#peek button.main")
    time.sleep(1)
    show(page, ".desk")
    screenshot(page, folder / "peek.png", size=WIDE)
    page.press("#tab-explain")
    page.press("#explain .chip:nth-of-type(3)")
    time.sleep(1)
    details(page, folder, "explain")


def workshop(page: Page, folder: Path) -> None:
    """The workshop's page, and its second exercise beside the board: opened, in the middle of the outage, checked."""
    page.driver.get(f"{page.url}/workshop#2")
    time.sleep(2)
    page.press("[data-action=open]")
    time.sleep(15)
    for suffix, size in (("", WIDE), ("-laptop", LAPTOP), ("-phone", PHONE)):
        screenshot(page, folder / f"workshop{suffix}.png", size=size)
    page.resize(*WIDE)
    page.driver.get(f"{page.url}/?workshop")
    time.sleep(4)
    page.use("worker-1.stop")
    time.sleep(3)
    set_rate(page, 10)
    time.sleep(12)
    page.press("#exercise [data-action=check]")
    time.sleep(5)
    show(page, "header")
    for suffix, size in (("-phone", PHONE), ("-laptop", LAPTOP), ("", WIDE)):
        screenshot(page, folder / f"workshop-beside{suffix}.png", size=size)
    page.press("#exercise [aria-label='Hide the exercise']")
    page.driver.get(f"{page.url}/?present")
    time.sleep(3)
    for size in ((1280, 720), PROJECTOR):
        screenshot(page, folder / f"present-{size[0]}.png", size=size)
    page.driver.get(f"{page.url}/?present=off")
    time.sleep(2)
    set_rate(page, 0)
    page.use("worker-1.start")


def take_all(url: str, folder: Path) -> None:
    """Take every screenshot, and print the browser's warnings."""
    folder.mkdir(parents=True, exist_ok=True)
    with browser(url) as page:
        outage(page, folder)
        desk(page, folder)
        workshop(page, folder)
        for warning in page.warnings():
            print(warning, file=sys.stderr)
    with browser(url, dark=True) as page:
        time.sleep(3)
        for name, size in (("dark", WIDE), ("dark-projector", PROJECTOR), ("dark-phone", PHONE)):
            screenshot(page, folder / f"{name}.png", size=size)


def main() -> None:
    """Use the console at the URL, or start a system."""
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        take_all(sys.argv[2], folder)
        return
    with tempfile.TemporaryDirectory() as state:
        orderboard = Command(Path(state) / "state")
        try:
            take_all(json.loads(orderboard.run("up", "--json", "--allow-faults").stdout)["console_url"], folder)
        finally:
            orderboard.run("down")


if __name__ == "__main__":
    main()
