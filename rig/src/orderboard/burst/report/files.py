"""The files of a burst: summary.json, timeline.csv and JUnit XML. `html` draws the report."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from orderboard.burst.model import BurstVerdict, Summary, TimelineRow

SUMMARY_FILE: Final = "summary.json"
TIMELINE_FILE: Final = "timeline.csv"
REPORT_FILE: Final = "report.html"
# The files of --export by their format; `export` writes them.
EXPORT_FILES: Final = {
    "ndjson": "orders.ndjson",
    "csv": "orders.csv",
    "hdr": "latency.hlog",
    "openmetrics": "metrics.txt",
    "markdown": "summary.md",
}
_SUITE: Final = "orderboard burst"


@dataclass(frozen=True)
class BurstFiles:
    """The contents of summary.json and timeline.csv."""

    summary: Summary
    timeline: Sequence[TimelineRow]

    def write(self, directory: Path) -> None:
        """Write both."""
        with (directory / TIMELINE_FILE).open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(TimelineRow.model_fields), lineterminator="\n")
            writer.writeheader()
            writer.writerows(row.model_dump() for row in self.timeline)
        (directory / SUMMARY_FILE).write_text(self.summary.model_dump_json(indent=2) + "\n")


def read_timeline(path: Path) -> tuple[TimelineRow, ...]:
    """Read timeline.csv; raise OSError or ValueError. Columns of a later version are ignored."""
    with path.open(newline="") as file:
        rows = [{name: text or None for name, text in row.items()} for row in csv.DictReader(file)]
    return tuple(TimelineRow.model_validate(row, extra="ignore") for row in rows)


def write_junit(summaries: Sequence[Summary], path: Path) -> None:
    """Write a test suite for each run, with a test case for each part of the verdict and for each threshold."""
    suites = [_suite(summary) for summary in summaries]
    root = suites[0]
    if len(suites) > 1:
        root = ET.Element("testsuites", name=_SUITE)
        root.extend(suites)
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _suite(summary: Summary) -> ET.Element:
    cases = _cases(summary)
    suite = ET.Element(
        "testsuite",
        name=_SUITE,
        tests=str(len(cases)),
        failures=str(sum(failure is not None for failure in cases.values())),
        errors="0",
        time=f"{summary.load_s + summary.drain_s:.3f}",
        timestamp=summary.started_at.isoformat(timespec="seconds"),
    )
    for name, failure in cases.items():
        case = ET.SubElement(suite, "testcase", classname=_SUITE, name=name, time="0")
        if failure is not None:
            ET.SubElement(case, "failure", message=failure.splitlines()[0]).text = failure
    return suite


def _cases(summary: Summary) -> dict[str, str | None]:
    verdict = summary.verdict
    if verdict.basis == "answers":
        return _answer_cases(summary)
    cases: dict[str, str | None] = {
        "drained": None if verdict.drained else summary.broken_off or "the drain did not finish"
    }
    for name, count in (("lost", verdict.lost), ("duplicated", verdict.duplicated), ("unexpected", verdict.unexpected)):
        texts = [finding.text for finding in verdict.findings if finding.verdict == name]
        cases[f"{name} == 0"] = "\n".join([f"{count} {name}", *texts]) if count else None
    return cases | _refusal_case(verdict) | _generator_case(summary) | _threshold_cases(summary)


def _answer_cases(summary: Summary) -> dict[str, str | None]:
    verdict = summary.verdict
    count, texts = verdict.unavailable, [finding.text for finding in verdict.findings]
    return {
        "answered": f"{count} orders without an answer" if count or not verdict.attempted else None,
        "unexpected answers == 0": "\n".join(texts) or None,
        **_refusal_case(verdict),
        **_generator_case(summary),
        **_threshold_cases(summary),
    }


def _refusal_case(verdict: BurstVerdict) -> dict[str, str | None]:
    reasons = [f"{each.orders} x {each.reason}" for each in verdict.refusals if not each.meant]
    count = verdict.refused_unmeant
    return {"refused == 0, unless meant": "\n".join([f"{count} refused", *reasons]) if count else None}


def _generator_case(summary: Summary) -> dict[str, str | None]:
    """Return the case of generators that ended early, if any did."""
    ended = [f"generator {each.number}: {each.ended}" for each in summary.generator.ended]
    return {"every generator ran to its end": "\n".join(ended)} if ended else {}


def _threshold_cases(summary: Summary) -> dict[str, str | None]:
    return {
        each.text: None if each.met else f"expected {each.text}, measured {each.in_words}"
        for each in summary.expectations
    }
