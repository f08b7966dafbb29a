"""The start of the `orderboard` command, and its errors."""

import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from orderboard.cli.app import app
from typer.testing import CliRunner

# Ctrl-C at the moment in which the first large library is imported.
_INTERRUPTED_AT_IMPORT = """
import signal, sys

class Interrupt:
    def find_spec(self, name, *_):
        if name == "typer":
            signal.raise_signal(signal.SIGINT)

from orderboard.cli.main import main
sys.meta_path.insert(0, Interrupt())
main()
"""


def test_an_early_ctrl_c_ends_it_without_a_traceback() -> None:
    """Ctrl-C while the command still imports prints nothing, and nothing has started."""
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_AT_IMPORT], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == -signal.SIGINT
    assert done.stderr == ""


def test_a_state_folder_that_cannot_be_used_is_an_error_in_one_line_with_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is a file, or on a full or read-only disk, is named, with how to choose another."""
    (file := tmp_path / "file").touch()
    monkeypatch.setenv("ORDERBOARD_STATE_DIR", str(file))

    for command in ("up", "down", "status", "demo"):
        done = CliRunner().invoke(app, [command])
        assert done.exit_code == 1
        assert str(file) in done.stderr
        assert "ORDERBOARD_STATE_DIR names another" in done.stderr
        assert len(done.stderr.strip().splitlines()) <= 2, done.stderr


def test_the_version_is_printed() -> None:
    """`--version` prints the version and does nothing else."""
    done = CliRunner().invoke(app, ["--version"])

    assert (done.exit_code, done.stdout) == (0, f"orderboard {version('orderboard')}\n")


@pytest.mark.parametrize("url", ["foo", "127.0.0.1:4566", "ftp://127.0.0.1"])
def test_an_endpoint_that_is_not_a_url_is_wrong_usage(url: str) -> None:
    """The error names the option, the value and the expected form; nothing is contacted."""
    done = CliRunner().invoke(app, ["status", "--endpoint-url", url])

    assert done.exit_code == 2
    assert f"--endpoint-url '{url}' is not a URL. Give it as http://HOST:PORT." in done.stderr


@pytest.mark.parametrize("option", ["--prefix", "--stack-name"])
@pytest.mark.parametrize("value", ["A B", "", "1st", "tea_room"])
def test_a_name_that_aws_would_reject_is_wrong_usage(option: str, value: str) -> None:
    """A prefix or a stack's name is checked before anything is packed or contacted."""
    done = CliRunner().invoke(app, ["deploy", option, value])

    assert done.exit_code == 2
    assert f"{option} {value!r}: expected l" in done.stderr
    assert "letters, digits and hyphens" in done.stderr


def test_help_shows_no_type_for_flags() -> None:
    """Half of 80 columns stays for the help texts."""
    assert "<bool>" not in CliRunner().invoke(app, ["up", "--help"]).stdout
