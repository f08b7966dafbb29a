"""The environment that leads AWS clients to a backend, for `orderboard env` and `orderboard aws`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from orderboard.errors import RigError, UsageError
from orderboard.system.client_environment import aws_command, client_environment, in_shell
from orderboard_stack.backend import Endpoint

LOCAL = Endpoint("embedded", "http://127.0.0.1:4566", "eu-west-1")
AWS = Endpoint("aws", None, "eu-west-1")
URL = ["--endpoint-url", "http://127.0.0.1:4566"]
HOSTILE = 'it\'s "$HOME" `id` \\ \n*'


@pytest.fixture
def path(tmp_path: Path) -> dict[str, str]:
    """A shell with an `aws` command."""
    (tmp_path / "aws").write_text("#!/bin/sh\n")
    (tmp_path / "aws").chmod(0o755)
    return {"PATH": str(tmp_path)}


def test_what_would_lead_past_the_backend_is_unset() -> None:
    """A profile, a session and the endpoint of one service outweigh AWS_ENDPOINT_URL or the keys; others stay."""
    shell = {"AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "x", "AWS_ENDPOINT_URL_SQS": "https://x", "AWS_PAGER": "less"}

    assert client_environment(LOCAL, shell) == {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:4566",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL_SQS": None,
        "AWS_PROFILE": None,
        "AWS_SESSION_TOKEN": None,
    }


def test_aws_gets_its_region_only() -> None:
    """The user's own credentials and settings are those of the account."""
    assert client_environment(AWS, {"AWS_PROFILE": "work"}) == {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        ({}, None),
        ({"https_proxy": "http://proxy"}, "127.0.0.1"),
        ({"HTTP_PROXY": "http://proxy", "NO_PROXY": "a.example"}, "a.example,127.0.0.1"),
        ({"HTTP_PROXY": "http://proxy", "no_proxy": "*"}, "*"),
        ({"HTTP_PROXY": "http://proxy", "NO_PROXY": "127.0.0.1"}, "127.0.0.1"),
    ],
)
def test_a_proxy_is_not_for_this_machine(shell: dict[str, str], expected: str | None) -> None:
    """The backend is an exception to the shell's proxy, beside those that it has."""
    found = client_environment(LOCAL, shell)

    assert (found.get("NO_PROXY"), found.get("no_proxy")) == (expected, expected)


def test_a_shell_gets_every_value_as_it_is() -> None:
    """Quotes, dollars, backticks and line breaks survive `eval`, and what is to be unset is gone."""
    lines = "\n".join(in_shell({"A": HOSTILE, "B": None, "C": ""}, "sh"))
    script = 'eval "$1"; exec "$2" -c "import json, os; print(json.dumps(dict(os.environ)))"'

    done = subprocess.run(
        ["sh", "-c", script, "sh", lines, sys.executable],
        env={"B": "before"},
        capture_output=True,
        text=True,
        check=True,
    )

    found = json.loads(done.stdout)
    assert (found["A"], found.get("B"), found["C"]) == (HOSTILE, None, "")


def test_other_shells_have_their_own_quotes() -> None:
    """In single quotes, fish knows backslashes, PowerShell doubled quotes."""
    assert in_shell({"A": "it's \\", "B": None}, "fish") == ["set -gx A 'it\\'s \\\\';", "set -e B;"]
    assert in_shell({"A": "it's \\", "B": None}, "powershell") == [
        "$env:A = 'it''s \\'",
        "Remove-Item Env:B -ErrorAction Ignore",
    ]


def test_the_aws_command_cannot_miss_the_endpoint(path: dict[str, str]) -> None:
    """It is an option too, since version 1 of the CLI ignores AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_SQS for SQS."""
    shell = path | {"AWS_PROFILE": "work", "AWS_PAGER": ""}

    command, environment = aws_command(LOCAL, ["sqs", "list-queues"], shell)

    assert command == [f"{path['PATH']}/aws", *URL, "--region", "eu-west-1", "sqs", "list-queues"]
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert (environment["AWS_ACCESS_KEY_ID"], environment["AWS_PAGER"]) == ("test", "")
    assert "AWS_PROFILE" not in environment


def test_another_region_may_be_given(path: dict[str, str]) -> None:
    """The backend has all of them."""
    for region in (["--region", "us-west-2"], ["--region=us-west-2"]):
        command, _ = aws_command(LOCAL, ["sqs", "list-queues", *region], path)
        assert command[1:] == [*URL, "sqs", "list-queues", *region]


def test_on_aws_there_is_no_endpoint(path: dict[str, str]) -> None:
    """The region is that of the system."""
    assert aws_command(AWS, ["sts", "get-caller-identity"], path)[0][1:3] == ["--region", "eu-west-1"]


@pytest.mark.parametrize("option", ["--endpoint-url", "--endpoint-url=x", "--endpoint", "--e", "--profile", "--prof=x"])
def test_an_option_that_leads_elsewhere_is_refused(path: dict[str, str], option: str) -> None:
    """Shortened too, as the CLI takes it; the error says why."""
    full = "--profile" if option.startswith("--p") else "--endpoint-url"

    with pytest.raises(UsageError, match=rf"^{full} cannot be given: .* running system\. Leave it out, or"):
        aws_command(LOCAL, ["sqs", "list-queues", option, "x"], path)


@pytest.mark.parametrize(
    "word", ["--entries", "--parameters", "-", "--", "--endpoint-arn", "--protocol", "e", "--profiles"]
)
def test_other_words_are_not_mistaken_for_them(path: dict[str, str], word: str) -> None:
    """Options of single actions begin like those of the CLI."""
    assert aws_command(LOCAL, ["sns", "x", word], path)[0][-1] == word


def test_without_the_cli_the_error_says_how_to_install_it(tmp_path: Path) -> None:
    """Both versions are named."""
    with pytest.raises(
        RigError, match=r"aws\) is not on PATH\. Install version 1 with `pip install awscli`, or version 2"
    ):
        aws_command(LOCAL, ["sqs", "list-queues"], {"PATH": str(tmp_path)})
