"""What a demo that went wrong says, to people and to scripts."""

import io
import json
from pathlib import Path

from orderboard.cli.demo_report import document, show
from orderboard.demo.runner import Demo
from orderboard.ledger.ledger import Evidence, Placed, balance
from orderboard.system.process_stats import MemoryUse
from rich.console import Console

LOST = Placed("normal", frozenset({"completed"}), order_ids=("order-1",))


def _demo(evidence: Evidence) -> Demo:
    return Demo(
        seed=1,
        ledger=balance([LOST], evidence, large_order_cents=10_000),
        placed=(LOST,),
        evidence=evidence,
        ready_after_s=1.0,
        first_finished_after_s=None,
        all_finished_after_s=2.0,
        memory=(MemoryUse("order-api", 1, 80_000_000, None),),
        logs_dir=Path("/somewhere/logs"),
    )


def test_a_lost_order_is_named_with_where_to_look() -> None:
    """A ledger that does not balance names each difference and the folder of the logs, within 80 columns."""
    out = io.StringIO()

    show(_demo(Evidence()), Console(file=out, width=80), verbose=True)

    said = out.getvalue()
    assert "The ledger does not balance" in said
    assert "order-1 (normal) was answered 202 and is lost" in said
    assert "/somewhere/logs" in said
    assert max(len(line) for line in said.splitlines()) <= 80


def test_a_script_reads_the_same() -> None:
    """The JSON document says that it does not balance, and which kind of difference there is."""
    read = json.loads(json.dumps(document(_demo(Evidence()))))

    assert read["balanced"] is False
    assert [each["type"] for each in read["discrepancies"]] == ["Lost"]
    assert read["orders"] == [{"order_id": "order-1", "kind": "normal", "ended": None, "alerts": []}]
