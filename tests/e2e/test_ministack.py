"""MiniStack alone, the other local backend: the demo balances, and its capabilities are as declared.

Both tests take more than 5 s: they start MiniStack and everything that runs on it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from e2e.command import Command

ROOT = Path(__file__).parents[2]


def test_the_ledger_balances_on_ministack_alone(tmp_path: Path) -> None:
    """`orderboard demo --backend ministack` finishes every order, with the same services and template.

    The commands for messages work there too; those that need localbus say so.
    """
    orderboard = Command(tmp_path / "state")

    done = orderboard.run("demo", "--json", "--backend", "ministack", "--keep")
    try:
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr
        assert json.loads(done.stdout)["balanced"] is True

        peeked = orderboard.run("peek", "work-dlq", "--json")
        assert json.loads(peeked.stdout)["count"] == len(json.loads(done.stdout)["dead_letters"]), peeked.stderr
        sent = orderboard.run("send", "inbox", "hello", "--json")
        assert json.loads(sent.stdout)["to"].endswith("-inbox"), sent.stderr
        journal = orderboard.run("journal")
        assert (journal.returncode, "Only localbus keeps a journal" in journal.stderr) == (1, True)
    finally:
        orderboard.run("down", "--now")


@pytest.mark.skipif("ORDERBOARD_TEST_ENDPOINT_URL" in os.environ, reason="for a backend that already runs")
def test_its_capabilities_are_as_declared() -> None:
    """The capability tests pass on it."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/integration/stack/test_capabilities.py"],
        cwd=ROOT,
        env={**os.environ, "ORDERBOARD_TEST_BACKEND": "ministack"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout
