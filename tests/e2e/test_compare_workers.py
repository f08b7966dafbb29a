"""`orderboard compare-workers` for real: a process and a function under the same load, in a system each."""

import json
from pathlib import Path

from e2e.command import Command


def test_both_workers_are_measured_under_the_same_load(tmp_path: Path) -> None:
    """Every order ends once on both; the function's invocations and what they are billed by come from its log.

    Takes more than 5 s: two systems start, one after the other.
    """
    done = Command(tmp_path).run("compare-workers", "--loads", "steady", "--rate", "40", "--duration", "2s", "--json")

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    process, function = found["runs"]
    assert (process["orders"], function["orders"]) == (80, 80)
    assert process["valid"]
    assert function["valid"]
    assert process["processor_ms"] > 0
    invocations = function["invocations"]
    assert 8 <= invocations["count"] <= 80, "a batch has ten messages at most"
    assert 1 <= invocations["cold"] <= 4, "two mappings, two invocations at once for each"
    assert invocations["warm_billed_ms"] > invocations["warm_processor_ms"] > 0
    (cost,) = found["costs"]
    assert cost["lambda_usd"] > 0.2 / 10, "a million orders are at least 100,000 requests"
    assert sorted(path.name for path in (tmp_path / "bursts").glob("*/report.html"))
