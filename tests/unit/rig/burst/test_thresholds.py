"""--expect, its exit code, and the JUnit file."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree as ET

import pytest
from orderboard.burst.faults.schedule import Fault, parse_stop
from orderboard.burst.judge.limits import Limits
from orderboard.burst.judge.metrics import METRICS, metric
from orderboard.burst.judge.phases import Windows, phase_of
from orderboard.burst.judge.threshold_text import parse_threshold
from orderboard.burst.judge.thresholds import Seen
from orderboard.burst.measure.orders import OrderRecord
from orderboard.burst.measure.percentiles import latency
from orderboard.burst.model import Expectation, FaultWindow, Finding, StepLatency, Steps
from orderboard.burst.options import BurstOptions
from orderboard.burst.report.files import write_junit
from orderboard.cli.load.burst import exit_code
from unit.rig.burst.summaries import SUMMARY


def order(
    number: int, *, kind: str = "normal", stream: str = "", accept_ms: float | None = 10, end_to_end_ms: float = 100
) -> OrderRecord:
    """An order that was meant to be sent at this second, and refused without an accept_ms."""
    return OrderRecord(
        stream=stream,
        kind=kind,
        key=str(number),
        answer="refused" if accept_ms is None else "acknowledged",
        intended_s=number,
        sent_s=number,
        answered_s=number + (accept_ms or 0) / 1000,
        finished_s=None if accept_ms is None else number + end_to_end_ms / 1000,
        order_ids=(),
        refusals=(),
    )


# 200 orders, a second apart: every fourth is express and slower, and those in a fault slower still; one was refused.
ORDERS = (
    *(order(number, kind="express" if number % 4 == 0 else "normal", accept_ms=number) for number in range(1, 200)),
    order(200, stream="web", accept_ms=None),
)
WINDOWS = (FaultWindow(fault="kill-api", from_s=50, to_s=60), FaultWindow(fault="throttle", from_s=80, to_s=90))


@pytest.mark.parametrize(
    ("text", "measured", "met"),
    [
        ("drain_s<30", 0.5, True),
        ("drain_s<0.5", 0.5, False),
        ("drain<=500ms", 0.5, True),
        ("settled<1m", float("inf"), False),
        ("lost==0", 0, True),
        (" acknowledged >= 10 ", 9, False),
        ("refused!=1", 1, False),
        ("refused<10%", 10, False),
        ("refused<=10%", 10, True),
        ("completed>=90%", 90, True),
        ("generator_late<1%", 0, True),
        ("peak_backlog>2", 3, True),
        ("accept_p99_ms<50", 198, False),
        ("accept_p99<200ms", 198, True),
        ("accept_p99.9<1s", 199, True),
        ("accept_p999<1s", 199, True),
        ("accept_p1==2ms", 2, True),
        ("accept_max<199ms", 199, False),
        ("accept_mean==100ms", 100, True),
        ("end_to_end_p50<0.1s", 100, False),
        ("accept_p50{kind=express}==100ms", 100, True),
        ("accept_max{phase=before}<50ms", 49, True),
        ("accept_max{phase=during}<90ms", 89, True),
        ("accept_p0{phase=after}>=60ms", 60, True),
        ("accept_max{kind=express, phase=during}==88ms", 88, True),
        ("refused{stream=web}==100%", 100, True),
        ("refused{stream=web}==1", 1, True),
        ("finished>99%", 99.5, True),
        ("unavailable{kind=express}==0", 0, True),
        ("accept_p99{stream=batch}<1s", float("inf"), False),
        ("refused{stream=batch}==0", 0, False),
    ],
)
def test_a_threshold_is_compared_with_the_measurement(text: str, measured: float, met: bool) -> None:
    """Of all orders or of some, with any percentile; one that finds no order is not met."""
    expectation = parse_threshold(text).check(Seen(lambda: ORDERS, WINDOWS, SUMMARY))

    assert expectation.measured == pytest.approx(measured)
    assert expectation.met is met
    assert expectation.text.replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "measured", "met", "orders"),
    [
        ("step_waiting_p99<9ms", 8, True, 7),
        ("step_waiting_p99_ms<8", 8, False, 7),
        ("step_waiting_mean<=0.004s", 4, True, 7),
        ("step_alert_max<1s", 80, True, 3),
        ("step_queue_p50<1s", float("inf"), False, 0),
    ],
)
def test_a_threshold_may_be_of_a_step(text: str, measured: float, met: bool, orders: int) -> None:
    """Of the orders that were followed; a step that the backend does not show is not met."""
    step = StepLatency(name="waiting", text="", count=7, mean_ms=4, p50_ms=4, p90_ms=4, p99_ms=8, max_ms=8)
    alert = step.model_copy(update={"name": "alert", "count": 3, "max_ms": 80})
    steps = Steps(source="journal", text="", sampled=7, measured=7, steps=(step,), splits=(), alert=alert)

    found = parse_threshold(text).check(Seen(summary=SUMMARY.model_copy(update={"steps": steps})))

    assert (found.measured, found.met, found.unit, found.orders) == (measured, met, "ms", orders)
    assert not parse_threshold(text).in_progress


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("step_waiting_p95<5ms", "with a step of accept, sns_to_queue, queue, waiting, working, outcome, alert and a"),
        ("step_waiting_p99<5", "expected a unit after <, such as step_waiting_p99<50ms"),
        ("step_waiting_p99{kind=own}<5ms", "step_waiting_p99 is of the whole burst"),
        ("accept_p99<50", "expected a unit after <, such as accept_p99<50ms"),
        ("drain<5", "expected a unit after <"),
        ("accept_p99<fast", "expected a number after <, or a duration such as 50ms or 2s"),
        ("drain<5%", "expected a unit after <"),
        ("refused<much", "expected a number or a share such as 1% after <"),
        ("refused<101%", "expected a share from 0% to 100% after <, not 101%"),
        ("peak_backlog<5%", "expected a number after <"),
        ("accept_p100.0<5ms", "expected a percentile below 100"),
        ("accept_p100<5ms", "expected a percentile below 100"),
        ("accept_p123<5ms", "expected a percentile below 100"),
        ("accept_p99{kind=decaf}<5ms", "unknown kind 'decaf'; expected one of normal, express"),
        ("accept_p99{phase=later}<5ms", "unknown phase 'later'; expected one of before, during, after"),
        ("accept_p99{colour=red}<5ms", "expected kind=NAME, stream=NAME or phase=NAME within the braces"),
        ("accept_p99{kind=own,kind=own}<5ms", "kind is given twice"),
        ("drain{kind=own}<5s", "drain is of the whole burst: leave out {kind=own}"),
    ],
)
def test_a_threshold_that_is_not_valid_is_explained(text: str, said: str) -> None:
    """With what is expected."""
    with pytest.raises(ValueError, match=re.escape(said)):
        parse_threshold(text)


def test_limits_stop_a_load_once_twenty_orders_have_missed_them() -> None:
    """From five seconds on, once a second; not for the first slow orders."""
    limits = Limits((parse_threshold("accept_p50<20ms"), parse_threshold("refused<50%")))

    assert limits.missed(4.9, lambda: Seen(lambda: ORDERS)) == ()
    assert limits.missed(5.0, lambda: Seen(lambda: ORDERS[100:110])) == ()
    assert limits.missed(5.5, lambda: Seen(lambda: ORDERS)) == ()
    (missed,) = limits.missed(6.1, lambda: Seen(lambda: ORDERS))
    assert (missed.text, missed.measured, missed.met) == ("accept_p50<20ms", 100, False)


def test_phases_are_those_of_the_faults() -> None:
    """A fault lasts until its end, one that strikes for ten seconds; another number of workers is none."""
    windows = Windows()
    for fault in (*parse_stop("4s@10s"), Fault(20, "kill-worker"), Fault(25, "scale", 2)):
        windows.applied(fault, fault.at_s)
    windows.applied(Fault(40, "faults", settings="throttle=1"), 40)

    found = windows.until(60)

    assert [(each.fault, each.from_s, each.to_s) for each in found] == [
        ("stop-worker", 10, 14),
        ("kill-worker", 20, 30),
        ("throttle", 40, 60),
    ]
    assert [phase_of(at_s, found) for at_s in (9, 10, 14, 29, 35, 41)] == [
        *("before", "during", "after", "during", "after", "during"),
    ]
    windows.applied(Fault(50, "faults", settings="none"), 50)
    assert windows.until(60)[-1].to_s == 50


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_can_be_read_and_is_in_the_help(name: str) -> None:
    """Help shows every name, or how it is made."""
    annotation = next(each.type for each in fields(BurstOptions) if each.name == "expect")
    help_text = next(each.help for each in get_args(annotation) if hasattr(each, "help"))
    found = latency([1.0])
    summary = SUMMARY.model_copy(update={"accept": found, "end_to_end": found, "settled_s": 1.0})

    assert 0 <= metric(summary, name) < float("inf")
    parse_threshold(f"{name}>=0")
    latencies = ("accept_", "end_to_end_")
    assert name.startswith(latencies) or name in help_text or name.removesuffix("_s") in help_text


@pytest.mark.parametrize(
    ("verdict", "stopped", "met", "code"),
    [
        ({}, False, True, 0),
        ({}, False, False, 99),
        ({"valid": False, "lost": 1}, False, True, 1),
        ({"valid": False, "refused_unmeant": 1}, True, False, 1),
        ({"valid": False, "generators_ended": 1}, True, False, 1),
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
    expectations = tuple(parse_threshold(text).check(Seen(summary=SUMMARY)) for text in ("drain_s<30", "drain_s<0.1"))
    path = tmp_path / "deep" / "burst.xml"

    write_junit([SUMMARY.model_copy(update={"verdict": verdict, "expectations": expectations})], path)

    suite = ET.parse(path).getroot()  # noqa: S314 - our own file
    failed = {case.get("name"): case.findtext("failure") for case in suite if case.find("failure") is not None}
    assert (suite.get("tests"), suite.get("failures")) == ("7", "2")
    assert failed == {
        "lost == 0": "1 lost\n<a> & b was answered 202 and is lost",
        "drain_s<0.1": "expected drain_s<0.1, measured 0.5 s",
    }


def test_junit_has_a_suite_for_each_repetition(tmp_path: Path) -> None:
    """One burst is one suite; several are suites of a common root."""
    write_junit([SUMMARY, SUMMARY], tmp_path / "burst.xml")

    root = ET.parse(tmp_path / "burst.xml").getroot()  # noqa: S314 - our own file
    assert root.tag == "testsuites"
    assert [(each.tag, each.get("failures")) for each in root] == [("testsuite", "0")] * 2
