"""A headless Chromium on the console's page, for tests and for taking pictures."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from support import eventually

FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--no-proxy-server",
)

_TURNABLE_WITHIN_S: Final = 20


def missing() -> str | None:
    """What this machine lacks; None when it has everything."""
    for name in ("chromium", "chromedriver"):
        if shutil.which(name) is None:
            return f"no {name} here; on Debian: apt-get install chromium chromium-driver"
    return None


class Page:
    """The console's page in a browser."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver = driver
        self.url = url

    def open(self) -> None:
        """Load it and wait for its first numbers."""
        self.driver.get(self.url)

    def find(self, selector: str) -> WebElement:
        """The first element that fits a CSS selector."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """The text of the first that fits, also in SVG; empty while there is none."""
        return str(
            self.driver.execute_script("return document.querySelector(arguments[0])?.textContent ?? ''", selector)
        )

    def press(self, selector: str) -> None:
        """Click it, once it is in view."""
        element = self.find(selector)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def knob(self, name: str) -> None:
        """Press a knob by its name; AssertionError with the reason while it is greyed: then a press only says why."""
        reason = self.greyed(name)
        assert not reason, f"{name} is greyed: {reason}"
        self.press(f'[data-knob="{name}"]')

    async def turn(self, name: str) -> None:
        """Press a knob as soon as it can be turned: the page may not have seen yet what was done before."""
        await eventually(lambda: self.knob(name), within_s=_TURNABLE_WITHIN_S)

    def waiting(self, queue: str) -> int:
        """How many messages the diagram says wait in a queue."""
        return int(self.text(f'[data-queue="{queue}"] .big').replace(",", ""))

    def dead(self, queue: str) -> int:
        """How many messages the diagram says rest in the queue's DLQ."""
        return int(self.text(f'[data-queue="{queue}"] .badge-text').removeprefix("DLQ "))

    def greyed(self, name: str) -> str:
        """Why a knob cannot be turned; empty when it can."""
        knob = self.find(f'[data-knob="{name}"]')
        return str(knob.get_attribute("title")) if knob.get_attribute("aria-disabled") == "true" else ""

    def complaints(self) -> list[str]:
        """What the browser's console says that is worse than information."""
        entries: list[dict[str, str]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [each["message"] for each in entries if each["level"] in ("SEVERE", "WARNING")]


@contextmanager
def browser(url: str, *, width: int = 1600, height: int = 1000, dark: bool = False) -> Iterator[Page]:
    """A new browser with a new profile, gone afterwards."""
    with TemporaryDirectory(prefix="chromium-") as profile:
        options = webdriver.ChromeOptions()
        for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
            options.add_argument(flag)
        if dark:
            options.add_argument("--blink-settings=preferredColorScheme=0")
        options.binary_location = str(shutil.which("chromium"))
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(str(shutil.which("chromedriver"))))
        try:
            page = Page(driver, url)
            page.open()
            yield page
        finally:
            driver.quit()


def picture(page: Page, path: Path, *, size: tuple[int, int] | None = None) -> None:
    """Save what the page shows, on a screen of this width and height where one is given (below 700: a phone)."""
    if size is not None:
        width, height = size
        page.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700},
        )
    page.driver.save_screenshot(str(path))
