"""A short burst's report, as a browser sees it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from orderboard.burst.model import Summary

HOSTILE = "</script><script>document.title='broken out'</script><img src=x onerror=alert(1)>"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
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
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of thirty orders whose note, and whose file's name, are hostile."""
    directory = tmp_path_factory.mktemp("burst")
    orders = directory / "<img src=x onerror=alert(1)>.jsonl"
    orders.write_text(
        json.dumps({"customer_id": "ada", "lines": [{"sku": "espresso", "quantity": 1}], "note": HOSTILE})
    )
    out = directory / "out"
    command = [
        str(Path(sys.executable).with_name("orderboard")),
        "burst",
        "--orders",
        "30",
        "--duration",
        "2s",
        "--from",
        str(orders),
        "--out",
        str(out),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return out / "report.html"


def test_the_report_holds_the_summary_and_loads_nothing(report: Path) -> None:
    """The page embeds what summary.json says, has no element of the hostile texts, and names no address to load."""
    page = report.read_text()

    embedded = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)

    assert embedded is not None
    summary = Summary.model_validate_json((report.parent / "summary.json").read_text())
    assert Summary.model_validate(json.loads(embedded[1])["summary"]) == summary
    assert summary.verdict.valid
    assert "<img" not in page
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page)


@pytest.mark.skipif(not any(map(shutil.which, _BROWSERS)), reason="there is no Chromium here")
def test_chromium_draws_the_report_without_a_complaint(report: Path, tmp_path: Path) -> None:
    """Every chart is drawn, no script of an order ran, and the console stays silent."""
    browser = next(path for path in map(shutil.which, _BROWSERS) if path is not None)

    done = subprocess.run(
        [browser, *_FLAGS, f"--user-data-dir={tmp_path}", "--dump-dom", report.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "CONSOLE" not in done.stderr, done.stderr
    assert done.stdout.count("<canvas") == 5
    assert "broken out" not in re.findall(r"<title>.*?</title>", done.stdout)[0]
    assert "Valid: nothing lost" in done.stdout
