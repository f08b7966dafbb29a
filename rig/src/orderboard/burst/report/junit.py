"""The verdict and the thresholds as JUnit XML, which CI systems show as tests."""

from pathlib import Path
from xml.etree import ElementTree as ET

from orderboard.burst.model import Summary

_SUITE = "orderboard burst"


def write_junit(summary: Summary, path: Path) -> None:
    """Write one test case for each part of the verdict and for each threshold."""
    cases = [*_verdict_cases(summary), *_threshold_cases(summary)]
    failures = sum(failure is not None for _, failure in cases)
    suite = ET.Element(
        "testsuite",
        name=_SUITE,
        tests=str(len(cases)),
        failures=str(failures),
        errors="0",
        time=f"{summary.load_s + summary.drain_s:.3f}",
        timestamp=summary.started_at.isoformat(timespec="seconds"),
    )
    for name, failure in cases:
        case = ET.SubElement(suite, "testcase", classname=_SUITE, name=name, time="0")
        if failure is not None:
            ET.SubElement(case, "failure", message=failure.splitlines()[0]).text = failure
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def _verdict_cases(summary: Summary) -> list[tuple[str, str | None]]:
    verdict = summary.verdict
    cases: list[tuple[str, str | None]] = [
        ("drained", None if verdict.drained else summary.broken_off or "the drain did not come to its end"),
    ]
    for name, count in (("lost", verdict.lost), ("duplicated", verdict.duplicated), ("unexpected", verdict.unexpected)):
        texts = [finding.text for finding in verdict.findings if finding.verdict == name]
        cases.append((f"{name} == 0", "\n".join([f"{count} {name}", *texts]) if count else None))
    return cases


def _threshold_cases(summary: Summary) -> list[tuple[str, str | None]]:
    return [
        (expected.text, None if expected.met else f"expected {expected.text}, measured {expected.measured:g}")
        for expected in summary.expectations
    ]
