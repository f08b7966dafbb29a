"""The doctor's findings, each with its fix."""

from dataclasses import replace
from pathlib import Path

from orderboard.system.doctor import Finding, dependencies, examine, pins, python
from orderboard.system.workspace import find_workspace

LOCK = """\
aiohttp==3.14.5 \\
    --hash=sha256:0123
Colour_Ama==0.4.6 ; sys_platform == 'nonesuch' \\
    --hash=sha256:0123
typing.extensions==4.16.0 ; python_full_version >= '3.0' \\
    --hash=sha256:0123
"""


def test_pins_of_this_machine_only() -> None:
    """A pin whose marker is for another machine does not count; names are in their canonical form."""
    assert list(pins(LOCK)) == [("aiohttp", "3.14.5"), ("typing-extensions", "4.16.0")]


def test_all_as_pinned() -> None:
    """Nothing is to be fixed when every version is as pinned."""
    finding = dependencies(LOCK, dict(pins(LOCK)).get)

    assert (finding.verdict, finding.fix) == ("good", "")


def test_another_version_and_a_missing_one() -> None:
    """A different version and a missing package are named, with how to set it up again."""
    finding = dependencies(LOCK, {"aiohttp": "3.0.0"}.get)

    assert finding.verdict == "bad"
    assert finding.found == "aiohttp 3.0.0 instead of 3.14.5, typing-extensions missing instead of 4.16.0"
    assert "make" in finding.fix


def test_an_old_python() -> None:
    """A Python that is too old is bad, a new one is good."""
    assert python((3, 10)).verdict == "bad"
    assert python((3, 11)) == Finding("Python", "good", "3.11")


def test_a_state_folder_that_cannot_be_used(tmp_path: Path) -> None:
    """It is one finding with its fix; every other check is made all the same."""
    (file := tmp_path / "file").touch()

    found = {each.subject: each for each in examine(replace(find_workspace(), state_dir=file), "embedded")}

    assert (found["State folder"].verdict, found["State folder"].fix) == (
        "bad",
        "Set ORDERBOARD_STATE_DIR to a folder that you can write to",
    )
    assert found["System"].verdict == "optional"
    assert {"Python", "Dependencies", "Port 8000"} <= found.keys()
