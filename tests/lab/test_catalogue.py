"""The catalogue of experiments: names, files of one's own, and what is wrong with a file."""

from pathlib import Path

import pytest
from localbus.pytest_plugin import Localbus as Engine
from orderboard.errors import RigError, UsageError
from orderboard.lab.backend import LabBackend
from orderboard.lab.catalogue import find
from orderboard.lab.run import Runner
from orderboard_stack.backend import Endpoint

_HEAD = """\"\"\"A title.\"\"\"
from orderboard.lab import Experiment
lab = Experiment(claim="A claim.", source="https://docs.aws.amazon.com/", means="A consequence.")
"""


def own(tmp_path: Path, text: str) -> Path:
    """A file of an experiment outside of lab/."""
    path = tmp_path / "mine" / "half_open.py"
    path.parent.mkdir()
    path.write_text(text)
    return path


def test_an_experiment_is_named_after_its_folder_and_file() -> None:
    """lab/sqs/visibility_timeout.py is sqs-visibility-timeout, with the first line of the file as its title."""
    entry = find("sqs-visibility-timeout")

    assert entry.path.parts[-3:] == ("lab", "sqs", "visibility_timeout.py")
    assert (entry.area, entry.title) == ("sqs", "A message that is not deleted in time comes back")


def test_a_wrong_name_shows_the_nearest_ones() -> None:
    """A misspelt name is an error that names what was probably meant."""
    with pytest.raises(UsageError, match=r"Unknown experiment 'sqs-visibility'\. Did you mean sqs-visibility-\w+"):
        find("sqs-visibility")


def test_a_file_of_your_own_is_an_experiment(tmp_path: Path) -> None:
    """A copy of an experiment in any folder can be loaded by its path."""
    path = own(tmp_path, _HEAD + "orders = lab.queue()\nlab.check('It has a URL', orders.url, '', 'is not')\n")

    entry = find(str(path))

    assert (entry.name, entry.title, len(entry.experiment.checks)) == ("mine-half-open", "A title", 1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1\n", "needs a first line, its title, and `lab = Experiment"),
        ('"""A title."""\nlab = 5\n', "needs a first line, its title, and `lab = Experiment"),
        ("def\n", "cannot be loaded: SyntaxError"),
        (_HEAD + "lab.you.sqs.list_queues()['QueueUrls[']\n", r"cannot be loaded: \w+Error"),
        (_HEAD + "lab.disorder('servers differ', duplicates=1.0)\n", "Add 'disorder' to the experiment's needs"),
    ],
)
def test_a_file_that_is_not_an_experiment_says_what_is_wrong(tmp_path: Path, text: str, reason: str) -> None:
    """A file with a mistake is an error with its path and the mistake, before anything is called."""
    with pytest.raises(RigError, match=reason) as raised:
        find(str(own(tmp_path, text)))

    assert "half_open.py" in str(raised.value)


def test_a_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """A path without a file is an error with the path."""
    with pytest.raises(UsageError, match=r"File not found: .*nothing\.py"):
        find(str(tmp_path / "nothing.py"))


def test_a_call_that_boto3_does_not_have_is_an_error(tmp_path: Path, localbus: Engine) -> None:
    """A misspelt method is a mistake of the file, not a difference of the backend, and its queue is removed."""
    entry = find(str(own(tmp_path, _HEAD + "orders = lab.queue()\nlab.you.sqs.send_mesage(QueueUrl=orders.url)\n")))
    backend = LabBackend(Endpoint("embedded", localbus.url), None, None)

    with pytest.raises(UsageError, match="boto3's client of sqs has no method 'send_mesage'"):
        Runner(entry, backend)()

    assert localbus.client("sqs").list_queues().get("QueueUrls", []) == []
