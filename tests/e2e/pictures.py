"""Takes pictures of the console's main states: `python tests/e2e/pictures.py FOLDER [CONSOLE_URL]`.

Without a URL it starts a system of its own, and ends it. Wide, on a projector, on a phone; light and dark.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from e2e.browser import Page, browser, picture
from e2e.command import Command

WIDE, LAPTOP, PROJECTOR, PHONE = (1600, 1000), (1280, 800), (1920, 1080), (390, 844)


def set_rate(page: Page, per_s: int) -> None:
    """Move the slider, as a hand would."""
    page.driver.execute_script(
        "const s = document.getElementById('per-s'); s.value = arguments[0]; s.dispatchEvent(new Event('change'))",
        per_s,
    )


def show(page: Page, selector: str) -> None:
    """Bring a part of the page to the top."""
    page.driver.execute_script("document.querySelector(arguments[0]).scrollIntoView()", selector)


def outage(page: Page, folder: Path) -> None:
    """Idle, an outage with its backlog, a burst on top of what drains, and the end of it."""
    time.sleep(4)
    picture(page, folder / "idle.png", size=WIDE)
    set_rate(page, 20)
    time.sleep(10)
    page.knob("worker-1.stop")
    time.sleep(14)
    show(page, "header")
    for name, size in (("laptop", LAPTOP), ("projector", PROJECTOR), ("phone", PHONE)):
        picture(page, folder / f"outage-{name}.png", size=size)
    picture(page, folder / "outage.png", size=WIDE)
    page.knob("worker-1.start")
    page.knob("burst")
    time.sleep(3)
    show(page, "header")
    picture(page, folder / "burst.png", size=WIDE)
    page.knob("poisoned")
    time.sleep(8)
    set_rate(page, 0)
    time.sleep(6)
    show(page, "header")
    picture(page, folder / "dead.png", size=WIDE)
    page.knob("work.redrive")
    time.sleep(1)
    show(page, "header")
    picture(page, folder / "redrive-laptop.png", size=LAPTOP)


def desk(page: Page, folder: Path) -> None:
    """The story of an order, the journal, a queue looked into, an event explained."""
    page.press("#tab-follow")
    page.knob("large")
    time.sleep(9)
    for name, size in (("story", WIDE), ("story-phone", PHONE)):
        picture(page, folder / f"{name}.png", size=size)
        show(page, ".desk")
        picture(page, folder / f"{name}.png", size=size)
    page.press("#follow form button:not(.main)")
    time.sleep(2)
    for name, size in (("journal", WIDE), ("journal-phone", PHONE)):
        picture(page, folder / f"{name}.png", size=size)
        show(page, ".desk")
        picture(page, folder / f"{name}.png", size=size)
    picture(page, folder / "journal.png", size=WIDE)
    page.press("#tab-peek")
    page.driver.execute_script("document.getElementById('peek-queue').value = 'inbox'")
    page.press("#peek button.main")
    time.sleep(1)
    show(page, ".desk")
    picture(page, folder / "peek.png", size=WIDE)
    page.press("#tab-match")
    page.press("#match .chip:nth-of-type(3)")
    time.sleep(1)
    for name, size in (("match", WIDE), ("match-phone", PHONE)):
        picture(page, folder / f"{name}.png", size=size)
        show(page, ".desk")
        picture(page, folder / f"{name}.png", size=size)


def look(url: str, folder: Path) -> None:
    """Take every picture, and pass on what the browser complained of."""
    folder.mkdir(parents=True, exist_ok=True)
    with browser(url) as page:
        outage(page, folder)
        desk(page, folder)
        for complaint in page.complaints():
            print(complaint, file=sys.stderr)
    with browser(url, dark=True) as page:
        time.sleep(3)
        for name, size in (("dark", WIDE), ("dark-projector", PROJECTOR), ("dark-phone", PHONE)):
            picture(page, folder / f"{name}.png", size=size)


def main() -> None:
    """Look at the system that is named, or at one that is started and ended here."""
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        look(sys.argv[2], folder)
        return
    with tempfile.TemporaryDirectory() as state:
        orderboard = Command(Path(state) / "state")
        try:
            look(json.loads(orderboard.run("up", "--json", "--allow-faults").stdout)["console_url"], folder)
        finally:
            orderboard.run("down")


if __name__ == "__main__":
    main()
