"""compare-workers: the bursts that it plans, what it keeps of them, and its output. No system runs here."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from orderboard.burst.plan import PlannedBurst
from orderboard.burst.report.files import BurstFiles
from orderboard.burst.stop import Stop
from orderboard.cli.app import app
from orderboard.compute import compare
from orderboard.compute.loads import burst_of, parse_loads
from orderboard.compute.model import Invocations
from orderboard.errors import UsageError
from orderboard.system.process_stats import ProcessorShare
from orderboard.system.workspace import STATE_DIR_VARIABLE
from typer.testing import CliRunner
from unit.rig.burst.summaries import SUMMARY

FOUND = Invocations(count=3, cold=1, warm_billed_ms=30, cold_billed_ms=900, warm_processor_ms=8, most_memory_mb=90)


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[PlannedBurst]:
    """The bursts that were run: each is valid, and its worker process used a twentieth of a core."""
    monkeypatch.setenv(STATE_DIR_VARIABLE, str(tmp_path / "state"))
    ran: list[PlannedBurst] = []

    def run_burst(burst: PlannedBurst, _stop: Stop, *, at_end: Callable[[Any], object]) -> BurstFiles:
        ran.append(burst)
        at_end(SimpleNamespace(target=None))
        shares = (ProcessorShare(name="worker-1", cores=0.05), ProcessorShare(name="order-api", cores=0.5))
        settings = SUMMARY.settings.model_copy(update={"rate": burst.settings.rate})
        return BurstFiles(SUMMARY.model_copy(update={"processors": shares, "settings": settings}), ())

    monkeypatch.setattr(compare, "run_burst", run_burst)
    monkeypatch.setattr(compare, "invocations", lambda _target, _since_s: FOUND)
    return ran


def run(*words: str) -> tuple[int, str, str]:
    """The exit code, output and errors of the command."""
    done = CliRunner().invoke(app, ["compare-workers", *words])
    return done.exit_code, done.stdout, done.stderr


def test_both_workers_get_the_same_bursts_each_in_a_new_system(planned: list[PlannedBurst]) -> None:
    """Three loads for each, with the same seed and mix; the sizes go to the function alone."""
    code, _, said = run("--rate", "20", "--duration", "10s", "--memory-mb", "1024", "--json")

    assert code == 0, said
    assert [each.system.worker for each in planned] == ["container", "lambda"] * 3
    assert [each.settings.rate for each in planned] == [0.2, 0.2, 20, 20, 20, 20]
    assert [each.config.streams[0].profile for each in planned[::2]] == ["constant", "constant", "spike"]
    assert len({(each.config.seed, each.config.streams[0].mix) for each in planned}) == 1
    assert len({each.system.stack_name for each in planned}) == 6
    assert [each.system.parameters.get("WorkerMemoryMb") for each in planned[:2]] == [None, "1024"]
    assert "Run 6 of 6: spike, the worker as a lambda" in said


@pytest.mark.usefixtures("planned")
def test_the_document_has_every_run_and_the_price_of_each_load() -> None:
    """Nine orders in a second at a twentieth of a core are 5.6 ms each; three orders are in an invocation."""
    code, out, _ = run("--loads", "steady", "--json", "--price", "fargate-vcpu=1")
    document = json.loads(out)

    assert code == 0
    assert [(each["worker"], each["processor_ms"]) for each in document["runs"]] == [
        ("container", 5.556),
        ("lambda", None),
    ]
    (cost,) = document["costs"]
    assert (cost["orders_per_invocation"], cost["tasks"]) == (3.0, 2)
    assert document["rates"]["fargate-vcpu"] == 1
    assert any("Offline, a function is a process or a container" in note for note in document["notes"])


@pytest.mark.usefixtures("planned")
def test_markdown_has_the_tables_of_the_terminal() -> None:
    """Each row of the terminal is a row there."""
    _, terminal, _ = run("--loads", "idle,spike")
    code, text, _ = run("--loads", "idle,spike", "--markdown")

    assert code == 0
    assert text.count("| idle | process |") == text.count("| spike | function |") == 1
    for title in ("Measured on the embedded backend", "The function's invocations", "USD for a million orders on AWS"):
        assert title in text
        assert title in terminal
    assert "Valid: every one of 36 orders ended once" in terminal


@pytest.mark.usefixtures("planned")
def test_a_load_without_a_warm_invocation_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its price is that of cold starts alone, which no month consists of."""
    cold = FOUND.model_copy(update={"count": 1, "cold": 1})
    monkeypatch.setattr(compare, "invocations", lambda _target, _since_s: cold)

    _, out, _ = run("--loads", "idle")

    assert "idle: each invocation was a cold start, so Lambda's cost is an upper limit" in " ".join(out.split())


def test_ctrl_c_keeps_the_runs_before_it(planned: list[PlannedBurst], monkeypatch: pytest.MonkeyPatch) -> None:
    """The run under way is not compared; the exit code is that of an interrupt."""
    run_burst = vars(compare)["run_burst"]

    def interrupted(burst: PlannedBurst, stop: Stop, *, at_end: Callable[[Any], object]) -> BurstFiles:
        if len(planned) == 3:
            stop.request("Ctrl-C")
        files: BurstFiles = run_burst(burst, stop, at_end=at_end)
        return files

    monkeypatch.setattr(compare, "run_burst", interrupted)

    code, out, _ = run("--json")
    document = json.loads(out)

    assert code == 130
    assert len(planned) == 4
    assert [(each["load"], each["worker"]) for each in document["runs"]] == [
        ("idle", "container"),
        ("idle", "lambda"),
        ("steady", "container"),
    ]
    assert [each["load"] for each in document["costs"]] == ["idle"]
    assert document["broken_off"]


def test_a_worker_that_was_not_run_to_the_end_is_not_called_valid(
    planned: list[PlannedBurst], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C in the function's run, people read what is missing, and nothing about a function."""
    run_burst = vars(compare)["run_burst"]

    def interrupted(burst: PlannedBurst, stop: Stop, *, at_end: Callable[[Any], object]) -> BurstFiles:
        if burst.system.worker == "lambda":
            stop.request("Ctrl-C")
        files: BurstFiles = run_burst(burst, stop, at_end=at_end)
        return files

    monkeypatch.setattr(compare, "run_burst", interrupted)

    for form in ([], ["--markdown"]):
        code, out, _ = run("--loads", "idle", *form)
        words = " ".join(out.split())
        assert code == 130
        assert "ended once, with the worker as a process" in words
        assert "as a function" not in words
        assert "Interrupted: the run that was under way" in words


@pytest.mark.usefixtures("planned")
def test_a_burst_that_is_not_valid_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is 1, and the line has the load, the worker and the folder of the report."""
    bad = SUMMARY.verdict.model_copy(update={"valid": False, "lost": 2})
    run_burst = vars(compare)["run_burst"]

    def lossy(burst: PlannedBurst, stop: Stop, *, at_end: Callable[[Any], object]) -> BurstFiles:
        files: BurstFiles = run_burst(burst, stop, at_end=at_end)
        good = burst.system.worker == "container"
        return files if good else BurstFiles(files.summary.model_copy(update={"verdict": bad}), ())

    monkeypatch.setattr(compare, "run_burst", lossy)

    code, out, _ = run("--loads", "idle")

    assert code == 1
    assert "idle, function: Not valid: 2 lost" in out.replace("\n", " ")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--loads", "busy"], "unknown load 'busy'; expected some of idle, steady, spike"),
        (["--loads", "idle,idle"], "a load is given twice"),
        (["--loads", ""], "unknown load ''"),
        (["--price", "coffee=3"], "--price coffee=3: unknown rate 'coffee'"),
        (["--duration", "20"], "expected a duration with a unit"),
        (["--rate", "0"], "expected above 0"),
        (["--mix", "tea=5"], "tea"),
        (["--json", "--markdown"], "--markdown and --json exclude each other"),
        (["--utilisation", "2"], "--utilisation 2"),
    ],
)
def test_wrong_usage_is_one_line_before_anything_starts(
    planned: list[PlannedBurst], words: list[str], reason: str
) -> None:
    """The exit code is 2, and no burst has run."""
    code, _, said = run(*words)

    assert code == 2
    assert reason in said.replace("\n", " ")
    assert not planned


def test_loads_come_in_their_order_and_idle_is_a_hundredth() -> None:
    """Whatever the order in which they were typed."""
    assert parse_loads("spike, idle") == ("idle", "spike")
    with pytest.raises(UsageError):
        parse_loads("idle;spike")
    idle = burst_of("idle", "lambda", rate=50, duration="20s", workers=3, mix="large=1")
    assert (idle.rate, idle.workers, idle.worker) == (0.5, None, "lambda")
