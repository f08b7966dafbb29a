"""The workshop's failures: one line with the fix, and the progress stays as it was."""

import sys
from pathlib import Path

import httpx
import pytest
from orderboard.cli.app import app
from orderboard.console.routes import create_app
from orderboard.console.source import Source
from orderboard.system.state import State, StateFile
from orderboard.system.workspace import STATE_DIR_VARIABLE, find_workspace
from orderboard.workshop.progress import Progress, ProgressFile
from typer.testing import CliRunner, Result

_HERE = "http://127.0.0.1:8080"
_ACTIONS = [("skip", "1"), ("hint", "1"), ("solution", "1"), ("status",)]


def _run(*words: str) -> Result:
    return CliRunner().invoke(app, ["workshop", *words])


async def _on_the_page(path: str, **body: object) -> httpx.Response:
    transport = httpx.ASGITransport(app=create_app(Source(find_workspace())), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=_HERE, headers={"Origin": _HERE}) as client:
        return await (client.post(path, json=body) if body else client.get(path))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProgressFile:
    """The progress of an attendee who has skipped exercise 3, and for whom no system may be started."""
    monkeypatch.setenv(STATE_DIR_VARIABLE, str(tmp_path))
    monkeypatch.setattr("orderboard.cli.workshop.exercises._start_system", lambda: pytest.fail("a system starts"))
    file = ProgressFile(tmp_path)
    file.write(Progress().changed(3, skipped=True))
    return file


async def test_a_full_disk_loses_no_progress(file: ProgressFile, tmp_path: Path) -> None:
    """The command and the page name the file and the reason; with space again the same command works."""
    before = file.read()
    (tmp_path / "workshop.partial").symlink_to("/dev/full")

    refused = _run("skip", "1")
    on_page = await _on_the_page("/api/workshop/quiz/answer", number=1, choice=1)

    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1
    for said in (refused.stderr, on_page.json()["message"]):
        assert f"{tmp_path / 'workshop.json'}: No space left on device" in said
    assert file.read() == before
    (tmp_path / "workshop.partial").unlink()
    assert _run("skip", "1").exit_code == 0


@pytest.mark.skipif(sys.platform != "linux", reason="/sys is a folder in which nobody can create another one")
async def test_a_state_folder_that_cannot_be_written(file: ProgressFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading works; a command that keeps something says that the folder cannot be created."""
    del file
    monkeypatch.setenv(STATE_DIR_VARIABLE, "/sys/orderboard")

    assert _run("list").exit_code == 0
    refused = _run("skip", "1")
    on_page = await _on_the_page("/api/workshop/quiz/answer", number=1, choice=1)

    assert refused.exit_code == 1
    assert "The state folder /sys/orderboard cannot be created" in refused.stderr
    assert STATE_DIR_VARIABLE in refused.stderr
    assert (on_page.status_code, "/sys/orderboard" in on_page.json()["message"]) == (500, True)


@pytest.mark.parametrize("damage", [b"\xff{", b'{"records": {"one": 1}}'])
async def test_a_damaged_progress_stops_nothing_but_itself(file: ProgressFile, tmp_path: Path, damage: bytes) -> None:
    """Every command, and the page, name `reset --all`, start nothing and change nothing; that repairs it."""
    (tmp_path / "workshop.json").write_bytes(damage)

    for words in (*_ACTIONS, ("start",)):
        refused = _run(*words)
        assert (refused.exit_code, "workshop reset --all" in refused.stderr) == (1, True), words
    on_page = await _on_the_page("/api/workshop")
    assert "workshop reset --all" in on_page.json()["message"]
    assert (tmp_path / "workshop.json").read_bytes() == damage

    assert _run("reset", "--all", "--yes").exit_code == 0
    assert file.read().records == {}


async def test_the_command_and_the_page_do_not_work_at_once(file: ProgressFile) -> None:
    """While one holds the exercise the other is refused with the reason, and changes nothing."""
    before = file.read()
    with file.locked():
        refused = _run("skip", "1")
        acted = await _on_the_page("/api/workshop/do", number=1, action="skip")
        answered = await _on_the_page("/api/workshop/quiz/answer", number=1, choice=1)

    assert refused.exit_code == 1
    for said in (refused.stderr, acted.text, answered.text):
        assert "Another command works on this exercise" in said
    assert file.read() == before


@pytest.mark.parametrize(
    ("backend", "allow_faults", "problem"),
    [
        ("localstack", True, "localstack runs. End it:"),
        ("embedded", False, "does not accept faults. End it"),
        ("embedded", True, "localbus does not answer. End what is left"),  # as after the machine's restart
    ],
)
def test_a_system_that_cannot_be_used_is_named(
    file: ProgressFile, tmp_path: Path, backend: str, allow_faults: bool, problem: str
) -> None:
    """`start` and `open` leave a system of another kind alone, and the progress too."""
    StateFile(tmp_path).write(
        State.model_validate(
            {
                "backend": backend,
                "endpoint_url": "http://127.0.0.1:1",
                "region": "eu-central-1",
                "stack_name": "orderboard",
                "prefix": "orderboard",
                "api_url": "http://127.0.0.1:2",
                "allow_faults": allow_faults,
                "processes": [],
            }
        )
    )
    before = file.read()

    for words in (("start",), ("open", "1")):
        refused = _run(*words)
        assert (refused.exit_code, problem in refused.stderr) == (1, True), refused.stderr
    assert file.read() == before
