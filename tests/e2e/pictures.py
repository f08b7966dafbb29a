"""Takes pictures of the console's main states: `python tests/e2e/pictures.py FOLDER`."""

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from e2e.browser import Page, browser, picture
from e2e.command import Command


def set_rate(page: Page, per_s: int) -> None:
    """Move the slider, as a hand would."""
    page.driver.execute_script(
        "const s = document.getElementById('per-s'); s.value = arguments[0]; s.dispatchEvent(new Event('change'))",
        per_s,
    )


def take(page: Page, folder: Path) -> None:
    """Go through the states and take each one's picture."""
    time.sleep(4)
    picture(page, folder / "idle.png")
    page.knob("normal")
    set_rate(page, 40)
    time.sleep(8)
    page.knob("burst")
    time.sleep(3)
    picture(page, folder / "burst.png")
    page.knob("worker-1.freeze")
    time.sleep(14)
    picture(page, folder / "outage.png")
    page.knob("worker-1.thaw")
    page.knob("poisoned")
    time.sleep(8)
    picture(page, folder / "dead.png")
    set_rate(page, 0)
    time.sleep(2)
    page.knob("express")
    time.sleep(9)
    page.driver.execute_script("document.getElementById('follow').scrollIntoView({block: 'end'})")
    picture(page, folder / "story.png")
    page.press('[data-queue="work"]')
    page.driver.execute_script("document.getElementById('peek-queue').value = 'work.dlq'")
    page.press("#peek button.main")
    time.sleep(1)
    picture(page, folder / "peek.png")
    page.press("#tab-match")
    page.press("#match .chip:nth-of-type(3)")
    time.sleep(1)
    picture(page, folder / "match.png")


def main() -> None:
    """Start a system, look at it wide, dark and on a phone, and end it."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state:
        orderboard = Command(Path(state) / "state")
        try:
            url = json.loads(orderboard.run("up", "--json", "--allow-faults").stdout)["console_url"]
            with browser(url) as page:
                take(page, folder)
                for complaint in page.complaints():
                    print(complaint, file=sys.stderr)
            with browser(url, dark=True) as page:
                time.sleep(3)
                picture(page, folder / "dark.png")
                picture(page, folder / "phone-dark.png", width=390, height=844)
            with browser(url) as page:
                time.sleep(3)
                picture(page, folder / "phone.png", width=390, height=844)
        finally:
            orderboard.run("down")


if __name__ == "__main__":
    main()
