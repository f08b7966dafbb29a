"""A burst whose load other machines send, each a process here; one of them is killed in the middle."""

import os
import signal
from pathlib import Path

from e2e.command import Command, family, read_until, still_running
from orderboard.burst.model import Summary
from orderboard_stack.process import free_port


def test_a_machine_that_is_killed_ends_the_load_and_loses_no_order(orderboard: Command, tmp_path: Path) -> None:
    """Every order of it is judged, with or without an answer, and the run says that its latencies are worth nothing.

    Nothing is left on the machine that was killed, and the other one is let go. Takes more than 5 s: it starts a
    system.
    """
    token, url = "a-token-of-tests", f"http://127.0.0.1:{free_port()}"
    load = ["--rate", "80", "--duration", "60s", "--mix", "express=10", "--out", str(tmp_path / "run")]
    where = ["--listen", url.removeprefix("http://"), "--token", token]
    with orderboard.start("burst", "serve", "--generators", "3", *load, *where) as burst:
        read_until(burst, "burst join")
        with orderboard.start("burst", "join", url, "--token", token, "--name", "ada", "--json") as ada:
            read_until(burst, "ada joined as generator 1 of 3")
            with orderboard.start("burst", "join", url, "--token", token, "--name", "bob", "--generators", "2") as bob:
                read_until(burst, "load: sent")
                of_bob = family(bob)
                os.kill(bob.pid, signal.SIGKILL)
                out, err = burst.communicate(timeout=120)
            assert ada.wait(timeout=30) == 0

    summary = Summary.model_validate_json((tmp_path / "run" / "summary.json").read_text())
    verdict, generator = summary.verdict, summary.generator
    assert burst.returncode == 1, err + out
    assert (verdict.valid, verdict.generators_ended, verdict.findings) == (False, 2, ())
    assert verdict.acknowledged + verdict.recovered == verdict.completed > 0
    assert verdict.attempted == verdict.acknowledged + verdict.unavailable < 80 * 60
    assert summary.broken_off is not None
    assert "Generator 2 on bob ended before it was done (the connection was lost)." in summary.broken_off
    assert "The latencies are not those of the load that was asked for." in summary.broken_off
    assert [(each.machine, bool(each.ended)) for each in generator.each] == [
        ("ada", False),
        ("bob", True),
        ("bob", True),
    ]
    assert all(each.clock_error_ms is not None and each.clock_error_ms < 5_000 for each in generator.each)
    assert not still_running(of_bob)
    assert token not in (tmp_path / "run" / "report.html").read_text()
