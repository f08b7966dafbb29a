"""A load that several generators send: together it is the load of one, and one that ends early loses no order."""

from dataclasses import replace
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orderboard.burst.export.markdown import summary_markdown
from orderboard.burst.judge.bottleneck import bottleneck
from orderboard.burst.load.arrivals import Poisson, send_times
from orderboard.burst.load.generator import Command, Job, Reply, Update
from orderboard.burst.load.mix import Mix
from orderboard.burst.load.stream import Client, Closed, Open, Part, Stream
from orderboard.burst.measure.generators import GeneratorRun
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measured_system import Where
from orderboard.burst.measurement import Plan
from orderboard.burst.model import OneGenerator
from orderboard.burst.options import BurstOptions
from orderboard.burst.report.files import write_junit
from orderboard.burst.report.terminal import show
from orderboard.burst.running_load import RunningLoad
from orderboard.burst.runs.find_limit import why_it_broke
from orderboard.burst.scenario.check import check
from orderboard.burst.stop import Stop
from orderboard.cli.load.burst import exit_code
from orderboard.errors import UsageError
from orderboard_contracts.identity import order_id_for
from rich.console import Console
from unit.rig.burst.summaries import GENERATOR, ROW, SUMMARY, Planned

LATE = OneGenerator(
    number=2,
    orders=50,
    sent=50,
    late=5,
    lag_p50_ms=1,
    lag_p99_ms=90,
    lag_max_ms=90,
    waited_for_connection=0,
    achieved_rate=5,
)
ON_TIME = LATE.model_copy(update={"number": 1, "orders": 950, "sent": 950, "late": 0, "lag_p99_ms": 2})


def reply(number: int) -> Reply:
    """The answer 202 to an order of half a second each, on time."""
    return Reply(0, number, number / 2, number / 2, number / 2, False, "acknowledged", (f"id-{number}",), 500, None, ())


@given(orders=st.integers(0, 300), generators=st.integers(1, 9), seed=st.integers(0, 99))
def test_the_parts_of_an_open_load_are_the_load_of_one(orders: int, generators: int, seed: int) -> None:
    """The same orders, each with its number, its key, its body and its intended time, whatever the number is."""
    times_s = send_times(Poisson(), orders=orders, duration_s=10, seed=seed)
    whole = Stream(Mix((("express", 30),)), Open(times_s), seed, "run")

    found: list[Any] = []
    for job in Job("", [whole], 512).split(generators):
        (stream,) = job.streams
        assert isinstance(stream.load, Open)
        found += zip(stream.load.times_s, stream.orders(), strict=True)

    expected = list(zip(times_s, whole.orders(), strict=True))
    assert [(at, number, order, order.body) for at, (number, order) in sorted(found, key=lambda each: each[1][0])] == [
        (at, number, order, order.body) for at, (number, order) in expected
    ]


@given(clients=st.integers(1, 99), generators=st.integers(1, 9), orders=st.none() | st.integers(0, 200))
def test_the_parts_of_a_closed_load_are_its_clients(clients: int, generators: int, orders: int | None) -> None:
    """Of a number of orders each has its share; without one, no order has two senders. Connections are shared, too."""
    whole = Stream(Planned(), Closed([Client(0, 5)] * clients, orders=orders), 1, "run")

    jobs = Job("", [whole], 512).split(generators)

    loads = [job.streams[0].load for job in jobs]
    assert sum(len(load.clients) for load in loads if isinstance(load, Closed)) == clients
    assert sum(job.connections for job in jobs) == 512
    first = [number for job in jobs for number, _ in islice(job.streams[0].orders(), 20)]
    assert sorted(first)[:20] == list(range(20 if orders is None else min(orders, 20)))
    if orders is not None:
        assert sum(job.streams[0].planned or 0 for job in jobs) == orders


def test_what_each_generator_has_sent_is_attempted_once() -> None:
    """Of two, the first has sent its first three orders, and the second one; answers that come twice count once."""
    kept = Recorder([Stream(Planned(), Open([number / 2 for number in range(10)]), 1, "run")])
    for number in (0, 2, 2, 1, 0):
        kept.replied(reply(number))

    attempts = kept.attempts([(3,), (1,)])

    assert [(each.idempotency_key, each.answer) for each in attempts] == [
        ("key-0", "acknowledged"),
        ("key-1", "acknowledged"),
        ("key-2", "acknowledged"),
        ("key-4", "unavailable"),
    ]
    assert (kept.accepted, kept.answered, kept.seconds[0].sent) == (3, 3, 2)


def test_a_generator_that_ended_early_may_have_sent_what_was_due() -> None:
    """Until its end was noticed, and what is found of it in a table later; the others sent what they have reported."""
    kept = Recorder([Stream(Planned(), Open([number / 2 for number in range(12)]), 1, "run")])
    ended = GeneratorRun((1,), ended="SIGKILL", ended_s=1.6)  # number 0 is reported; 0.5 s, 1.5 s are the other's

    assert kept.sent_at_most([ended, GeneratorRun((2,))], ()) == [(2,), (2,)]
    assert kept.sent_at_most([ended, GeneratorRun((2,))], {order_id_for("key-8")}) == [(5,), (2,)]
    assert [each.answer for each in kept.attempts([(2,), (2,)])] == ["unavailable"] * 4


def test_clients_that_ended_early_may_have_sent_what_is_found() -> None:
    """Their orders have no times; an order that was refused, and left no trace, lies between."""
    kept = Recorder([Stream(Planned(), Closed([Client(0, 60)] * 4), 1, "run")])
    runs = [GeneratorRun((5,)), GeneratorRun((3,), ended="SIGKILL", ended_s=9.0)]

    assert kept.sent_at_most(runs, ()) == [(5,), (3,)]
    assert kept.sent_at_most(runs, {order_id_for("key-11")}) == [(5,), (6,)]  # numbers 1, 3, 5 and then 7, 9, 11


def test_each_generator_has_its_figures() -> None:
    """Its orders, its rate and its delays: what the sum hides."""
    kept = Recorder([Stream(Planned(), Open([number / 2 for number in range(4)]), 1, "run")])
    for number, late_s in enumerate((0.001, 0.2, 0.002, 0.3)):
        kept.replied(replace_sent(reply(number), late_s))

    runs = [GeneratorRun((2,), cores=0.25), GeneratorRun((2,), "ada", clock_error_s=0.0004, ended="SIGKILL")]
    stats = kept.generator_stats(runs, connections=8, duration_s=2)

    assert (stats.orders, stats.sent, stats.late, stats.lag_max_ms) == (4, 4, 2, 300)
    assert [(each.number, each.orders, each.sent, each.late) for each in stats.each] == [(1, 2, 2, 0), (2, 2, 2, 2)]
    assert [(each.machine, each.cores, each.clock_error_ms) for each in stats.each] == [
        ("", 0.25, None),
        ("ada", None, 0.4),
    ]
    assert [each.number for each in stats.ended] == [2]


def replace_sent(found: Reply, late_s: float) -> Reply:
    """The same answer to an order that was sent late."""
    return found._replace(sent_s=found.intended_s + late_s)


def test_one_late_generator_of_several_is_enough() -> None:
    """Half a percent of all orders were late, a tenth of one generator's: the load was not the one asked for."""
    generator = GENERATOR.model_copy(update={"orders": 1000, "sent": 1000, "late": 5, "each": (ON_TIME, LATE)})
    summary = SUMMARY.model_copy(update={"generator": generator})

    bound = bottleneck(summary, [ROW], None)

    assert (bound.by, bound.text.partition(" could")[0]) == ("generator", "Generator 2")
    assert why_it_broke(summary).startswith("5 orders left late")


def test_a_generator_that_ended_is_in_every_report(tmp_path: Path) -> None:
    """Terminal, Markdown and JUnit; the exit code is 1 although no order is lost."""
    ended = LATE.model_copy(update={"machine": "ada", "ended": "SIGKILL", "clock_error_ms": 0.2, "cores": 0.5})
    generator = GENERATOR.model_copy(update={"each": (ON_TIME, ended)})
    verdict = SUMMARY.verdict.model_copy(update={"valid": False, "generators_ended": 1})
    changes = {"generator": generator, "verdict": verdict, "broken_off": "Generator 2 on ada ended."}
    summary = SUMMARY.model_copy(update=changes)
    console = Console(file=StringIO(), width=100)

    show(summary, tmp_path, console)
    write_junit([summary], tmp_path / "junit.xml")

    lines = [line.split() for line in str(console.file.getvalue()).splitlines()]  # type: ignore[attr-defined]
    assert ["1", "950", "of", "950", "5.0", "0", "2.0", "ms", "none"] in lines
    assert ["2", "ada,", "ended:", "SIGKILL", "50", "of", "50", "5.0", "5", "90.0", "ms", "50%", "0.2", "ms"] in lines
    assert ["✗", "Not", "valid:", "1", "of", "the", "generators", "ended", "early"] in lines
    assert "### ❌ Not valid: burst of 10 orders" in summary_markdown(summary)
    assert "2 generators; the latest sent 10.0% of its orders late." in summary_markdown(summary)
    assert "generator 2: SIGKILL" in (tmp_path / "junit.xml").read_text()
    assert (exit_code(summary), exit_code(SUMMARY)) == (1, 0)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"orders": 3}, "there are 3 orders"),
        ({"clients": 2, "duration": "5s"}, "there are 2 clients"),
        ({"clients": 9, "orders": 3}, "there are 3 orders"),
        ({"orders": 100, "connections": 2}, "--connections is 2"),
    ],
)
def test_a_generator_without_work_is_refused(options: dict[str, Any], problem: str) -> None:
    """More of them than orders, clients or connections."""
    with pytest.raises(UsageError, match=f"^--generators 4: {problem}"):
        check(BurstOptions(generators=4, **options), Where())


def test_the_number_of_generators_changes_no_order() -> None:
    """The plan is the same, but for who sends it."""
    one, four = (check(BurstOptions(generators=number, orders=50), Where()) for number in (1, 4))

    assert [replace(each, part=Part()) for each in four.plan.streams] == list(one.plan.streams)
    assert (four.plan.generators, four.settings.generators) == (4, 4)


class Frozen:
    """A generator that reports once, and then nothing any more: a GeneratorHandle."""

    machine, pid, start_takes_s, clock_error_s, problem = "", None, 0.0, None, ""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.reports = [Update((1,), (reply(0),), done=False)]

    def ready(self) -> None:
        """It is."""

    def start(self, at: float) -> None:
        """Nothing happens."""

    def updates(self) -> list[Update]:
        """The report, once."""
        found, self.reports = self.reports, []
        return found

    def command(self, command: Command) -> None:
        """It does not obey."""
        self.calls.append(command)

    def stop(self) -> None:
        """It ends."""
        self.calls.append("end")


def test_a_generator_that_reports_nothing_any_more_ends_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended, and what it may have sent is judged. Time in which the rig itself was suspended does not count."""
    now, frozen = [100.0], Frozen()
    monkeypatch.setattr("orderboard.burst.running_load.time.monotonic", lambda: now[0])
    monkeypatch.setattr("orderboard.burst.load.handle.time.monotonic", lambda: now[0])
    streams = [Stream(Mix(), Open([0.0, 1.0, 90.0]), 1, "run")]
    plan = Plan(streams, start_generators=lambda jobs: [frozen])
    load = RunningLoad("http://127.0.0.1:1", plan, Recorder(streams), Stop())
    load.start()
    for step_s in (0.5, 3600.0, *[0.5] * 36):
        now[0] += step_s
        load.receive()
        assert (load.loading, frozen.calls) == (True, [])

    for _ in range(4):
        now[0] += 0.5
        load.receive()

    assert (load.loading, load.stop_if_asked(), frozen.calls) == (False, "The end of generator 1", ["end"])
    assert [each.ended for each in load.generators()] == ["no report for 20 s"]
