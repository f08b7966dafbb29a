"""A burst whose processes are killed from outside, in the middle of the load.

Each test takes more than 5 s, because it starts a system and waits for its drain.
"""

import signal
import subprocess
from pathlib import Path

import psutil
from e2e.command import Command, family, read_until, still_running
from orderboard.burst.model import Summary
from support.waiting import eventually


def kill(process: "subprocess.Popen[str]", module: str) -> None:
    """SIGKILL to the burst's child that runs this module."""
    children = psutil.Process(process.pid).children()
    (victim,) = [each for each in children if module in each.cmdline()[2:4]]  # -m [a preloader] MODULE
    victim.kill()


def result(process: "subprocess.Popen[str]", directory: Path) -> tuple[int, Summary, str]:
    """Return the exit code, the summary, and the rest of the output."""
    out, err = process.communicate(timeout=120)
    summary = Summary.model_validate_json((directory / "summary.json").read_text())
    return process.returncode, summary, err + out


def verdict_adds_up(summary: Summary) -> bool:
    """Return whether every order that was sent has an answer, and every one that was placed an ending."""
    verdict = summary.verdict
    sent = verdict.acknowledged + verdict.refused + verdict.unavailable
    ended = verdict.completed + verdict.rejected + verdict.cancelled + verdict.dead_lettered
    return (
        summary.generator.sent == verdict.attempted == sent
        and verdict.acknowledged + verdict.recovered == ended + verdict.lost + verdict.unsettled
    )


async def test_a_worker_and_an_api_that_are_killed_lose_nothing(orderboard: Command, tmp_path: Path) -> None:
    """Another worker receives the orders that the first had in flight. Orders without an answer are not lost.

    Those that found no order-api were surely not placed; the one that is started again takes the others. Then Ctrl-C
    stops the load: what was sent is drained and judged.
    """
    process = orderboard.start("burst", "--orders", "6000", "--duration", "60s", "--out", str(tmp_path))
    log = tmp_path / "logs" / "order-api.log"
    with process:
        await eventually(lambda: log.is_file() and "order.accepted" in log.read_text(), within_s=60)
        kill(process, "worker")
        read_until(process, "another started")
        kill(process, "order_api")
        read_until(process, "order-api has ended")
        read_until(process, "load: sent")
        process.send_signal(signal.SIGINT)
        code, summary, output = result(process, tmp_path)

    verdict = summary.verdict
    assert code == 130, output
    assert verdict.valid
    assert summary.stopped
    assert summary.broken_off is not None
    assert summary.broken_off.startswith("Ctrl-C stopped the load after ")
    assert summary.generator.sent == verdict.attempted == 6000 - summary.generator.not_sent < 6000
    assert [mark.text for mark in summary.faults] == [
        "worker-1 has ended (SIGKILL), another started",
        "order-api has ended (SIGKILL), another started",
        "Ctrl-C stopped the load",
    ]
    assert verdict.acknowledged > 0
    assert verdict.unavailable >= verdict.unreached > 0
    assert verdict_adds_up(summary)


def test_a_backend_that_is_killed_with_its_supervisor_ends_the_burst(orderboard: Command, tmp_path: Path) -> None:
    """The rig reports it, keeps its measurements, calls no order lost that it cannot check, and leaves no process."""
    with orderboard.start("burst", "--orders", "2000", "--duration", "30s", "--out", str(tmp_path)) as process:
        read_until(process, "load: sent")
        everything = family(process)
        kill(process, "orderboard_stack.embedded_child")
        code, summary, output = result(process, tmp_path)

    assert code == 1
    assert "the backend has gone" in output
    assert [mark.text for mark in summary.faults] == ["the backend has gone"]
    assert summary.broken_off is not None
    assert not summary.verdict.valid
    assert (summary.verdict.lost, summary.verdict.unexpected) == (0, 0)
    assert summary.generator.not_sent > 0
    assert verdict_adds_up(summary)
    assert (tmp_path / "report.html").is_file()
    assert not still_running(everything)
