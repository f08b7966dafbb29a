"""Comparisons of runs: ratios with their intervals, what is not comparable, conditions and pages."""

import json
import math
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from orderboard.burst.measure.percentiles import latency
from orderboard.burst.model import GroupLatency, Percentiles, StepLatency, Steps
from orderboard.burst.report.files import BurstFiles
from orderboard.burst.runs.comparison import Comparison, compare, figure
from orderboard.burst.runs.conditions import parse_condition
from orderboard.burst.runs.folders import runs_folder
from orderboard.burst.runs.kept import Group, keep_run, read_run
from orderboard.burst.runs.pages import write_index
from orderboard.burst.runs.ratio import center, ratio, t_quantile
from orderboard.cli.app import app
from orderboard.system.workspace import STATE_DIR_VARIABLE
from typer.testing import CliRunner
from unit.rig.burst.page_elements import HOSTILE, Elements
from unit.rig.burst.summaries import ROW, SUMMARY

ELEMENTS = {"html", "head", "meta", "title", "style", "body", "noscript", "p", "main", "script"}


@pytest.fixture(autouse=True)
def _state_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder for bursts."""
    monkeypatch.setenv(STATE_DIR_VARIABLE, str(tmp_path / "state"))


def runs(tag: str, drains_s: Sequence[float], **changes: Any) -> Group:
    """A group of kept runs with these drains."""
    kept = []
    for number, drain_s in enumerate(drains_s):
        folder = runs_folder() / f"{tag}-{number}"
        folder.mkdir(parents=True)
        update = {"drain_s": drain_s, "tags": (tag,), "started_at": SUMMARY.started_at + timedelta(number)}
        keep_run(BurstFiles(SUMMARY.model_copy(update={**update, **changes}), (ROW,)), folder)
        kept.append(read_run(folder))
    return Group(tag, kept)


def settings(**changes: Any) -> dict[str, Any]:
    """A change of the plan."""
    return {"settings": SUMMARY.settings.model_copy(update=changes)}


def command(*words: str) -> tuple[int, str, str]:
    """The exit code, output and errors of `compare`."""
    done = CliRunner().invoke(app, ["compare", *words])
    return done.exit_code, done.stdout, done.stderr


# https://www.itl.nist.gov/div898/handbook/eda/section3/eda3672.htm, column 0.975.
@pytest.mark.parametrize(
    ("freedom", "expected"), [(1, 12.706), (2, 4.303), (4, 2.776), (10, 2.228), (30, 2.042), (100, 1.984), (1e6, 1.96)]
)
def test_quantiles_of_students_distribution(freedom: float, expected: float) -> None:
    """As the table of the NIST has them."""
    assert t_quantile(freedom) == pytest.approx(expected, abs=0.0006)


def test_the_ratio_of_two_groups_has_welchs_interval() -> None:
    """By hand: logarithms 0, 1, 2 and 2, 4, 6 have variances 1 and 4, so the difference is 3 ± t x sqrt(5 / 3)."""
    before, after = [math.exp(x) for x in (0, 1, 2)], [math.exp(x) for x in (2, 4, 6)]

    found = ratio(before, after)

    freedom = (5 / 3) ** 2 / ((1 / 3) ** 2 / 2 + (4 / 3) ** 2 / 2)
    half = t_quantile(freedom) * math.sqrt(5 / 3)
    assert found.low is not None
    assert found.high is not None
    assert [math.log(each) for each in (found.value, found.low, found.high)] == pytest.approx([3, 3 - half, 3 + half])
    assert not found.differs
    assert ratio([1, 1.01, 1.02], [2, 2.01, 2.02]).differs


def test_a_single_run_has_no_interval_and_zeros_have_no_logarithm() -> None:
    """Two zeros are equal, more than zero is infinitely more, a latency without a value is infinite."""
    assert ratio([2], [3, 3]).low is None
    assert ratio([2], [3]).value == pytest.approx(1.5)
    assert [ratio([0, 0], after).value for after in ([0, 0], [0, 1])] == [1, math.inf]
    assert [ratio([4], [math.inf]).value, ratio([math.inf], [4]).value] == [math.inf, 0]
    assert ratio([5, 5], [5, 5]).low == 1
    assert center([0, 4]) == 2


def test_a_single_runs_percentile_has_the_interval_within_the_run() -> None:
    """Of the values 1 to 1000, the ranks 470 and 532 enclose the median at 95 %: 500 ± 1.96 x sqrt(250), outwards."""
    one = runs("one", [1], accept=latency(range(1, 1001)))

    found = figure("accept_p50_ms", one, runs("two", [1, 2], accept=latency([1.0])))

    assert found.before_within is not None
    assert (found.before_within.low_ms, found.before_within.high_ms) == (469, 532)
    assert found.after_within is None
    assert found.low is None


def test_runs_of_the_same_plan_on_the_same_machine_are_comparable() -> None:
    """Whatever their command lines; another version is likely what is measured."""
    newer = SUMMARY.machine.model_copy(update={"versions": {"orderboard": "2"}})

    found = compare(runs("a", [1, 2]), runs("b", [1, 2], machine=newer, **settings(command="another")))

    assert found.comparable
    assert [(each.kind, each.text) for each in found.differences] == [("version", "orderboard: none, then 2")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (settings(backend="localstack"), "backend: embedded, then localstack"),
        (settings(workers=4), "workers: 1, then 4"),
        (settings(faults=("1 s: x",)), "faults: none, then 1 s: x"),
        ({"machine": SUMMARY.machine.model_copy(update={"cpus": 64})}, "cpus: 2, then 64"),
    ],
)
def test_other_plans_and_machines_are_not_comparable(changes: dict[str, Any], said: str) -> None:
    """The comparison says so, with both values."""
    found = compare(runs("a", [1]), runs("b", [1], **changes))

    assert not found.comparable
    assert [each.text for each in found.differences] == [said]


def test_clients_that_sent_more_orders_have_the_same_plan() -> None:
    """Their number follows from the answers; that of an open load is the plan."""
    before, after = settings(closed=True, orders=10, rate=1.0), settings(closed=True, orders=90, rate=9.0)

    assert compare(runs("a", [1], **before), runs("b", [1], **after)).comparable
    assert not compare(runs("c", [1]), runs("d", [1], **settings(orders=90))).comparable


def test_runs_in_doubt_are_named() -> None:
    """One that is not valid, one whose generator was late."""
    late = SUMMARY.generator.model_copy(update={"late": 5})
    wrong = SUMMARY.verdict.model_copy(update={"valid": False})

    found = compare(runs("a", [1], generator=late), runs("b", [1], verdict=wrong))

    assert [each.text for each in found.differences] == [
        "a-0: the generator sent 50% of its orders late",
        "b-0 is not valid",
    ]


def test_a_condition_is_certain_if_the_whole_interval_is_past_its_factor() -> None:
    """Between the ends of the interval, the ratio decides."""
    found = figure("drain_s", runs("a", [1, 1.1, 1.2]), runs("b", [2, 2.2, 2.4]))

    assert found.low is not None
    assert 1.4 < found.low < 2 < (found.high or 0)
    for text, holds, certain in (
        ("drain_s>1.4x", True, True),
        ("drain_s>1.9x", True, False),
        ("drain_s<1.9x", False, False),
    ):
        condition = parse_condition(text)
        assert (condition.holds(found, certain=False), condition.holds(found, certain=True)) == (holds, certain)
        assert condition.is_close(found) == (condition.factor == 1.9)
    assert str(parse_condition(" accept_p99 >= 1.10x ")) == "accept_p99_ms>=1.1x"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accept_p99>1.1", "expected a metric, <, <=, > or >=, and a factor, such as 'accept_p99>1.1x'"),
        ("speed>1x", "unknown metric 'speed'; expected one of accept_mean_ms"),
        ("lost>manyx", "expected a factor after >, such as 1.1x"),
        ("accept_p99{kind=odd}>1x", "unknown kind 'odd'; expected one of normal, express"),
        ("accept_p99{phase=after}>1x", "expected accept or end_to_end with mean, p50, p90, p99 or max, and one kind="),
        ("accept_p95{kind=express}>1x", "expected accept or end_to_end with mean, p50, p90, p99 or max, and one kind="),
        ("drain{stream=web}>1x", "expected accept or end_to_end with mean, p50, p90, p99 or max, and one kind="),
        ("accept_p99{kind=express,stream=web}>1x", "expected accept or end_to_end with mean, p50, p90, p99 or max"),
    ],
)
def test_a_wrong_condition_is_a_usage_error(text: str, said: str) -> None:
    """With the expected form."""
    code, _, error = command("a", "b", "--fail-if", text)

    assert code == 2
    assert f"--fail-if {text}: {said}" in error


def test_the_exit_code_is_that_of_a_gate() -> None:
    """0 without a condition that holds, 99 with one, 1 for a run that is not valid, 2 for shared runs."""
    wrong = SUMMARY.verdict.model_copy(update={"valid": False})
    runs("before", [1, 1.1, 1.2])
    runs("after", [2, 2.2, 2.4])
    runs("broken", [2], verdict=wrong)

    assert [
        command("before", "after", *words)[0]
        for words in ([], ["--fail-if", "drain_s>3x"], ["--fail-if", "drain_s>1.1x", "--certain"])
    ] == [0, 0, 99]
    assert command("before", "broken", "--fail-if", "drain_s>1.1x")[0] == 1
    code, _, error = command("before", "before-1")
    assert (code, "before and before-1 share before-1: name different runs" in error) == (2, True)
    code, _, error = command("before", "after-0", "--fail-if", "drain_s>1x", "--certain")
    assert (code, "--certain: drain_s has no interval. No interval can be given" in error) == (2, True)


def test_the_terminal_says_how_the_intervals_were_found() -> None:
    """And which conditions hold, and how close."""
    runs("before", [1, 1.1, 1.2])
    runs("after", [2, 2.2, 2.4], **settings(workers=4))

    shown = " ".join(command("before", "after", "--fail-if", "drain_s>1.9x")[1].split())

    assert "A: before, 3 runs B: after, 3 runs" in shown
    assert "drain_s 1.1 2.19 2.00x" in shown
    assert "95 % intervals: Welch's t on the logarithms" in shown
    assert "Not comparable as they are, another plan: workers: 1, then 4" in shown
    assert "drain_s>1.9x: 2.00x, but the interval has values on both sides" in shown


def test_the_document_has_every_run_and_each_condition() -> None:
    """As JSON without infinite numbers."""
    runs("before", [0, 0])
    runs("after", [2, 2.2])

    code, text, _ = command("before", "after", "--json", "--fail-if", "drain_s>1.9x")

    document = json.loads(text, parse_constant=pytest.fail)
    [drain] = [each for each in document["figures"] if each["name"] == "drain_s"]
    assert (code, drain["before"], drain["after"], drain["ratio"]) == (99, [0, 0], [2, 2.2], None)
    assert document.pop("conditions") == [{"text": "drain_s>1.9x", "holds": True}]
    assert Comparison.model_validate(document).after.runs == ("after-0", "after-1")


def test_the_pages_hold_the_runs_and_no_markup_of_a_text(tmp_path: Path) -> None:
    """Like the report: a note, a tag's name or a command makes no element, and nothing is loaded."""
    runs("before", [1, 3], note=HOSTILE, accept=latency([1, 2, 3]), **settings(command=HOSTILE))
    runs("after", [2], **settings(workers=4))
    page = tmp_path / "page.html"

    assert command("before", "after", "--html", str(page))[0] == 0
    compared = Elements(page.read_text())
    index = Elements(write_index(runs_folder()).read_text())

    document = json.loads(compared.scripts[0])
    assert document["sides"][0]["command"] == HOSTILE
    assert document["sides"][0]["timeline"]["accepted"] == [1]
    assert document["sides"][0]["curves"]["accept"][-1] == [100, 3]
    assert document["comparison"]["before"]["name"] == "before"
    listed = json.loads(index.scripts[0])["runs"]
    assert [(each["name"], each["plan"]) for each in listed] == [("after-0", 0), ("before-0", 1), ("before-1", 1)]
    assert listed[0]["report"] == "after-0/report.html"
    for each in (compared, index):
        assert {name for name, _ in each.elements} == ELEMENTS


def test_the_index_follows_its_runs() -> None:
    """After a tag, a note and a removal."""
    runs("before", [1, 3])
    index = write_index(runs_folder())
    run = CliRunner().invoke

    assert run(app, ["bursts", "tag", "before-0", "slow"]).exit_code == 0
    assert '"tags":["before","slow"]' in index.read_text()
    assert run(app, ["bursts", "remove", "before-0", "--yes"]).exit_code == 0
    assert "before-0" not in index.read_text()
    assert run(app, ["bursts", "index"]).stdout.strip() == str(index)


def test_steps_are_compared_where_every_run_has_them() -> None:
    """A run of an earlier version has none, and one without a journal has no time in the queue."""
    step = StepLatency(name="waiting", text="", count=1, mean_ms=4, p50_ms=4, p90_ms=4, p99_ms=8, max_ms=8)
    steps = Steps(source="journal", text="", sampled=1, measured=1, steps=(step,), splits=())
    slower = steps.model_copy(update={"steps": (step.model_copy(update={"p99_ms": 16.0}),)})
    before, after, without = runs("a", [1], steps=steps), runs("b", [1], steps=slower), runs("c", [1])

    found = [each for each in compare(before, after).figures if each.name.startswith("step_")]

    assert [(each.name, each.ratio) for each in found] == [("step_waiting_p50_ms", 1.0), ("step_waiting_p99_ms", 2.0)]
    assert not [each for each in compare(before, without).figures if each.name.startswith("step_")]


def test_a_kind_or_a_stream_can_fail_a_comparison() -> None:
    """By the figures of that group alone; a run without such orders is named, as its ratio would prove nothing."""

    def groups(p99_ms: float) -> tuple[GroupLatency, ...]:
        of = Percentiles(count=1, mean_ms=1, p50_ms=1, p90_ms=1, p99_ms=p99_ms, max_ms=20)
        names: tuple[tuple[Literal["stream", "kind"], str], ...] = (("stream", "express"), ("kind", "express"))
        return tuple(
            GroupLatency(by=by, name=name, orders=1, accept=of if by == "kind" else None, end_to_end=of)
            for by, name in names
        )

    runs("a", [1], groups=groups(4))
    runs("b", [1], groups=groups(8))
    runs("c", [1])

    assert command("a", "b", "--fail-if", "accept_p99{kind=express}>1.9x")[0] == 99
    assert command("a", "b", "--fail-if", "accept_p99{kind=express}>2x")[0] == 0
    assert command("a", "b", "--fail-if", "end_to_end_p99_ms{ stream = express }>1.9x")[0] == 99
    assert command("a", "b", "--fail-if", "accept_max{kind=express}>1x")[0] == 0
    code, _, errors = command("a", "c", "--fail-if", "accept_p99{kind=express}>1x")
    assert code == 2
    assert "c-0 has no accept_p99_ms{kind=express}, so it cannot be compared" in errors
    assert str(parse_condition("accept_p99{kind=express}>1.10x")) == "accept_p99_ms{kind=express}>1.1x"


def test_a_step_can_fail_a_comparison() -> None:
    """With or without its unit; a run that does not have the step is named, as its ratio would prove nothing."""
    step = StepLatency(name="waiting", text="", count=1, mean_ms=4, p50_ms=4, p90_ms=4, p99_ms=8, max_ms=8)
    steps = Steps(source="journal", text="", sampled=1, measured=1, steps=(step,), splits=())
    slower = steps.model_copy(update={"steps": (step.model_copy(update={"p99_ms": 16.0}),)})
    runs("a", [1], steps=steps)
    runs("b", [1], steps=slower)
    runs("c", [1])

    assert command("a", "b", "--fail-if", "step_waiting_p99>1.9x")[0] == 99
    assert command("a", "b", "--fail-if", "step_waiting_p99_ms>2x")[0] == 0
    code, _, errors = command("a", "c", "--fail-if", "step_waiting_p99>1x")
    assert code == 2
    assert "c-0 has no step_waiting_p99_ms, so it cannot be compared" in errors
    with pytest.raises(ValueError, match="expected step_STEP_FIGURE, with a step of accept, sns_to_queue"):
        parse_condition("step_waiting_p95>1x")


@pytest.mark.parametrize(("text", "metric"), [("drain>1x", "drain_s"), ("accept_p99.9>1x", "accept_p999_ms")])
def test_a_condition_takes_the_names_of_thresholds(text: str, metric: str) -> None:
    """As --expect does."""
    assert parse_condition(text).metric == metric
