"""The output of `orderboard status` for a system, healthy or not."""

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from orderboard.cli.status import render
from orderboard.orders.status import ProcessStatus, Status, ending_of
from orderboard.system.command_line import to_paste
from orderboard.system.process_stats import MemoryUse
from orderboard.system.state import KnownProcess
from orderboard_stack.local_processes import EngineState
from rich.console import Console

RUNS = MemoryUse("worker-1", 1, 60_000_000, 50_000_000)


def rendered(status: Status) -> str:
    """The output on 80 columns."""
    output = StringIO()
    render(status, Console(file=output, width=80))
    return output.getvalue()


def system(*api: MemoryUse, ending: str | None = None) -> Status:
    """A system of order-api and one worker that runs."""
    processes = (ProcessStatus("order-api", 41, api, ending), ProcessStatus("worker-1", 42, (RUNS,)))
    return Status("embedded", "http://127.0.0.1:1", "http://127.0.0.1:2", bool(api), processes, {}, 0, ())


def test_a_process_that_ended_is_named_with_the_fix() -> None:
    """A killed process is named, with how to start again, and the system is not healthy."""
    status = system()

    assert not status.healthy
    fix = to_paste("Start it again: orderboard down && orderboard up")
    assert f"order-api ended; see the log. {fix}" in rendered(status)


def test_a_table_that_is_gone_is_named_with_the_fix() -> None:
    """The rest is shown as well, and the system is not healthy."""
    status = replace(system(RUNS), orders=None, missing_table="bar-orders")

    assert not status.healthy
    assert "The table bar-orders does not exist: orders wait in the queues." in rendered(status)
    assert to_paste("orderboard backup restore") in rendered(status).replace("\n", " ")


def test_a_process_that_ended_is_named_with_its_signal() -> None:
    """The status has it where the system still knows it."""
    assert "order-api ended (SIGKILL). Start it again: " in rendered(system(ending="SIGKILL"))


@pytest.mark.parametrize(
    ("log", "ending", "text"),
    [
        ('{"message": "worker.draining"}\n{"message": "worker.stopped"}\n', "stopped", "worker-1 was stopped. Start"),
        (
            '{"message": "worker.polling"}\n',
            "killed",
            "worker-1 was killed, by a signal such as SIGKILL or for lack of memory: its",
        ),
        ('{"message": "worker.polling"}\nValueError: no\n', "failed", "worker-1 failed; its log ends with the error."),
        ("", None, "worker-1 ended; see the log."),
        (None, None, "worker-1 ended; see the log."),
    ],
)
def test_a_log_shows_how_its_process_ended(tmp_path: Path, log: str | None, ending: str | None, text: str) -> None:
    """The signal itself is known to the parent only, which has ended: a log that just stops is that of a kill."""
    if log is not None:
        (tmp_path / "worker-1.log").write_text(log)
    gone = KnownProcess(name="worker-1", pid=2**22 - 1, create_time=1.0)

    assert ending_of(gone, tmp_path) == ending
    assert text in rendered(replace(system(RUNS), processes=(ProcessStatus("worker-1", 1, (), ending),)))


def test_a_worker_that_ended_is_started_alone() -> None:
    """The rest of the system runs on meanwhile."""
    status = replace(system(RUNS), processes=(ProcessStatus("worker-2", 43, (), "SIGKILL"),))

    fix = to_paste("Start it again: orderboard worker start worker-2")
    assert f"worker-2 ended (SIGKILL). {fix}" in rendered(status)


@pytest.mark.parametrize(("express", "healthy"), [("Enabled", True), ("Disabled", False)])
def test_a_worker_that_is_a_function_runs_while_its_mappings_do(express: str, *, healthy: bool) -> None:
    """The state of each mapping is shown, and one that is disabled is what a stopped worker is, with the fix."""
    status = replace(system(RUNS), worker_function={"work": "Enabled", "express": express})

    assert status.healthy is healthy
    assert f"work Enabled, express {express}" in rendered(status)
    assert (to_paste("Enable them: orderboard worker start") in rendered(status)) is not healthy


def test_a_system_that_runs_needs_no_fix() -> None:
    """The output for a system where everything runs mentions no end."""
    status = system(RUNS)

    assert status.healthy
    assert "ended" not in rendered(status)


def test_the_consoles_address_is_repeated() -> None:
    """On a machine with several systems the console's port is any free one; one that ended has no address."""
    console = ProcessStatus("console", 44, (RUNS,), url="http://127.0.0.1:45675")

    assert "console http://127.0.0.1:45675" in rendered(replace(system(RUNS), processes=(console,)))
    assert "45675" not in rendered(replace(system(RUNS), processes=(replace(console, memory=()),)))


def test_children_of_a_process_are_shown_with_their_memory() -> None:
    """The backend is more than its first process: each part has its own line and number."""
    engine = MemoryUse("backend (MiniStack)", 1, 90_000_000, 76_000_000)

    output = rendered(system(RUNS, engine))

    assert re.search(r"backend \(MiniStack\) +running +76", output), output


def test_each_engine_is_shown_with_its_pid() -> None:
    """A reader who kills localbus must not kill the supervisor, which would not start it again."""
    parts = (
        MemoryUse("backend", 1, 40_000_000, 30_000_000),
        MemoryUse("backend (supervisor)", 1, 6_000_000, 5_000_000),
        MemoryUse("backend (MiniStack)", 1, 90_000_000, 76_000_000),
    )
    status = replace(
        system(RUNS),
        processes=(ProcessStatus("backend", 41, parts),),
        engines={"localbus": EngineState(43, 0, None), "MiniStack": EngineState(44, 0, None)},
    )

    output = rendered(status)

    assert re.search(r"backend +43 +running", output), output
    assert re.search(r"backend \(supervisor\) +41 +running", output), output
    assert re.search(r"backend \(MiniStack\) +44 +running", output), output


def test_restarts_are_shown() -> None:
    """An engine that died by itself runs again, which only the status mentions."""
    status = replace(
        system(RUNS), engines={"localbus": EngineState(7, 2, "SIGKILL"), "MiniStack": EngineState(8, 0, None)}
    )

    output = rendered(status)

    assert "localbus was started again 2 times, the last time after SIGKILL" in output
    assert "MiniStack was" not in output
    assert status.healthy
