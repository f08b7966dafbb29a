"""The commands of docs/load-testing.md's CI jobs, run as they stand on a short burst, and their pages in a browser."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from clients.page import files
from e2e.browser import Page, browser
from e2e.command import Command
from orderboard.burst.live.server import live_page
from orderboard.burst.model import FaultMark, Summary
from orderboard.burst.runs.pages import write_index
from support.waiting import eventually
from unit.rig.burst.test_live import Burst

HOSTILE = "</script><script>document.title='broken out'</script><img src=x onerror=alert(1)>"
CI = files(Path(__file__).parents[2] / "docs" / "load-testing.md")


def steps() -> list[str]:
    """The commands of the workflow for GitHub."""
    job = yaml.safe_load(CI[".github/workflows/load-test.yaml"])["jobs"]["load-test"]
    return [step["run"] for step in job["steps"] if "run" in step]


@pytest.fixture(scope="module")
def folder(orderboard: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the CI job after it: thirty orders with a hostile note, from a file with a hostile name.

    The base branch's run is a copy of the branch's, so that one system is started.
    """
    directory = tmp_path_factory.mktemp("ci")
    orders = directory / "<img>.jsonl"
    order = {"customer_id": "ada", "lines": [{"sku": "espresso", "quantity": 1}], "note": HOSTILE}
    orders.write_text(json.dumps(order))
    (directory / ".venv").symlink_to(sys.prefix)
    environment = {
        **os.environ,
        "ORDERBOARD_STATE_DIR": str(orderboard.state_dir),
        "GITHUB_STEP_SUMMARY": str(directory / "step.md"),
        "BURST": f"burst --orders 30 --duration 1s --live --from {shlex.quote(orders.name)}".replace("'", ""),
    }
    branch = next(number for number, line in enumerate(steps()) if "--out after" in line)
    for line in steps()[branch:]:
        done = subprocess.run(
            ["bash", "-e", "-c", line],
            cwd=directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}{done.stdout}"
        if not (directory / "before").exists():
            assert "Live: http://127.0.0.1:" in done.stderr
            shutil.copytree(directory / "after", directory / "before")
    write_index(directory)
    return directory


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A browser for all tests of this file."""
    with browser("about:blank") as opened:
        yield opened


def test_the_report_holds_the_summary_and_loads_nothing(folder: Path) -> None:
    """The page embeds summary.json, has no element from the hostile texts, and no address to load.

    Takes more than 5 s: it starts a system for the burst.
    """
    report = (folder / "after" / "report.html").read_text()

    embedded = re.search(r'<script id="data" type="application/json">(.*?)</script>', report, re.DOTALL)

    assert embedded is not None
    summary = Summary.model_validate_json((folder / "after" / "summary.json").read_text())
    assert Summary.model_validate(json.loads(embedded[1])["summary"]) == summary
    assert summary.verdict.valid
    assert summary.steps is not None
    assert (summary.steps.source, summary.steps.sampled, summary.steps.measured) == ("journal", 30, 30)
    assert "<img" not in report
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", report)


def test_the_ci_job_leaves_what_it_uploads_and_shows(folder: Path) -> None:
    """Both runs, the tests as JUnit, the comparison as a page and in the job's summary; GitLab runs the same."""
    uploaded = yaml.safe_load(CI[".github/workflows/load-test.yaml"])["jobs"]["load-test"]["steps"][-1]["with"]["path"]
    gitlab: Any = yaml.safe_load(CI[".gitlab-ci.yml"])["load-test"]

    assert all((folder / name).exists() for name in uploaded.split())
    assert (folder / "step.md").read_text().startswith("### ✅ after (1 run) compared with before (1 run)")
    assert (folder / "after" / "summary.md").read_text().startswith("### ✅ Valid: burst of 30 orders")
    orders = [json.loads(line) for line in (folder / "after" / "orders.ndjson").read_text().splitlines()]
    assert [order["ended"] for order in orders] == ["completed"] * 30
    assert 'name="lost==0"' in (folder / "junit.xml").read_text()
    assert gitlab["script"] == steps()[:-1]
    assert set(uploaded.split()) < {*gitlab["artifacts"]["paths"], gitlab["artifacts"]["reports"]["junit"]}


@pytest.mark.parametrize(
    ("name", "charts", "said"),
    [
        ("after/report.html", 5, "Valid: nothing lost"),
        ("compare.html", 6, "The same plan on the same machine"),
        ("index.html", 3, "2 bursts"),
    ],
)
def test_a_browser_draws_every_page(folder: Path, page: Page, name: str, charts: int, said: str) -> None:
    """Every chart is drawn, no script of an order ran, and every text can be read, on a phone and in the dark too."""
    page.driver.get((folder / name).as_uri())

    drawn = page.run("return document.querySelectorAll('canvas').length")
    unreadable = [*_in_theme(page, "light"), *_in_theme(page, "dark")]

    assert drawn == charts
    assert said in page.text("main")
    assert "broken out" not in page.driver.title
    assert (page.warnings(), unreadable) == ([], [])


async def test_a_browser_follows_a_running_burst(page: Page) -> None:
    """Charts and figures grow without a reload, a fault shows, the button stops the load once, and the end is said."""
    burst = Burst()
    with live_page(burst.feed, None) as url:
        page.driver.get(url)
        await eventually(lambda: "The system starts" in page.text("[role=status]"), within_s=20)
        burst.answer(0, 0.2)
        burst.at(1.0)
        burst.answer(1, 0.4)
        burst.at(2.0, FaultMark(at_s=1.5, text="a worker killed"))
        await eventually(lambda: page.texts(".bars b") == ["2 of 9", "2 of 9", "0 of 2"], within_s=20)
        assert "a worker killed" in page.text(".faults")
        assert page.run("return charts[0].chart.data[2]") == [1, 1]
        assert page.run("return document.querySelectorAll('canvas').length") == 4
        unreadable = [*_in_theme(page, "light"), *_in_theme(page, "dark")]

        page.press("button.stop")
        await eventually(lambda: burst.stop.by == "The page", within_s=20)
        burst.feed.end(burst.summary, "folder/report.html")
        await eventually(lambda: "The report: folder/report.html" in page.text(".verdict"), within_s=20)
    await eventually(lambda: page.text("[role=status]") == "The burst has ended.", within_s=20)

    assert (page.warnings(), unreadable) == ([], [])


def _in_theme(page: Page, theme: str) -> list[str]:
    feature = {"name": "prefers-color-scheme", "value": theme}
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    return page.unreadable()
