"""What a burst says when a process of the system is killed from outside, in the middle of the load."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from e2e.command import Command, family, read_until, still_running
from orderboard.burst.model import Summary
from orderboard.burst.report.files import read_files

Burst = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def burst(orderboard: Command, tmp_path: Path) -> Iterator[Burst]:
    """Starts a burst of so many orders over so long; its files go to tmp_path / out."""
    started: list[subprocess.Popen[str]] = []

    def start(orders: str, duration: str) -> "subprocess.Popen[str]":
        out = str(tmp_path / "out")
        started.append(orderboard.start("burst", "--orders", orders, "--duration", duration, "--out", out))
        return started[-1]

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            process.terminate()
        process.communicate(timeout=30)


def kill(process: "subprocess.Popen[str]", module: str) -> None:
    """SIGKILL to the burst's child that runs this module."""
    children = psutil.Process(process.pid).children()
    (victim,) = [each for each in children if each.cmdline()[1:3] == ["-m", module]]
    victim.kill()


def result(process: "subprocess.Popen[str]", directory: Path) -> tuple[int, Summary, str]:
    """Its exit code, its summary, and the rest of what it said."""
    said, progress = process.communicate(timeout=120)
    return process.returncode, read_files(directory / "out").summary, progress + said


def test_a_worker_that_is_killed_from_outside_costs_nothing(burst: Burst, tmp_path: Path) -> None:
    """Another is started, and takes what the first had in hand."""
    process = burst("300", "4s")
    read_until(process, "load: sent")
    kill(process, "worker")

    code, summary, said = result(process, tmp_path)

    assert code == 0, said
    assert summary.verdict.valid
    assert [mark.text for mark in summary.faults] == ["worker-1 has ended (SIGKILL), another started"]


def test_an_api_that_is_killed_loses_nothing_that_it_promised(burst: Burst, tmp_path: Path) -> None:
    """What it did not answer is not lost; the rig says that it has ended."""
    process = burst("400", "8s")
    read_until(process, "load: sent")
    read_until(process, "load: sent")  # five seconds later
    kill(process, "order_api")

    code, summary, said = result(process, tmp_path)

    verdict = summary.verdict
    assert code == 0, said
    assert [mark.text for mark in summary.faults] == ["order-api has ended (SIGKILL), and is not started again"]
    assert verdict.acknowledged > 0
    assert verdict.unavailable > 0
    assert verdict.acknowledged + verdict.recovered == sum(
        (verdict.completed, verdict.rejected, verdict.cancelled, verdict.dead_lettered)
    )


def test_a_backend_that_is_killed_ends_the_burst(burst: Burst, tmp_path: Path) -> None:
    """The rig says so, keeps what it knows, calls nothing lost that it cannot see, and leaves no process behind."""
    process = burst("2000", "30s")
    read_until(process, "load: sent")
    everything = family(process)
    kill(process, "orderboard_stack.embedded_child")

    code, summary, said = result(process, tmp_path)

    assert code == 1
    assert "the backend has gone" in said
    assert [mark.text for mark in summary.faults] == ["the backend has gone"]
    assert summary.broken_off is not None
    assert not summary.verdict.valid
    assert (summary.verdict.lost, summary.verdict.unexpected) == (0, 0)
    assert summary.generator.not_sent > 0
    assert (tmp_path / "out" / "report.html").is_file()
    assert not still_running(everything)
