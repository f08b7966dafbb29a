"""report.html: what is embedded, and that nothing hostile gets out of it."""

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from orderboard.burst.model import (
    Cost,
    Expectation,
    FaultMark,
    Finding,
    Generator,
    Moment,
    Settings,
    Summary,
    Verdict,
)
from orderboard.burst.report.files import BurstRun
from orderboard.burst.report.html import embedded_json, render, write_report
from orderboard.system.host import Host

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)><!-- ]]> {{data}} &amp; \u2028 \U0001f480"


def a_run(text: str = "usual", *, measured: float = 3.0) -> BurstRun:
    """A run of one order, all of whose texts are this one."""
    verdict = Verdict(
        valid=False,
        drained=True,
        attempted=1,
        acknowledged=1,
        refused=0,
        unavailable=0,
        completed=0,
        rejected=0,
        cancelled=0,
        dead_lettered=0,
        lost=1,
        duplicated=0,
        recovered=0,
        unexpected=0,
        alerts_due=0,
        alerts_announced=0,
        endings={text: {"lost": 1}},
        findings=(Finding(verdict="lost", type="Lost", text=text),),
    )
    summary = Summary(
        started_at=datetime(2026, 1, 2, tzinfo=UTC),
        settings=Settings(
            command=f"orderboard burst --from {text}",
            backend="embedded",
            profile=text,
            orders=1,
            duration_s=1,
            rate=1,
            mix=text,
            seed=1,
            workers=1,
            connections=1,
            faults=(text,),
        ),
        verdict=verdict,
        load_s=1,
        drain_s=1,
        accepted_per_s=1,
        finished_per_s=0,
        peak_backlog=1,
        accept=None,
        end_to_end=None,
        generator=Generator(
            orders=1,
            sent=1,
            not_sent=0,
            late=0,
            late_after_ms=50,
            lag_p50_ms=0,
            lag_p99_ms=0,
            lag_max_ms=0,
            waited_for_connection=0,
            connections=1,
            intended_rate=1,
            achieved_rate=1,
        ),
        faults=(FaultMark(at_s=0.5, text=text),),
        cost=Cost(
            requests=(), requests_per_1000_orders=0, usd_per_1000_orders=0, prices_as_of="2026", prices_source=text
        ),
        memory=(),
        machine=Host(system=text, processor=text, cpus=1, memory_megabytes=1, python="3.11", versions={text: text}),
        expectations=(Expectation(text=text, measured=measured, met=False),),
    )
    moment = Moment(
        at_s=0,
        phase="load",
        intended=1,
        sent=1,
        accepted=1,
        refused=0,
        unavailable=0,
        finished=0,
        unfinished=1,
        workers=1,
    )
    return BurstRun(summary, (moment,))


class _Page(HTMLParser):
    """What a browser would find: every element, and the text of each script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "script":
            self.scripts[-1] += data


def test_hostile_text_makes_no_element() -> None:
    """Whatever an order, a fault or a setting says, the page has the same elements as with harmless text."""
    harmless, hostile = _Page(render(a_run())), _Page(render(a_run(HOSTILE)))

    assert hostile.elements[0][0] == "html"
    assert [name for name, _ in hostile.elements] == [name for name, _ in harmless.elements]
    assert len(hostile.scripts) == 3


def test_the_page_holds_the_whole_run() -> None:
    """The embedded JSON is the summary and the timeline, by column, to the last character."""
    run = a_run(HOSTILE)

    document = json.loads(_Page(render(run)).scripts[0])

    assert Summary.model_validate(document["summary"]) == run.summary
    assert document["timeline"]["accepted"] == [1]
    assert document["timeline"].keys() == Moment.model_fields.keys()


def test_a_number_that_json_lacks_is_null() -> None:
    """A threshold on something that never happened measures infinity, and the page still parses."""
    document = json.loads(_Page(render(a_run(measured=float("inf")))).scripts[0])

    assert document["summary"]["expectations"][0]["measured"] is None


def test_the_page_loads_nothing() -> None:
    """No element names an address, and the policy forbids whatever is not in the page."""
    page = render(a_run())

    for _, attributes in _Page(page).elements:
        assert not attributes.keys() & {"src", "href", "srcset", "action"}
    assert "default-src 'none'" in page
    assert not re.search(r"@import|url\(", page)


def test_the_policy_names_every_script_and_style() -> None:
    """Two scripts and two styles run, by their hashes; there is no unsafe-inline."""
    page = render(a_run())

    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)

    assert policy is not None
    assert len(set(re.findall(r"'sha256-[\w+/=]+'", policy[1]))) == 4
    assert "unsafe" not in policy[1]


@pytest.mark.parametrize("text", ["</script>", "<!--", "&lt;", "\u2028", "\U0001f600", 'a"b\\c'])
def test_embedded_json_is_json_without_markup(text: str) -> None:
    """It reads as the same text, and has no character that HTML would look at."""
    embedded = embedded_json({"text": text})

    assert json.loads(embedded) == {"text": text}
    assert not set(embedded) & set("<>&\u2028\u2029")


def test_the_report_carries_the_license_of_what_draws_it(tmp_path: Path) -> None:
    """uPlot's licence asks that its notice go with every copy."""
    write_report(a_run(), tmp_path / "report.html")

    page = (tmp_path / "report.html").read_text()

    assert "Copyright (c) 2022 Leon Sorokin" in page
