"""`orderboard clock`, `disorder` and `faults` on a localbus alone."""

import httpx
import pytest
from botocore.exceptions import ClientError
from localbus.pytest_plugin import Localbus
from orderboard.cli.app import app
from support.localbus import new_queue
from typer.testing import CliRunner
from unit.rig.resources.commands import run, run_json


def test_the_clock_is_advanced(localbus: Localbus) -> None:
    """By any unit; without an argument it is shown."""
    before = run_json(localbus, "clock")
    assert before["manual"] is True

    for typed, seconds in {"+500ms": 0.5, "+30s": 30, "+2h": 7200, "+14d": 1_209_600}.items():
        after = run_json(localbus, "clock", typed)
        assert after["now"] == before["now"] + seconds
        before = after
    assert run_json(localbus, "clock") == before
    assert "manual: it stands still until you advance it" in run(localbus, "clock").stdout


@pytest.mark.parametrize("typed", ["30s", "+", "+30", "+-30s", "later"])
def test_a_time_needs_a_plus_and_a_unit(typed: str) -> None:
    """The error shows the form; nothing is contacted."""
    done = CliRunner().invoke(app, ["clock", typed, "--endpoint-url", "http://127.0.0.1:9"])

    assert done.exit_code == 2
    assert f"TIME {typed}: " in done.stderr
    assert "such as " in done.stderr


def test_a_real_clock_cannot_be_advanced(localbus: Localbus, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says how to start one that can."""
    monkeypatch.setattr("orderboard.system.localbus.Localbus.get", lambda *_: {"now": 0.0, "manual": False})

    done = run(localbus, "clock", "+30s")

    assert done.exit_code == 1
    assert "The clock is real. Start a system whose clock you advance: " in done.stderr
    assert "orderboard up --manual-clock" in done.stderr


def test_api_faults_are_set_shown_and_ended(localbus: Localbus) -> None:
    """In the form of `burst --faults`; what is shown can be given again."""
    queue = new_queue(localbus, "mine")
    text = "throttle:ReceiveMessage=1,latency:SendMessage/300ms=0.5"

    assert run_json(localbus, "faults", "throttle:ReceiveMessage=1", "latency:SendMessage/300ms=0.5")["rules"] == [
        {"action": "ReceiveMessage", "kind": "throttle", "probability": 1.0, "latency_ms": 0.0},
        {"action": "SendMessage", "kind": "latency", "probability": 0.5, "latency_ms": 300},
    ]
    assert run(localbus, "faults").stdout == f" API faults: {text}\n"
    with pytest.raises(ClientError, match="Rate exceeded"):
        queue.receive()

    assert run(localbus, "faults", "none").stdout == " API faults: none\n"
    assert queue.receive() == []


def test_delivery_faults_are_set_shown_and_ended(localbus: Localbus) -> None:
    """In the form of `burst --disorder`; what is shown can be given again."""
    text = "duplicates=0.1,reordering=0.2,seed=7"

    run(localbus, "disorder", text)
    assert run(localbus, "disorder").stdout == f" Delivery faults: {text}\n"
    run(localbus, "disorder", "none")
    assert run_json(localbus, "disorder") == {}


def test_delivery_faults_of_one_queue_leave_the_others(localbus: Localbus) -> None:
    """A queue's own setting replaces that of all, and `none` ends it again."""
    queue = new_queue(localbus, "mine")
    other = new_queue(localbus, "other")
    run(localbus, "disorder", "reordering=0.5")

    run(localbus, "disorder", "missed_polls=1", "--queue", queue.url)
    run(localbus, "disorder", "duplicates=0.1", "--queue", "other")
    shown = run(localbus, "disorder").stdout
    assert shown == (" Delivery faults: reordering=0.5\n   of mine: missed_polls=1\n   of other: duplicates=0.1\n")
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="hello")
    assert queue.receive() == []

    run(localbus, "disorder", "none", "--queue", "mine")
    assert queue.bodies() == ["hello"]
    run(localbus, "disorder", "doubled_events=1")
    assert run_json(localbus, "disorder")["queues"].keys() == {"other"}
    run(localbus, "disorder", "none")
    assert run_json(localbus, "disorder") == {}
    assert other.receive() == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["faults", "chaos=1"], "Invalid kind 'chaos': expected one of throttle, "),
        (["faults", "throttle=5"], "SETTINGS throttle=5: expected a probability from 0 to 1 for throttle, not '5'."),
        (["faults", "throttle"], "SETTINGS throttle: expected a probability from 0 to 1 for throttle, not ''."),
        (["faults", "throttle=1,throttle=1"], "throttle is given twice."),
        (["disorder", "chaos=1"], "unknown setting 'chaos': expected seed, duplicates, "),
        (["disorder", "duplicates=two"], "expected a probability from 0 to 1 for duplicates, not 'two'."),
        (["disorder", "duplicates=1", "--queue", "nime"], "Unknown queue 'nime'."),
    ],
)
def test_a_setting_that_is_not_one_is_wrong_usage(localbus: Localbus, arguments: list[str], error: str) -> None:
    """The kinds and names are those of localbus itself; nothing is set."""
    done = run(localbus, *arguments)

    assert done.exit_code == 2
    assert error in done.stderr
    assert httpx.get(f"{localbus.url}/_localbus/faults").json()["rules"] == []
    assert httpx.get(f"{localbus.url}/_localbus/disorder").json() == {}
