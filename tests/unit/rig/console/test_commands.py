"""The shell command that a control shows has the control's effect."""

import json
import shlex

import pytest
from orderboard.console import commands

ORDER = {"customer_id": "ada", "note": 'don\'t; "$HOME" `id`', "lines": [{"sku": "tea", "quantity": 1}]}


def test_an_order_survives_the_shell() -> None:
    """A body with quotes, backticks and dollars reaches the API unchanged, with the console's key."""
    words = shlex.split(commands.place("http://127.0.0.1:8000", ORDER, "console-1"))

    assert words[:3] == ["curl", "http://127.0.0.1:8000/orders", "--json"]
    assert json.loads(words[3]) == ORDER
    assert words[4:] == ["-H", "Idempotency-Key: console-1"]


def test_many_orders_are_lines_of_place() -> None:
    """A burst is a number of lines, a stream an endless loop, each with a new batch."""
    burst = commands.place_many("http://127.0.0.1:8000", {"customer_id": "ada"}, 300)
    stream = commands.place_many("http://127.0.0.1:8000", {"customer_id": "ada"}, None, 0.05)

    assert burst.startswith('for i in $(seq 300); do echo \'{"customer_id": "ada"}\'; done | ')
    assert "sleep 0.05" in stream
    for each in (burst, stream):
        assert each.endswith('place --api-url http://127.0.0.1:8000 --batch "$(date +%s)"')


def test_a_worker_is_named_in_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is that of the system's state folder, with the words of `orderboard worker`."""
    monkeypatch.setenv("ORDERBOARD_STATE_DIR", "a b")

    words = shlex.split(commands.worker("freeze", "worker-2"))

    assert (words[0], words[2:]) == ("ORDERBOARD_STATE_DIR=a b", ["worker", "freeze", "worker-2"])
    assert shlex.split(commands.worker("add"))[2:] == ["worker", "add"]
    assert shlex.split(commands.prepare_for(50))[2:] == ["worker", "set", "ORDERBOARD_PREPARATION_MS=50"]
