"""--find-limit, on a system that breaks above a known rate; each burst is a made-up summary."""

from pathlib import Path
from typing import Any

import pytest
from orderboard.burst.measure.percentiles import latency
from orderboard.burst.measured_system import Where
from orderboard.burst.model import Bottleneck, Expectation, Summary
from orderboard.burst.options import BurstOptions
from orderboard.burst.report.limit import show_limit
from orderboard.burst.runs.find_limit import FoundLimit, LimitRun, find_limit, why_it_broke
from orderboard.cli.app import app
from orderboard.errors import UsageError
from rich.console import Console
from typer.testing import CliRunner
from unit.rig.burst.summaries import SUMMARY

THRESHOLD = "accept_p99<100ms"
BOUND = Bottleneck(by="backend", text="It was busy.", worked_off_per_s=1, ceiling_per_s=None, share=None)


class System:
    """A system whose accept p99 is its rate in milliseconds; it stops the run of this number, if any."""

    def __init__(self, rate: float = 20, stop_at: int = 0) -> None:
        self.asked: list[BurstOptions] = []
        self._rate = rate  # at the scale 1
        self._stop_at = stop_at

    def run(self, options: BurstOptions) -> tuple[Summary, Path]:
        """One burst."""
        self.asked.append(options)
        ms = self._rate * (options.scale or 0)
        changes: dict[str, Any] = {
            "accept": latency([ms]),
            "expectations": (Expectation(text=THRESHOLD, measured=ms, met=ms < 100, unit="ms"),),
            "bound": BOUND,
            "stopped": len(self.asked) == self._stop_at,
        }
        return SUMMARY.model_copy(update=changes), Path(f"run-{len(self.asked)}")


def found_limit(system: System, **options: Any) -> FoundLimit:
    """The result of a search."""
    return find_limit(BurstOptions(**{"find_limit": [THRESHOLD], **options}), Where(), system.run, lambda _: None)


def test_the_highest_rate_that_meets_the_threshold_is_found() -> None:
    """Within a tenth, held three times, with the bottleneck of the lowest rate that broke; all runs have one tag."""
    system, reported = System(), list[LimitRun]()

    found = find_limit(
        BurstOptions(find_limit=[THRESHOLD], rate=20.0, tag=["a", "b"]), Where(), system.run, reported.append
    )

    assert found.holds_per_s is not None
    assert found.breaks_per_s is not None
    assert found.holds_per_s < 100 <= found.breaks_per_s <= 1.1 * found.holds_per_s
    assert len(found.held) == 3
    assert found.limited_by == "backend: It was busy."
    assert found.runs == tuple(reported)
    assert [each.rate for each in found.runs[:3]] == [20, 40, 80]
    assert [each.scale for each in system.asked[:3]] == [1, 2, 4]
    assert found.tag == "a"
    assert all(each.tag == ["a", "b"] for each in system.asked)
    assert all(each.expect == [THRESHOLD] and each.find_limit is None for each in system.asked)
    assert next(run.why for run in found.runs if not run.holds).startswith("accept_p99<100ms: 1")


def test_a_search_that_is_stopped_keeps_what_it_has() -> None:
    """The run that was stopped proves nothing about its rate."""
    found = found_limit(System(stop_at=3), rate=20.0)

    assert (found.complete, found.holds_per_s, len(found.runs)) == (False, 40, 2)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"verdict": SUMMARY.verdict.model_copy(update={"valid": False})}, "not valid"),
        ({"drain_s": 2.5}, "a backlog grew: the drain took 2.5 s"),
        ({"drain_s": 2.5, "load_s": 30.0}, ""),
        ({"generator": SUMMARY.generator.model_copy(update={"late": 3})}, "3 orders left late, so the load was not"),
    ],
)
def test_a_rate_holds_if_nothing_was_wrong(changes: dict[str, Any], why: str) -> None:
    """Orders, thresholds, a backlog that grew, and a generator that fell behind."""
    found = why_it_broke(SUMMARY.model_copy(update=changes))

    assert found.startswith(why)
    assert bool(found) is bool(why)


def test_stages_and_streams_are_scaled_as_a_whole(tmp_path: Path) -> None:
    """The scale and the mean rate are found, and both are printed; the thresholds of the file count, too."""
    (tmp_path / "burst.toml").write_text(
        'expect = "lost==0"\n[[stream]]\nstage = ["10s:10..30"]\n[[stream]]\nrate = 10\nduration = "10s"\n'
    )
    system = System(rate=30)

    found = found_limit(system, config=tmp_path / "burst.toml")

    assert (found.load, found.even) == ("2 streams", False)
    assert found.holds_scale is not None
    assert found.holds_per_s is not None
    assert found.holds_per_s == pytest.approx(30 * found.holds_scale, abs=0.001)
    assert found.holds_per_s < 100
    assert system.asked[0].expect == ["lost==0", THRESHOLD]
    console = Console(width=200, record=True)
    show_limit(found, tmp_path / "my runs", console)
    said = f"{found.holds_per_s:g} orders a second on average, at --scale {found.holds_scale:g} of 2 streams"
    text = console.export_text()
    assert said in text
    assert f"orderboard bursts index '{tmp_path}/my runs'" in text  # a tag is looked for in the folder of all runs


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"clients": 5}, "--find-limit raises rates, but the clients send less when the system slows down"),
        ({"stage": ["1s:5c"]}, "--find-limit raises rates, but the clients"),
        ({"repeat": 2}, "--repeat"),
        ({"junit": Path("x.xml")}, "leave out --junit"),
        ({"find_limit": ["fast"]}, "--find-limit fast: expected a metric"),
        ({"tag": ["Up"]}, "--tag Up: expected a tag"),
    ],
)
def test_what_does_not_go_with_a_search_is_refused(options: dict[str, Any], said: str) -> None:
    """A usage error, before anything starts."""
    with pytest.raises(UsageError, match=said):
        found_limit(System(), **options)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--find-limit", "fast"], "--find-limit fast: expected a metric"),
        (["--find-limit", "lost==0", "--repeat", "2"], "leave out --repeat"),
    ],
)
def test_print_config_checks_the_search(words: list[str], said: str) -> None:
    """It sends nothing, so it is the way to find out whether a search would begin."""
    done = CliRunner().invoke(app, ["burst", "--print-config", *words])

    assert done.exit_code == 2
    assert said in done.stderr
