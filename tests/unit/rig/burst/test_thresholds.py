"""--expect, its exit code, and the JUnit file."""

from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree as ET

import pytest
from orderboard.burst.judge.thresholds import METRICS, metric, parse_threshold
from orderboard.burst.measure.percentiles import latency
from orderboard.burst.model import Expectation, Finding
from orderboard.burst.options import BurstOptions
from orderboard.burst.report.files import write_junit
from orderboard.cli.burst import exit_code
from unit.rig.burst.summaries import SUMMARY


@pytest.mark.parametrize(
    ("text", "measured", "met"),
    [
        ("drain_s<30", 0.5, True),
        ("drain_s<0.5", 0.5, False),
        ("drain_s<=0.5", 0.5, True),
        ("lost==0", 0, True),
        (" acknowledged >= 10 ", 9, False),
        ("refused!=1", 1, False),
        ("peak_backlog>2", 3, True),
        ("accept_p99_ms<50", 49.5, True),
        ("end_to_end_p50_ms<1e9", float("inf"), False),
    ],
)
def test_a_threshold_is_compared_with_the_measurement(text: str, measured: float, met: bool) -> None:
    """With all six comparisons; where nothing finished, the latency is infinite."""
    summary = SUMMARY.model_copy(update={"accept": latency([10.0, 49.5])})

    expectation = parse_threshold(text).check(summary)

    assert (expectation.measured, expectation.met) == (measured, met)


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_can_be_read_and_is_in_the_help(name: str) -> None:
    """Help shows every name."""
    annotation = BurstOptions.__annotations__["expect"]
    help_text = next(each.help for each in get_args(annotation) if hasattr(each, "help"))
    summary = SUMMARY.model_copy(update={"accept": latency([1.0]), "end_to_end": latency([1.0])})

    assert 0 <= metric(summary, name) < float("inf")
    for prefix in ("accept_", "end_to_end_"):
        if name.startswith(prefix) and name.endswith("_ms"):
            name = name.removeprefix(prefix)
    assert name in help_text


@pytest.mark.parametrize(
    ("verdict", "stopped", "met", "code"),
    [
        ({}, False, True, 0),
        ({}, False, False, 99),
        ({"valid": False, "lost": 1}, False, True, 1),
        ({"valid": False, "refused_unmeant": 1}, True, False, 1),
        ({"valid": False, "drained": False}, False, True, 1),
        ({"valid": False, "drained": False}, True, True, 130),
        ({}, True, False, 130),
    ],
)
def test_the_exit_code_tells_all(verdict: dict[str, Any], stopped: bool, met: bool, code: int) -> None:
    """Orders that went wrong outweigh Ctrl-C, which outweighs a missed threshold."""
    changes = {
        "verdict": SUMMARY.verdict.model_copy(update=verdict),
        "stopped": stopped,
        "expectations": (Expectation(text="", measured=0, met=met),),
    }

    assert exit_code(SUMMARY.model_copy(update=changes)) == code


def test_junit_has_a_case_for_each_part_of_the_verdict_and_each_threshold(tmp_path: Path) -> None:
    """A failure gives its reason, whatever characters it has."""
    finding = Finding(verdict="lost", type="Lost", text="<a> & b was answered 202 and is lost")
    verdict = SUMMARY.verdict.model_copy(update={"valid": False, "lost": 1, "findings": (finding,)})
    expectations = tuple(parse_threshold(text).check(SUMMARY) for text in ("drain_s<30", "drain_s<0.1"))
    path = tmp_path / "deep" / "burst.xml"

    write_junit([SUMMARY.model_copy(update={"verdict": verdict, "expectations": expectations})], path)

    suite = ET.parse(path).getroot()  # noqa: S314 - our own file
    failed = {case.get("name"): case.findtext("failure") for case in suite if case.find("failure") is not None}
    assert (suite.get("tests"), suite.get("failures")) == ("7", "2")
    assert failed == {
        "lost == 0": "1 lost\n<a> & b was answered 202 and is lost",
        "drain_s<0.1": "expected drain_s<0.1, measured 0.5",
    }


def test_junit_has_a_suite_for_each_repetition(tmp_path: Path) -> None:
    """One burst is one suite; several are suites of a common root."""
    write_junit([SUMMARY, SUMMARY], tmp_path / "burst.xml")

    root = ET.parse(tmp_path / "burst.xml").getroot()  # noqa: S314 - our own file
    assert root.tag == "testsuites"
    assert [(each.tag, each.get("failures")) for each in root] == [("testsuite", "0")] * 2
