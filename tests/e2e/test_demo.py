"""`orderboard demo`: the ledger balances, also when a worker is killed, and nothing is left behind.

Each test takes more than 5 s, because it starts a system.
"""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from e2e.command import Command, family, read_until, still_running
from e2e.sockets import only_loopback
from orderboard_stack.backend import DEFAULT_BACKEND


@pytest.fixture
def orderboard(tmp_path: Path) -> Command:
    """The command, with a state folder for each test."""
    return Command(tmp_path / "state")


def _demo(orderboard: Command, *options: str) -> dict[str, Any]:
    done = orderboard.run("demo", "--json", *options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_the_ledger_balances(orderboard: Command) -> None:
    """Every order of the rush ends where it may, every alert is announced, and no log or process is left.

    Meanwhile none of its processes listens beyond loopback.
    """
    with only_loopback():
        demo = _demo(orderboard)

    assert demo["balanced"] is True
    assert demo["accepted"] == 198
    assert {refused["kind"] for refused in demo["refused"]} == {"none of it", "not on the menu"}
    assert demo["endings"]["rejected"] == 8
    assert demo["endings"]["dead-lettered"] == 1
    assert sum(demo["endings"].values()) == 198
    assert all(alert["due"] == alert["announced"] for alert in demo["alerts"].values())
    assert demo["alerts"]["large_order"]["due"] >= 10
    (poisoned,) = demo["dead_letters"]
    assert poisoned["queue"].endswith("-work-dlq")
    assert demo["seconds"]["first_finished"] < demo["seconds"]["all_finished"]
    assert {"backend", "order-api", "worker-1", "this command"} <= {each["name"] for each in demo["memory"]}
    assert list(orderboard.state_dir.iterdir()) == []


def test_the_ledger_balances_when_a_worker_is_killed(orderboard: Command) -> None:
    """A worker that is killed with orders in flight loses none and duplicates none: another makes them.

    The system is kept, so that an order can be shown by the 8 characters that the demo prints; `down` ends it.
    """
    demo = _demo(orderboard, "--kill-worker", "--seed", "2", "--keep")
    try:
        assert demo["balanced"] is True
        assert demo["accepted"] == 198
        assert "worker-1" not in {each["name"] for each in demo["memory"]}

        order_id = demo["orders"][0]["order_id"]
        shown = orderboard.run("show", order_id[:8], "--json")
        assert json.loads(shown.stdout)["order_id"] == order_id, shown.stderr
    finally:
        assert "worker-2" in json.loads(orderboard.run("down", "--now", "--json").stdout)["stopped"]


def test_a_backend_that_ends_early_is_reported_with_its_log(orderboard: Command) -> None:
    """The demo does not retry for long: it ends soon, reports it in one line, and keeps the logs."""
    with orderboard.start("demo", "--json") as demo:
        read_until(demo, "Orders answered:")
        started = family(demo)
        next(each for each in started if "orderboard_stack.embedded_child" in each.cmdline()).kill()

        assert demo.stderr is not None
        said = demo.stderr.read()

    assert demo.returncode == 1
    assert "The backend ended while orders were in progress." in said
    assert "Traceback" not in said
    assert "Orders answered: 200" not in said
    assert [each.name for each in orderboard.state_dir.glob("*/backend.log")] == ["backend.log"]
    assert still_running(started) == []


@pytest.mark.parametrize("moment", [f"Backend {DEFAULT_BACKEND}", "order-api and worker", "Orders answered:"])
def test_ctrl_c_leaves_nothing_behind(orderboard: Command, moment: str) -> None:
    """Ctrl-C ends every process at any moment, prints one line and exits with 130."""
    with orderboard.start("demo", "--json") as demo:
        said = read_until(demo, moment)
        started = family(demo)

        demo.send_signal(signal.SIGINT)
        out, err = demo.communicate(timeout=60)

        assert demo.returncode == 130
        assert "Interrupted" in err
        assert "Traceback" not in said + err
        assert "Warning" not in said + err
        assert out == ""
        assert started
        assert still_running(started) == []
        assert list(orderboard.state_dir.iterdir()) == []


def test_sigkill_leaves_nothing_behind(orderboard: Command) -> None:
    """Even a demo that is killed, and can clean up nothing, takes all its processes along."""
    with orderboard.start("demo", "--json") as demo:
        read_until(demo, "order-api and worker")
        started = family(demo)

        demo.kill()
        demo.communicate(timeout=60)

        assert len(started) >= 3
        assert still_running(started) == []
