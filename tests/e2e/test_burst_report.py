"""The report of a short burst, in a browser."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from e2e.command import Command
from orderboard.burst.model import Summary

HOSTILE = "</script><script>document.title='broken out'</script><img src=x onerror=alert(1)>"
_BROWSERS = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--enable-logging=stderr",
    "--virtual-time-budget=3000",
)


@pytest.fixture(scope="module")
def report(orderboard: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of thirty orders with a hostile note, from a file with a hostile name."""
    directory = tmp_path_factory.mktemp("burst")
    orders = directory / "<img src=x onerror=alert(1)>.jsonl"
    order = {"customer_id": "ada", "lines": [{"sku": "espresso", "quantity": 1}], "note": HOSTILE}
    orders.write_text(json.dumps(order))
    out = directory / "out"
    done = orderboard.run(*("burst", "--orders", "30", "--duration", "1s", "--from", str(orders), "--out", str(out)))
    assert done.returncode == 0, done.stderr + done.stdout
    return out / "report.html"


def test_the_report_holds_the_summary_and_loads_nothing(report: Path) -> None:
    """The page embeds summary.json, has no element from the hostile texts, and no address to load.

    Takes more than 5 s: it starts a system for the burst.
    """
    page = report.read_text()

    embedded = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)

    assert embedded is not None
    summary = Summary.model_validate_json((report.parent / "summary.json").read_text())
    assert Summary.model_validate(json.loads(embedded[1])["summary"]) == summary
    assert summary.verdict.valid
    assert "<img" not in page
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page)


@pytest.mark.skipif(not _BROWSERS, reason="Chromium is not installed")
def test_chromium_draws_the_report_without_errors(report: Path, tmp_path: Path) -> None:
    """Every chart is drawn, no script of an order ran, and the browser's console has no message."""
    done = subprocess.run(
        [_BROWSERS[0], *_FLAGS, f"--user-data-dir={tmp_path}", "--dump-dom", report.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "CONSOLE" not in done.stderr, done.stderr
    assert done.stdout.count("<canvas") == 5
    assert "broken out" not in re.findall(r"<title>.*?</title>", done.stdout)[0]
    assert "Valid: nothing lost" in done.stdout
