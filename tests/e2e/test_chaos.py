"""`orderboard chaos`: random faults of everything, under load, and each order ends once.

It takes more than 5 s: a minute of load, and what a killed consumer had received comes back after 10 s.
"""

import json
import sys
from pathlib import Path

import pytest
from e2e.command import Command


@pytest.mark.timeout(420)  # for a machine that is busy with other tests
def test_whatever_dies_every_order_ends_once(orderboard: Command, tmp_path: Path) -> None:
    """10,000 orders and 30 faults: kills, freezes, throttling, errors or silence after success, a full disk."""
    results = tmp_path / "results.jsonl"
    run = ["--seed", "13", "--orders", "10000", "--faults", "30", "--minutes", "1"]

    done = orderboard.run(
        "chaos", *run, "--results", str(results), "--out", str(tmp_path / "out"), "--json", within_s=400
    )

    assert done.returncode == 0, done.stderr + done.stdout
    result = json.loads(done.stdout)
    orders, faults = result["orders"], result["faults"]
    assert orders["attempted"] == 10_000
    assert (orders["lost"], orders["duplicated"], orders["unexpected"], orders["unsettled"]) == (0, 0, 0, 0)
    assert orders["acknowledged"] + orders["recovered"] == sum(
        orders[ending] for ending in ("completed", "rejected", "cancelled", "dead_lettered")
    )
    assert sum(faults.values()) == 30
    assert faults["kill-backend"] >= 3
    assert {"kill-api", "kill-worker", "freeze-worker", "error_after", "timeout_after"} <= faults.keys()
    assert faults.get("fill-disk", 0) == (1 if sys.platform == "linux" else 0)
    assert json.loads(results.read_text()) == result
    assert (tmp_path / "out" / "report.html").is_file()
