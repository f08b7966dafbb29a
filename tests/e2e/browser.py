"""A headless Chromium on the console's page, for tests and screenshots."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from support.waiting import eventually

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

_AVAILABLE_WITHIN_S: Final = 20
_CONTRASTS: Final = Path(__file__).with_name("contrast.js").read_text()  # of every visible text, by element


@contextmanager
def _rendered() -> Iterator[None]:
    """Raise an AssertionError, which `eventually` waits out, where the page is being drawn again."""
    try:
        yield
    except (NoSuchElementException, StaleElementReferenceException) as exc:
        raise AssertionError(f"the page is not there yet: {exc.msg}") from exc


class Page:
    """The console's page in a browser."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver = driver
        self.url = url

    def open(self) -> None:
        """Load the page."""
        self.driver.get(self.url)

    async def live(self, *, within_s: float = 20) -> None:
        """Wait until the page shows snapshots."""
        await eventually(lambda: self.text("#live") == "live", within_s=within_s)

    def run(self, script: str, *arguments: object) -> Any:
        """Run JavaScript in the page."""
        return self.driver.execute_script(script, *arguments)

    def find(self, selector: str) -> WebElement:
        """Return the first element that matches a CSS selector; AssertionError if there is none."""
        with _rendered():
            return self.driver.find_element(By.CSS_SELECTOR, selector)

    def attribute(self, selector: str, name: str) -> str | None:
        """Return an attribute of the first match."""
        with _rendered():
            return self.find(selector).get_attribute(name)

    def shown(self, selector: str) -> bool:
        """Return whether the first match can be seen."""
        with _rendered():
            return self.find(selector).is_displayed()

    def has(self, selector: str) -> bool:
        """Return true if any element matches a CSS selector."""
        return bool(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def text(self, selector: str) -> str:
        """Return the text of the first match, in SVG too; empty if there is none."""
        return str(self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector))

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all matches."""
        script = "return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent)"
        found: list[str] = self.run(script, selector)
        return found

    def press(self, selector: str) -> None:
        """Scroll an element into view and click it."""
        with _rendered():
            element = self.find(selector)
            self.run("arguments[0].scrollIntoView({block: 'center'})", element)
            element.click()

    def use(self, control: str) -> None:
        """Press a control by its name; AssertionError with the reason if it is unavailable."""
        reason = self.unavailable(control)
        assert not reason, f"{control} is unavailable: {reason}"
        self.press(f'[data-control="{control}"]')

    async def use_soon(self, control: str) -> None:
        """Press a control as soon as it is available: the page may not show the last change yet."""
        await eventually(lambda: self.use(control), within_s=_AVAILABLE_WITHIN_S)

    def unavailable(self, control: str) -> str:
        """Return why a control is unavailable; empty if it is available."""
        selector = f'[data-control="{control}"]'
        if not self.has(selector):
            return "it is not on the page yet"
        return str(self.attribute(selector, "title")) if self.attribute(selector, "aria-disabled") == "true" else ""

    def waiting(self, queue: str) -> int:
        """Return the diagram's number of waiting messages."""
        return int(self.text(f'[data-queue="{queue}"] .big').replace(",", ""))

    def dead(self, queue: str) -> int:
        """Return the diagram's number of messages in the queue's DLQ."""
        return int(self.text(f'[data-queue="{queue}"] .badge-text').removeprefix("DLQ "))

    def resize(self, width: int, height: int) -> None:
        """Show the page on a screen of this size; below 700 pixels: a phone."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def reset_size(self) -> None:
        """Return to the window's own size."""
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the screen."""
        return int(self.run("return document.documentElement.scrollWidth - window.innerWidth"))

    def unreadable(self, sizes: Sequence[tuple[int, int]] = ((1280, 900), (390, 844))) -> list[str]:
        """Return what is wider than a screen of one of these sizes, or has too little contrast, in both themes.

        Every text needs a contrast of at least 4.5 (WCAG 2.2, 1.4.3).
        """
        found: list[str] = []
        for size in sizes:
            self.resize(*size)
            for theme in ("light", "dark"):
                self.run("document.documentElement.dataset.theme = arguments[0]", theme)
                found += [f"{size} is too narrow"] * (self.overflow() > 0)
                measured: dict[str, float] = self.run(_CONTRASTS)
                found += [f"{theme}: {name} has {ratio:.1f}" for name, ratio in measured.items() if ratio < 4.5]
        self.reset_size()
        return found

    def warnings(self) -> list[str]:
        """Return warnings and errors of the browser's console."""
        entries: list[dict[str, str]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [each["message"] for each in entries if each["level"] in ("SEVERE", "WARNING")]


@contextmanager
def browser(url: str, *, width: int = 1600, height: int = 1000, dark: bool = False) -> Iterator[Page]:
    """Open the page in a browser with a new profile; skip the test without Chromium."""
    for name in ("chromium", "chromedriver"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed. On Debian: apt-get install chromium chromium-driver")
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


def screenshot(page: Page, path: Path, *, size: tuple[int, int] | None = None) -> None:
    """Save a screenshot, on a screen of this width and height if given."""
    if size is not None:
        page.resize(*size)
    page.driver.save_screenshot(str(path))
