"""localbus used alone: from the command line, and as a pytest fixture."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from localbus.pytest_plugin import Localbus

COMMAND = (sys.executable, "-m", "localbus")


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process on a free port, and its first line of output."""
    command = [*COMMAND, "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            process.kill()


def test_the_command_line() -> None:
    """It prints its URL within five seconds (usually one), with a clock that stands at the start, and exits at once."""
    begin, started_at = time.monotonic(), time.time()
    with started("--manual-clock") as (process, line):
        assert line.startswith("localbus listens on http://127.0.0.1:")
        assert time.monotonic() - begin < 5
        clock = httpx.get(f"{line.split()[-1]}/_localbus/clock").json()
        assert clock["manual"] is True
        assert int(started_at) <= clock["now"] <= time.time()

        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=5) == 0


def test_a_start_imports_no_more_than_it_needs() -> None:
    """An engine that died is back within a second: what few requests need is imported with the first of them."""
    slow = (
        "botocore.model",
        "cryptography",
        "email.message",
        "http.client",
        "importlib.metadata",
        "urllib.request",
        "yaml",
    )
    program = f"import sys, localbus.__main__; print(*sys.modules.keys() & {{*{slow}}})"

    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert done.stdout.split() == []


@pytest.mark.parametrize("options", [(), ("--quiet",)])
def test_a_lost_message_is_a_line_on_standard_error(options: tuple[str, ...]) -> None:
    """The first message that a queue without a policy does not get is reported, the others are counted at the end."""
    with started(*options) as (process, line):
        url = line.split()[-1]
        sqs, sns = (partial(call, url, version) for version in ("2012-11-05", "2010-03-31"))
        sqs(Action="CreateQueue", QueueName="q")
        topic = "arn:aws:sns:us-east-1:000000000000:t"
        sns(Action="CreateTopic", Name="t")
        queue = "arn:aws:sqs:us-east-1:000000000000:q"
        sns(Action="Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=queue)
        for _ in range(3):
            sns(Action="Publish", TopicArn=topic, Message="m")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=5)

    if options:
        assert errors == ""
        return
    first, more = errors.splitlines()
    assert re.match(
        rf"WARNING localbus dropped message [0-9a-f-]{{36}} from {topic} to {queue}: Access to the res", first
    )
    assert more == (
        f"WARNING localbus dropped 2 more from {topic} to {queue} (AccessDeniedException). "
        "Each of them: GET /_localbus/journal?event=dropped"
    )


def call(url: str, version: str, **form: str) -> None:
    """Send a request of the Query protocol."""
    httpx.post(url, data={"Version": version, **form}).raise_for_status()


def test_ctrl_c_is_quiet() -> None:
    """An interrupt ends the process without output, also while clients wait."""
    with started() as (process, line), httpx.stream("GET", f"{line.split()[-1]}/_localbus/journal?follow=1") as journal:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=5)

        with pytest.raises(httpx.TransportError):
            journal.read()

    assert (process.returncode, errors) == (0, "")


def test_the_fixture_is_quick(localbus: Localbus) -> None:
    """A new engine takes less than 200 ms (the best of three), and begins at the present second."""
    took_s, started_at = [], int(time.time())
    for _ in range(3):
        begin = time.monotonic()
        another = Localbus().start()
        took_s.append(time.monotonic() - begin)
        assert another.url != localbus.url
        assert another.clock.now() in range(started_at, int(time.time()) + 1)
        another.stop()

    assert min(took_s) < 0.2


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=20)


def test_a_port_in_use(tmp_path: Path) -> None:
    """The error is one line, with a fix."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("--port", port), run("--port", "0", "--tls", str(tmp_path), "--tls-port", port)

    for one, option in zip(done, ("--port", "--tls-port"), strict=True):
        assert one.returncode == 1
        found = rf"localbus: port {port} of 127.0.0.1 is already in use. Choose another with {option}, .*\n"
        assert re.fullmatch(found, one.stderr)


def test_a_certificate_that_cannot_be_kept() -> None:
    """The error names the folder and the option."""
    done = run("--port", "0", "--tls", "/dev/null/localbus")

    assert done.returncode == 1
    assert done.stderr == (
        "localbus: cannot read or write /dev/null/localbus: Not a directory. Name another folder with --tls FOLDER.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--port", "70000"], "invalid port '70000': expected 0 to 65535"),
        (["--port", "x"], "invalid port 'x': expected 0 to 65535"),
        (["--allow-origin", "foo"], "invalid origin 'foo': expected scheme://host[:port], or *"),
        (["--allow-origin", "https://shop.example/"], "invalid origin 'https://shop.example/': expected scheme://host"),
        (["--public-url", "bus.example"], "invalid public URL 'bus.example': expected http://HOST[:PORT] or https"),
        (["--upstream", "127.0.0.1:4567"], "invalid upstream URL '127.0.0.1:4567': expected http://HOST:PORT"),
        (["--disorder", "duplicate=1"], "unknown setting 'duplicate': expected seed, duplicates"),
        (["--disorder", "duplicates"], "invalid duplicates '': expected a number"),
        (["--disorder", "duplicates=2"], "invalid duplicates 2.0: expected a probability from 0 to 1"),
    ],
)
def test_invalid_options(arguments: list[str], error: str) -> None:
    """An error on the command line names the value, without a traceback."""
    done = run(*arguments)

    assert done.returncode == 2
    assert error in done.stderr
    assert "Traceback" not in done.stderr


def test_help_and_version() -> None:
    """--help explains every option; --version prints the version."""
    options = {
        "port",
        "upstream",
        "disorder",
        "allow-origin",
        "manual-clock",
        "no-policies",
        "sign-everything",
        "version",
    }

    assert options <= set(re.findall(r"--([a-z-]+)", run("--help").stdout))
    assert re.fullmatch(r"localbus \d+\.\d+\.\d+\n", run("--version").stdout)


def test_a_replay_of_the_last_hour() -> None:
    """An engine as the plugin has it begins at the present, so that today's dates mean what was put just now."""
    engine, bus = Localbus().start(), "arn:aws:events:us-east-1:000000000000:event-bus/default"
    events, now = engine.client("events"), datetime.now(UTC)
    archive = events.create_archive(ArchiveName="a", EventSourceArn=bus)["ArchiveArn"]
    events.put_events(Entries=[{"Source": "s", "DetailType": "t", "Detail": "{}"}])
    engine.advance(600)

    hour = {"EventStartTime": now - timedelta(hours=1), "EventEndTime": now + timedelta(seconds=1)}
    events.start_replay(ReplayName="r", EventSourceArn=archive, Destination={"Arn": bus}, **hour)
    engine.advance(600)

    assert [entry.event for entry in engine.engine.journal.entries(resource=bus)].count("published") == 2
    engine.stop()


def test_who_am_i(localbus: Localbus) -> None:
    """GetCallerIdentity returns the account of the credentials, which Terraform and CDK ask for first."""
    identity = localbus.client("sts", account="123456789012").get_caller_identity()

    expected = {"UserId": "123456789012", "Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/localbus"}
    assert {name: identity[name] for name in expected} == expected


def test_the_health_that_localstack_has(localbus: Localbus) -> None:
    """Tools that wait for LocalStack find every service running."""
    health = httpx.get(f"{localbus.url}/_localstack/health").json()

    assert set(health["services"].items()) >= {("sqs", "running"), ("sns", "running"), ("events", "running")}
