"""Latencies by stream and kind of order: computed, printed, and as Markdown."""

from pathlib import Path

from orderboard.burst.export.markdown import summary_markdown
from orderboard.burst.measure.groups import latency_groups
from orderboard.burst.measure.orders import OrderRecord
from orderboard.burst.model import Percentiles, Summary
from orderboard.burst.report.terminal import show
from rich.console import Console
from unit.rig.burst.summaries import SUMMARY


def order(kind: str, stream: str, accept_ms: int | None, end_to_end_ms: int | None = None) -> OrderRecord:
    """An order that was to be sent at second 0, and refused without an accept_ms."""
    return OrderRecord(
        stream=stream,
        kind=kind,
        key="",
        answer="refused" if accept_ms is None else "acknowledged",
        intended_s=0,
        sent_s=0,
        answered_s=(accept_ms or 0) / 1000,
        finished_s=None if end_to_end_ms is None else end_to_end_ms / 1000,
        order_ids=(),
        refusals=(),
    )


ORDERS = (
    order("express", "web", 10, 30),
    *(order("normal", "web", ms, 10 * ms) for ms in range(1, 11)),
    order("poison", "batch", 1_500),
    order("invalid", "batch", None),
)


def printed(summary: Summary) -> str:
    """The summary on a terminal."""
    console = Console(width=120, record=True)
    show(summary, Path("out"), console)
    return console.export_text()


def test_each_stream_and_each_kind_has_its_latencies() -> None:
    """Streams as planned, kinds by their number; what was not accepted or did not finish has none."""
    found = {(each.by, each.name): each for each in latency_groups(ORDERS)}

    assert [*found] == [
        ("stream", "web"),
        ("stream", "batch"),
        ("kind", "normal"),
        ("kind", "express"),
        ("kind", "poison"),
        ("kind", "invalid"),
    ]
    normal, poison, invalid = (found["kind", name] for name in ("normal", "poison", "invalid"))
    assert normal.accept == Percentiles(count=10, mean_ms=5.5, p50_ms=5, p90_ms=9, p99_ms=10, max_ms=10)
    assert normal.end_to_end == Percentiles(count=10, mean_ms=55, p50_ms=50, p90_ms=90, p99_ms=100, max_ms=100)
    assert (found["stream", "web"].orders, found["stream", "batch"].orders) == (11, 2)
    assert poison.accept is not None
    assert (poison.end_to_end, invalid.accept) == (None, None)
    assert {each.by for each in latency_groups(ORDERS[:3])} == {"kind"}


def test_the_table_has_a_line_for_each() -> None:
    """In the terminal, and folded in Markdown; a burst of one kind has none."""
    summary = SUMMARY.model_copy(update={"groups": latency_groups(ORDERS)})

    lines = [" ".join(line.split()) for line in printed(summary).splitlines()]

    assert "normal 10 5.0 10.0 50.0 100.0" in lines
    assert "poison 1 1,500 1,500" in lines
    assert "batch 2 1,500 1,500" in lines
    assert "| stream web | 11 | 6 ms | 10 ms | 50 ms | 100 ms |" in summary_markdown(summary).splitlines()
    assert "<details><summary>By stream and kind of order</summary>" in summary_markdown(summary)
    one = SUMMARY.model_copy(update={"groups": latency_groups(ORDERS[1:3])})
    assert "by kind" not in printed(one)
    assert "<details>" not in summary_markdown(one)


def test_answers_alone_have_no_end_to_end() -> None:
    """Neither its columns, nor a drain or workers."""
    verdict = SUMMARY.verdict.model_copy(update={"basis": "answers", "valid": False, "answered": True})

    text = printed(SUMMARY.model_copy(update={"groups": latency_groups(ORDERS), "verdict": verdict}))

    assert "accept p50" in text
    assert "end to end" not in text
    assert "outcome" not in text


def test_a_burst_that_sent_nothing_proves_nothing() -> None:
    """It was stopped before its first order."""
    verdict = SUMMARY.verdict.model_copy(update={"valid": False, "attempted": 0, "acknowledged": 0})
    summary = SUMMARY.model_copy(
        update={"verdict": verdict, "stopped": True, "broken_off": "Ctrl-C stopped the load after 0.0 s."}
    )

    assert "\u2717 Nothing was sent, so nothing is proven" in printed(summary)
    assert summary_markdown(summary).startswith("### \u274c Nothing was sent, so nothing is proven: burst of 10 orders")
