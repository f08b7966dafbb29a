"""`orderboard backup drill`: a system under load loses its orders table, gets it back, and loses nothing.

It takes some 20 s, as it starts a system.
"""

import json
from pathlib import Path
from typing import Any

from e2e.command import Command


def test_the_table_is_destroyed_under_load(tmp_path: Path) -> None:
    """Orders are accepted all the time, workers wait and go on, and the ledger balances; each order is made once.

    The rows that the backup lacked are rebuilt from facts: no outcome of the time before the loss is missing.
    """
    orderboard = Command(tmp_path / "state")

    done = orderboard.run("backup", "drill", "--orders", "300", "--rate", "60", "--json")

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    drill: dict[str, Any] = json.loads(done.stdout)
    verdict, restored = drill["verdict"], drill["restored"]
    assert (drill["passed"], verdict["valid"], verdict["drained"]) == (True, True, True)
    assert (verdict["lost"], verdict["duplicated"], verdict["unexpected"]) == (0, 0, 0)
    assert verdict["acknowledged"] > drill["finished_before"]
    assert verdict["alerts_due"] == verdict["alerts_announced"] > 0
    assert drill["finished_before"] >= 150  # half of them
    assert restored["written"]["rows"] > 0
    assert (drill["missing"], drill["rpo_s"], restored["incomplete"]) == ([], 0.0, [])
    assert drill["rpo_before_s"] > 0
    assert 0 < restored["absent_s"] < drill["rto_first_s"] <= drill["rto_all_s"]
    assert restored["put_back"] == ["time to live (expires_at)", "point-in-time recovery (35 days)"]
    assert drill["accepted_meanwhile"] > 0
    assert drill["workers"]["pauses"] > 0
    assert drill["workers"]["recoveries"] > 0
    assert list(orderboard.state_dir.iterdir()) == []
