"""The shell command that a control shows has the control's effect."""

import json
import shlex

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


def test_a_worker_starts_with_its_environment() -> None:
    """The environment precedes the command, quoted."""
    words = shlex.split(commands.worker({"NO_PROXY": "*", "ORDERBOARD_WORKER_ID": "worker-2"}))

    assert words[:3] == ["env", "NO_PROXY=*", "ORDERBOARD_WORKER_ID=worker-2"]
    assert words[-2:] == ["-m", "worker"]


def test_methods_other_than_post_are_named() -> None:
    """curl's --json implies POST, so PUT needs -X."""
    command = commands.curl("PUT", "http://127.0.0.1:4566/_localbus/faults", {"rules": []})

    assert shlex.split(command)[:3] == ["curl", "-X", "PUT"]
