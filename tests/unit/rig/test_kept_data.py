"""The data folder of `up`: its size, its removal, and `orderboard reset`."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from orderboard.cli.app import app
from orderboard.errors import RigError
from orderboard.system.kept_data import kept_data, remove
from orderboard.system.state import State, StateFile, known
from orderboard.system.workspace import STATE_DIR_VARIABLE
from typer.testing import CliRunner, Result


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with two files, in a state folder of this test."""
    monkeypatch.setenv(STATE_DIR_VARIABLE, str(tmp_path))
    folder = tmp_path / "data"
    (folder / "localbus").mkdir(parents=True)
    (folder / "localbus" / "localbus.db").write_bytes(b"x" * 1_500_000)
    (folder / "lock").write_bytes(b"")
    return folder


def reset(*arguments: str) -> Result:
    """Run the command. Its input is not a terminal, so it cannot ask."""
    return CliRunner().invoke(app, ["reset", *arguments])


@contextmanager
def running(state_dir: Path) -> Iterator[None]:
    """Record this process as a system that runs."""
    state = State(
        backend="embedded",
        endpoint_url="http://127.0.0.1:1",
        region="us-east-1",
        stack_name="orderboard",
        prefix="orderboard",
        api_url="http://127.0.0.1:2",
        processes=(known("worker-1", os.getpid()),),
    )
    StateFile(state_dir).write(state)
    yield
    StateFile(state_dir).forget()


def test_reset_removes_what_is_kept(data_dir: Path) -> None:
    """It names the folder, its size and what is in it before, and leaves the rest of the state folder."""
    log = data_dir.parent / "logs" / "worker-1.log"
    log.parent.mkdir()
    log.touch()

    done = reset("--yes")

    assert done.exit_code == 0, done.output
    assert f"This removes {data_dir} (1.5 MB): queues with their messages" in done.output
    assert not data_dir.exists()
    assert log.exists()


def test_reset_asks_first(data_dir: Path) -> None:
    """Without --yes, and without a person to ask, nothing is removed."""
    done = reset()

    assert done.exit_code == 2
    assert "Nothing was done. Add --yes to confirm." in done.output
    assert data_dir.exists()


def test_reset_is_refused_while_the_system_runs(data_dir: Path) -> None:
    """The error says how to end it, and everything stays."""
    with running(data_dir.parent):
        done = reset("--yes")

    assert done.exit_code == 1
    assert "down" in done.output
    assert data_dir.exists()


def test_reset_twice_is_fine(data_dir: Path) -> None:
    """There is nothing to remove, which is what was wanted."""
    assert '"bytes": 1500000' in reset("--yes", "--json").stdout
    again = reset("--json")

    assert again.exit_code == 0
    assert '"removed": null' in again.stdout


def test_an_interrupted_removal_leaves_no_half(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is partly removed has another name, and the next removal takes it along."""

    def fail(path: Path) -> None:
        raise OSError(5, "Input/output error", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", fail)
        with pytest.raises(RigError, match="cannot be removed"):
            remove(data_dir)

    assert kept_data(data_dir) is None
    data_dir.mkdir()
    remove(data_dir)
    assert list(data_dir.parent.iterdir()) == []
