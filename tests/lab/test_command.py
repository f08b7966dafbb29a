"""`orderboard lab run` when it is interrupted, and what it says about waiting."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest
from localbus.pytest_plugin import Localbus as Engine
from orderboard.cli.app import app
from orderboard.lab import Experiment
from orderboard.lab.backend import LabBackend
from orderboard_stack.backend import BackendName, Endpoint
from typer.testing import CliRunner

_FILE = '''"""A pause."""

from orderboard.lab import Experiment

lab = Experiment("A claim.", "https://docs.aws.amazon.com/", "A consequence.")
orders = lab.queue()
lab.wait(30, "time passes")
'''


def test_an_interrupted_run_prints_what_it_has(
    localbus: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C, --json prints the timeline so far with the outcome "broken off", and the queue is gone."""
    path = tmp_path / "pause.py"
    path.write_text(_FILE)
    backend = LabBackend(Endpoint("localstack", localbus.url), None, None)
    monkeypatch.setattr("orderboard.lab.backend.lab_backend", lambda *_, **__: nullcontext(backend))

    def interrupt(*_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("orderboard.cli.lab._show_wait", interrupt)

    done = CliRunner().invoke(app, ["lab", "run", str(path), "--json"])

    assert done.exit_code == 130
    printed = json.loads(done.stdout)
    assert printed["outcome"] == "broken off"
    assert [each["text"].split()[0] for each in printed["moments"]] == ["CreateQueue"]
    assert "at least 30 s of waiting" in done.stderr
    assert "QueueUrls" not in localbus.client("sqs").list_queues()


def test_a_clock_that_others_share_is_turned_with_notice(localbus: Engine, tmp_path: Path) -> None:
    """On an engine that was not started for it, a run says by how much it turns the clock."""
    path = tmp_path / "pause.py"
    path.write_text(_FILE)

    done = CliRunner().invoke(app, ["lab", "run", str(path), "--endpoint-url", localbus.url])

    assert "This engine's clock is turned by 30 s" in done.stderr


@pytest.mark.parametrize(
    ("name", "needs", "seconds"), [("localstack", [], 30), ("aws", [], 45), ("aws", ["faults"], 0)]
)
def test_the_seconds_of_waiting_are_those_of_the_backend(name: BackendName, needs: list[str], seconds: float) -> None:
    """Waiting for AWS alone counts there, and an experiment that cannot run waits for nothing."""
    lab = Experiment("A claim.", "https://docs.aws.amazon.com/", "A consequence.", needs=needs)
    lab.wait(30, "time passes")
    lab.settle(15, "a role becomes known")
    backend = LabBackend(Endpoint(name, "http://127.0.0.1:1"), None, None)

    assert backend.seconds_of_waiting(lab) == seconds
