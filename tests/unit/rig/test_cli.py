"""The start of the `orderboard` command, and its errors."""

import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError
from orderboard.cli.app import app
from orderboard.system.command_line import to_paste
from orderboard.system.state import State, StateFile
from typer.testing import CliRunner

_SYSTEM = State(
    backend="embedded",
    endpoint_url="http://127.0.0.1:1",
    region="us-east-1",
    stack_name="orderboard",
    prefix="orderboard",
    api_url="http://127.0.0.1:2",
    processes=(),
)
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
    for folder in (file, file / "deeper", Path("/proc/x")):
        monkeypatch.setenv("ORDERBOARD_STATE_DIR", str(folder))
        for command in ("up", "down", "demo", "burst"):
            done = CliRunner().invoke(app, [command])
            assert done.exit_code == 1
            (*_, error) = done.stderr.strip().splitlines()
            assert error.startswith(f"orderboard: The state folder {folder} cannot be created: ")
            assert error.endswith(". Set ORDERBOARD_STATE_DIR to a folder that you can write to.")
            assert len(done.stderr.strip().splitlines()) <= 2, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        *(["env"], ["aws", "sqs", "list-queues"], ["aws", "--endpoint-url", "http://127.0.0.1:9", "sqs"]),
        *(["journal"], ["journal", "9b2d1f0e"], ["peek", "work"], ["send", "work", "x"], ["publish", "orders", "x"]),
        *(["put-event", "{}", "--source", "s", "--detail-type", "t"], ["clock"], ["clock", "+1s"]),
        *(["faults", "none"], ["disorder"], ["worker"], ["worker", "stop"], ["worker", "add"]),
    ],
    ids=" ".join,
)
def test_without_a_system_the_error_says_how_to_start_one(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, exit 1, and nothing is written."""
    monkeypatch.setenv("ORDERBOARD_STATE_DIR", str(tmp_path / "state"))

    done = CliRunner().invoke(app, arguments)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("orderboard: Nothing is running here. Start it with `")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "state").exists()


def test_a_backend_that_has_gone_is_one_line_with_what_to_look_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command that goes on, such as `logs --follow`, ends so after `down` in another terminal."""

    def gone(*_: object, **__: object) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1/")

    monkeypatch.setattr("orderboard.system.connect.connect", gone)

    done = CliRunner().invoke(app, ["alarms", "--endpoint-url", "http://127.0.0.1:1"])

    assert done.exit_code == 1
    assert "orderboard: the backend does not answer: Could not connect" in done.stderr
    assert done.stderr.strip().endswith("orderboard status")


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


@pytest.mark.parametrize("command", ["place", "console"])
@pytest.mark.parametrize("url", ["foo", "http://", "http://[", "http://127.0.0.1:port", "http://a..b"])
def test_an_api_address_that_is_not_a_url_is_wrong_usage(command: str, url: str) -> None:
    """--api-url is checked like --endpoint-url, before anything is read or sent."""
    done = CliRunner().invoke(app, [command, "--api-url", url])

    assert done.exit_code == 2
    assert f"--api-url '{url}' is not a URL. Give it as http://HOST:PORT." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["burst", "--orders", "0"], "--orders 0: expected a whole number from 1."),
        (["burst", "--rate", "fast"], "--rate fast: expected a number."),
        (["demo", "--workers", "99"], "--workers 99: expected a whole number from 1 to 32."),
        (["up", "--port", "http"], "--port http: expected a whole number from 1 to 65,535."),
        (["calibrate", "--backlog", "3"], "--backlog 3: expected a whole number from 10 to 1,000,000."),
        (["status", "--backend", "gcp"], "--backend gcp: expected embedded, ministack, localstack or aws."),
        (
            ["deploy", "--parameter", "WorkerCompute=both"],
            "--parameter WorkerCompute=both: expected container or lambda, as --worker if given.",
        ),
        (
            ["deploy", "--worker", "container", "--parameter", "WorkerCompute=lambda"],
            "--parameter WorkerCompute=lambda: expected container or lambda, as --worker if given.",
        ),
        (["worker", "pause"], "ACTION pause: expected list, stop, start, kill, freeze, thaw, add or set."),
        (["bursts", "schema", "all"], "DOCUMENT all: expected run, comparison or config."),
        (["workshop", "quiz", "one"], "N one: expected a whole number."),
    ],
)
def test_a_value_out_of_range_is_named_with_what_is_expected(arguments: list[str], error: str) -> None:
    """The error names the option or the argument, the value and its range, in one line."""
    done = CliRunner().invoke(app, arguments)

    assert (done.exit_code, done.stderr) == (2, f"orderboard: {error}\n")


def test_no_orders_are_wrong_usage() -> None:
    """An empty input is an error that says how to give orders."""
    done = CliRunner().invoke(app, ["place", "--api-url", "http://127.0.0.1:9"], input="\n")

    assert done.exit_code == 2
    assert "No orders on standard input: give a file, or pipe one JSON object a line." in done.stderr


def test_commands_in_errors_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that an error names has the state folder and, where `orderboard` is not on PATH, its path."""
    monkeypatch.setenv("ORDERBOARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(Path(sys.executable).parent.parent)

    done = CliRunner().invoke(app, ["status"])

    assert f"Start it with `ORDERBOARD_STATE_DIR={tmp_path} bin/orderboard up`" in done.stderr


def test_every_command_in_a_message_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is added later is known as one; other words after the project's name are not."""
    monkeypatch.setenv("ORDERBOARD_STATE_DIR", str(tmp_path))
    callbacks = [each.callback for each in app.registered_commands]
    names = [each.__name__.replace("_", "-") for each in callbacks if each]
    names += [each.name or "" for each in app.registered_groups]

    assert len(names) > 20
    assert [name for name in names if not to_paste(f"orderboard {name}").startswith("ORDERBOARD_STATE_DIR=")] == []
    assert to_paste("the stack orderboard is old") == "the stack orderboard is old"


def test_program_of_an_exercise_runs_with_this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """If PATH has another Python, or none, the command has the path of the one that has the packages."""
    monkeypatch.delenv("ORDERBOARD_STATE_DIR", raising=False)
    folder = Path(sys.executable).parent
    monkeypatch.chdir(folder.parent)

    monkeypatch.setenv("PATH", "/nowhere")
    assert to_paste("Run python workshop/x.py") == f"Run bin/{Path(sys.executable).name} workshop/x.py"
    monkeypatch.setenv("PATH", str(folder))
    assert to_paste("Run python workshop/x.py") == "Run python workshop/x.py"


@pytest.mark.parametrize(
    ("command", "runs_on", "text"),
    [
        ("show", False, ""),
        ("up", False, " Everything that this command started has ended."),
        ("up", True, " The system runs on. End it: "),
        ("burst", True, " Everything that this command started has ended."),
    ],
)
def test_an_interrupted_command_says_only_what_is_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, runs_on: bool, text: str
) -> None:
    """A command that starts nothing does not say that it has ended; `up` may be interrupted while it prints."""
    monkeypatch.setenv("ORDERBOARD_STATE_DIR", str(tmp_path))

    def interrupted(*_: object, **__: object) -> None:
        if runs_on:
            StateFile(tmp_path).write(_SYSTEM)
        raise KeyboardInterrupt

    for name in ("system.connect.find_endpoint", "system.lifecycle.up", "burst.plan.plan_burst"):
        monkeypatch.setattr(f"orderboard.{name}", interrupted)

    done = CliRunner().invoke(app, [command, *(["9b2d1f0e"] if command == "show" else [])])

    assert done.exit_code == 130
    assert done.stderr.startswith(f"Interrupted.{text}")
    assert text or done.stderr == "Interrupted.\n"


def test_commands_are_short_where_they_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `orderboard` on PATH and the usual state folder its name is enough; other words stay as they are."""
    monkeypatch.delenv("ORDERBOARD_STATE_DIR", raising=False)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    text = "The stack orderboard is old: orderboard up, then `orderboard show ID`."

    assert to_paste(text) == text


@pytest.mark.parametrize("option", ["--prefix", "--stack-name"])
@pytest.mark.parametrize("value", ["A B", "", "1st", "tea_room"])
def test_a_name_that_aws_would_reject_is_wrong_usage(option: str, value: str) -> None:
    """A prefix or a stack's name is checked before anything is packed or contacted."""
    done = CliRunner().invoke(app, ["deploy", option, value])

    assert done.exit_code == 2
    assert f"{option} {value!r}: expected l" in done.stderr
    assert "letters, digits and hyphens" in done.stderr


@pytest.mark.parametrize("words", [(), ("up",), ("lab",), ("workshop",), ("workshop", "quiz"), ("bursts",)])
def test_help_shows_no_type_for_flags(words: tuple[str, ...]) -> None:
    """Half of 80 columns stays for the help texts, of each level."""
    assert "<bool>" not in CliRunner().invoke(app, [*words, "--help"]).stdout


def test_help_imports_nothing_that_only_commands_need() -> None:
    """Each command imports what it needs when it runs, so all answer sooner; these take 20 to 100 ms each."""
    slow = ["aiobotocore", "aiohttp", "boto3", "botocore", "httpx", "markdown_it", "pydantic", "pygments", "starlette"]
    program = f"import sys, orderboard.cli.app; print(*sys.modules.keys() & {{*{slow}}})"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []
