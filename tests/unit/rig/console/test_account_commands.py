"""The commands that the page Resources shows have the same effect as its actions."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from localbus.pytest_plugin import Localbus
from orderboard.cli.app import app
from orderboard.console.account.actions import MessageBody, ResourceActions
from orderboard.console.account.reading import Account
from orderboard.console.source import Source
from orderboard.system.workspace import Workspace
from support.localbus import new_queue
from typer.testing import CliRunner


@pytest.fixture
def actions(localbus: Localbus, tmp_path: Path) -> Iterator[ResourceActions]:
    """The page's actions on a localbus alone."""
    source = Source(Workspace(tmp_path, tmp_path), endpoint_url=localbus.url)
    yield ResourceActions(Account(source))
    engine = source.localbus()
    assert engine is not None
    engine.close()


@pytest.mark.parametrize("body", ["hello", "-5", "--json", 'it\'s "$HOME" `id`', '{"a": [1]}', "two\nlines"])
def test_a_command_sends_the_same_message(localbus: Localbus, actions: ResourceActions, body: str) -> None:
    """Whatever the body is: quotes, line breaks, and a dash at its start."""
    queue = new_queue(localbus, "mine")
    attributes = ("priority=a b", "total:Number=5")

    done = actions.send(MessageBody(arn=queue.arn, body=body, attributes=attributes, delay_s=0, run=True))
    (ours,) = [command for command in done.commands if "orderboard send" in command]
    words = shlex.split(ours)
    ran = CliRunner().invoke(app, words[words.index("send") :])

    assert ran.exit_code == 0, ran.stderr
    first, second = queue.receive()
    for name in ("Body", "MessageAttributes"):
        assert first[name] == second[name], name
    assert first["Body"] == body
