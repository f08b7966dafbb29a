"""The output of a demo that went wrong, for people and for scripts."""

import io
import json
from dataclasses import replace
from pathlib import Path

from orderboard.burst.judge.attempt import Attempt
from orderboard.burst.judge.verdict import judge
from orderboard.cli.demo import document, show
from orderboard.demo.runner import DemoResult
from orderboard.ledger.ledger import Evidence
from orderboard.orders.dead_letters import DeadLetter
from orderboard.system.command_line import to_paste
from orderboard.system.process_stats import MemoryUse
from rich.console import Console

LONG_REASON = "422 /lines/2/sku: not on the menu; choose one of " + ", ".join(f"sku-{number}" for number in range(20))
ATTEMPTS = [
    Attempt("normal", "key-1", "acknowledged", frozenset({"completed"}), ("order-1",)),
    Attempt("not on the menu", "key-2", "refused", frozenset(), refusals=(LONG_REASON,)),
]
RESULT = DemoResult(
    seed=1,
    judgement=judge(ATTEMPTS, Evidence(), large_order_cents=10_000, end="drained"),
    ready_after_s=1.0,
    first_finished_after_s=None,
    all_finished_after_s=2.0,
    memory=(MemoryUse("order-api", 1, 80_000_000, None),),
    logs_dir=Path("/somewhere/logs"),
)


def test_a_lost_order_is_named_with_the_logs() -> None:
    """Each discrepancy, the folder of the logs and whole reasons for refusals, within 80 columns."""
    out = io.StringIO()

    show(RESULT, Console(file=out, width=80), verbose=True)

    said = out.getvalue()
    assert "The ledger does not balance" in said
    assert "order-1 (normal) was answered 202" in said
    assert "/somewhere/logs" in said
    assert LONG_REASON in " ".join(said.split())
    assert max(len(line) for line in said.splitlines()) <= 80


def test_ids_are_shown_only_of_a_system_that_runs_on() -> None:
    """With --keep, 8 characters that `orderboard show` takes, and the commands to go on; else none, and how to."""
    letter = DeadLetter("work-dlq", "message-1", "9b2d1f0e-6a0b-5c3e-8f64-6d2f0a1c7b11", None, 6, "it carries poison")
    evidence = Evidence(dead_letters=(letter,))
    judgement = judge(ATTEMPTS, evidence, large_order_cents=10_000, end="drained")

    def shown(*, kept: bool) -> str:
        out = io.StringIO()
        show(replace(RESULT, judgement=judgement, kept=kept), Console(file=out, width=100), verbose=False)
        return out.getvalue()

    assert "9b2d1f0e" in shown(kept=True)
    assert "for example" in shown(kept=True)
    assert to_paste("See an order: orderboard show ID. End it: orderboard down") in shown(kept=True)
    assert "9b2d1f0e" not in shown(kept=False)
    assert "for example" not in shown(kept=False)


def test_json_has_the_same() -> None:
    """The document has the discrepancies by type, every accepted order and the refusals."""
    read = json.loads(json.dumps(document(RESULT)))

    assert read["balanced"] is False
    assert [each["type"] for each in read["discrepancies"]] == ["Lost"]
    assert read["orders"] == [
        {"order_id": "order-1", "kind": "normal", "ended": None, "alerts": [], "dead_lettered_duplicate": False}
    ]
    assert read["refused"] == [{"kind": "not on the menu", "answers": [LONG_REASON]}]
