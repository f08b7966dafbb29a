"""Measures in the browser how well texts stand out from what is behind them."""

from pathlib import Path

from e2e.browser import Page


def contrasts(page: Page) -> dict[str, float]:
    """The contrast of every text that is shown now, by its element."""
    script = Path(__file__).with_name("contrast.js").read_text()
    measured: dict[str, float] = page.driver.execute_script(script)
    return measured
