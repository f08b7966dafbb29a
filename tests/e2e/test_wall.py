"""The wall and its attendees as processes."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from e2e.command import Command


@contextmanager
def _wall(trainer: Command) -> Iterator[str]:
    """Run a wall with a token; give the address that it prints. Ctrl-C ends it."""
    process = trainer.start("workshop", "wall", "--port", "0", "--token", "right-token")
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == 128 + signal.SIGINT


def _rows(url: str) -> list[dict[str, Any]]:
    headers = {"Authorization": "Bearer right-token"}
    found = httpx.get(f"{url.partition('#')[0]}api/wall", headers=headers, trust_env=False).json()
    rows: list[dict[str, Any]] = found["attendees"]
    return rows


def _done(answer: "subprocess.CompletedProcess[str]") -> str:
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_an_attendee_joins_the_wall_and_a_change_is_shown(tmp_path: Path) -> None:
    """A change of the command line has been reported by its end. Slow: three processes."""
    trainer, attendee = Command(tmp_path / "trainer"), Command(tmp_path / "attendee")
    with _wall(trainer) as url:
        joined = _done(attendee.run("workshop", "join", "--name", "Ada", "--wall", url))
        assert "It gets your name; and of each exercise its status" in joined
        _done(attendee.run("workshop", "skip", "2"))

        assert [(each["name"], each["cells"]["2"]["status"]) for each in _rows(url)] == [("Ada", "skipped")]
