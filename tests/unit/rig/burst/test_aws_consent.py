"""A burst to AWS through the command line: its cost first, then consent. A server in this process is the account."""

import os
import pty
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NoReturn
from urllib.parse import parse_qs

import pytest
from orderboard.cli.app import app
from orderboard.errors import RigError
from orderboard.system.workspace import STATE_DIR_VARIABLE
from typer.main import get_command

IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/ada</Arn><UserId>AIDAEXAMPLE</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""
DENIED = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not today</Message></Error></ErrorResponse>"
# AWS_ENDPOINT_URL itself is refused with --backend aws, as it is not AWS; these cover every service that is called.
SERVICES = ("STS", "S3", "CLOUDFORMATION", "SQS", "SNS", "EVENTBRIDGE", "DYNAMODB", "LAMBDA", "IAM", "CLOUDWATCH_LOGS")
BURST = ("burst", "--backend", "aws", "--orders", "1000")


class Account(ThreadingHTTPServer):
    """An AWS account that names the user, and denies everything else."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []  # the action of each request, or its path


class _Handler(BaseHTTPRequestHandler):
    server: Account

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
        action = parse_qs(body).get("Action", [f"{self.command} {self.path}"])[0]
        self.server.asked.append(action)
        is_identity = action == "GetCallerIdentity"
        answer = (IDENTITY if is_identity else DENIED).encode()
        self.send_response(200 if is_identity else 403)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the names of http.server

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Account]:
    """The account, and an environment in which no request can leave this machine. A deployment is not packed."""

    def pack(*_: object) -> NoReturn:
        raise RigError("It goes on to the deployment.")

    monkeypatch.setattr("orderboard.system.deploy.pack_functions", pack)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv(STATE_DIR_VARIABLE, str(tmp_path / "state"))
    with Account() as server:
        for service in SERVICES:
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch, typed: str) -> Iterator[list[str]]:
    """A terminal as stdin, stdout and stderr, on which this is typed; what it showed is there at the end."""
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    shown: list[bytes] = []
    said: list[str] = []

    def read() -> None:
        try:
            while chunk := os.read(ours, 4096):
                shown.append(chunk)
        except OSError:  # the other side is closed
            return

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    with open(theirs, "r+b", buffering=0) as raw:
        streams = [os.fdopen(os.dup(raw.fileno()), mode, encoding="utf-8") for mode in ("r", "w", "w")]
        for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
            monkeypatch.setattr(sys, name, stream)
        os.write(ours, typed.encode())
        try:
            yield said
        finally:
            monkeypatch.undo()
            for stream in streams:
                stream.close()
    thread.join()
    os.close(ours)
    said.append(b"".join(shown).decode())


def exit_code(*words: str) -> int:
    """Run the command in this process."""
    with pytest.raises(SystemExit) as ended:
        get_command(app)([*BURST, *words])
    return int(str(ended.value.code))


def kept(tmp_path: Path) -> list[Path]:
    """The folders of runs."""
    return [*(tmp_path / "state" / "bursts").glob("*")]


def test_without_a_terminal_a_burst_to_aws_needs_yes(
    account: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the cost and the account, does nothing else, and leaves no folder; a wrong usage, exit code 2."""
    assert exit_code() == 2

    said = " ".join(capsys.readouterr().err.split())
    assert "Estimated cost on AWS: at most 0.0" in said
    assert "This uses the AWS account 123456789012 in eu-central-1, as arn:aws:iam::123456789012:user/ada." in said
    assert "Nothing was done. Add --yes to confirm." in said
    assert set(account.asked) == {"GetCallerIdentity"}
    assert kept(tmp_path) == []


def test_a_cap_below_the_cost_ends_it_before_the_account_is_asked(
    account: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also with --yes; no request is made, and no folder."""
    assert exit_code("--max-cost", "0.0001", "--yes") == 2

    said = " ".join(capsys.readouterr().err.split())
    assert "--max-cost 0.0001: this may cost 0.0" in said
    assert "Nothing was sent. Send fewer orders, or raise --max-cost." in said
    assert account.asked == []
    assert kept(tmp_path) == []


@pytest.mark.parametrize(("answer", "goes_on"), [("no", False), ("", False), ("yes", True)])
def test_at_a_terminal_it_asks(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, goes_on: bool
) -> None:
    """Only the word yes goes on."""
    with terminal(monkeypatch, f"{answer}\n") as said:
        assert exit_code() == 1

    shown = " ".join(said[0].split())
    assert "Go on? Type yes:" in shown
    assert shown.index("Estimated cost on AWS") < shown.index("the AWS account 123456789012") < shown.index("Go on?")
    assert ("Nothing was done." in shown, "It goes on to the deployment." in shown) == (not goes_on, goes_on)
    assert set(account.asked) == {"GetCallerIdentity"}
    assert kept(tmp_path) == []


def test_yes_asks_nobody(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """The cost and the account are named all the same."""
    assert exit_code("--yes", "--max-cost", "1") == 1

    said = " ".join(capsys.readouterr().err.split())
    assert "Estimated cost on AWS" in said
    assert "This uses the AWS account 123456789012" in said
    assert "Go on?" not in said
    assert "It goes on to the deployment." in said
