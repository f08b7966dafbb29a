"""A burst whose processes are killed from outside, in the middle of the load.

Each test takes more than 5 s, because it starts a system and waits for its drain.
"""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from e2e.command import Command, family, read_until, still_running
from orderboard.burst.model import Summary
from support import eventually

Burst = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def burst(orderboard: Command, tmp_path: Path) -> Iterator[Burst]:
    """Start a burst of so many orders over so long; its files go to tmp_path."""
    started: list[subprocess.Popen[str]] = []

    def start(orders: str, duration: str) -> "subprocess.Popen[str]":
        options = ["--orders", orders, "--duration", duration, "--out", str(tmp_path)]
        started.append(orderboard.start("burst", *options))
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
    """Return the exit code, the summary, and the rest of the output."""
    out, err = process.communicate(timeout=120)
    summary = Summary.model_validate_json((directory / "summary.json").read_text())
    return process.returncode, summary, err + out


def marks(summary: Summary) -> list[str]:
    """Return the events of the system."""
    return [mark.text for mark in summary.faults]


def test_a_worker_that_is_killed_from_outside_costs_nothing(burst: Burst, tmp_path: Path) -> None:
    """Another is started, and receives the orders that the first had in flight."""
    process = burst("300", "3s")
    read_until(process, "load: sent")
    kill(process, "worker")

    code, summary, output = result(process, tmp_path)

    assert code == 0, output
    assert summary.verdict.valid
    assert marks(summary) == ["worker-1 has ended (SIGKILL), another started"]


async def test_an_api_that_is_killed_loses_no_acknowledged_order(burst: Burst, tmp_path: Path) -> None:
    """Orders without an answer are not lost, and the end of order-api is marked."""
    process = burst("400", "4s")
    log = tmp_path / "logs" / "order-api.log"
    await eventually(lambda: log.is_file() and "order.accepted" in log.read_text(), within_s=60)
    kill(process, "order_api")

    code, summary, output = result(process, tmp_path)

    verdict = summary.verdict
    assert code == 0, output
    assert marks(summary) == ["order-api has ended (SIGKILL), and is not started again"]
    assert verdict.acknowledged > 0
    assert verdict.unavailable > 0
    assert verdict.acknowledged + verdict.recovered == sum(
        (verdict.completed, verdict.rejected, verdict.cancelled, verdict.dead_lettered)
    )


def test_a_backend_that_is_killed_ends_the_burst(burst: Burst, tmp_path: Path) -> None:
    """The rig reports it, keeps its measurements, calls no order lost that it cannot check, and leaves no process."""
    process = burst("2000", "30s")
    read_until(process, "load: sent")
    everything = family(process)
    kill(process, "orderboard_stack.embedded_child")

    code, summary, output = result(process, tmp_path)

    assert code == 1
    assert "the backend has gone" in output
    assert marks(summary) == ["the backend has gone"]
    assert summary.broken_off is not None
    assert not summary.verdict.valid
    assert (summary.verdict.lost, summary.verdict.unexpected) == (0, 0)
    assert summary.generator.not_sent > 0
    assert (tmp_path / "report.html").is_file()
    assert not still_running(everything)
