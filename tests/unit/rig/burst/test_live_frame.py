"""The terminal's picture of a running burst."""

import io

import pytest
from orderboard.burst.load.generator import Reply
from orderboard.burst.load.mix import Mix
from orderboard.burst.load.stream import Open, Stream
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measure.sampler import Sample
from orderboard.burst.measure.timeline import Timeline
from orderboard.burst.model import FaultMark
from orderboard.burst.report.live_frame import LiveFrame
from orderboard.burst.report.now import Now
from orderboard.orders.queues import Depth
from rich.console import Console


def drawn(width: int, *, encoding: str = "utf-8", answers_only: bool = False) -> list[str]:
    """Draw three seconds of a burst, with 100 orders a second: 5 ms to the answer, 60 ms to the outcome."""
    recorder = Recorder((Stream(Mix(), Open([number / 100 for number in range(1_000)]), 1, "run"),))
    for number in range(300):
        at_s = number / 100
        recorder.replied(Reply(0, number, at_s, at_s, at_s + 0.005, False, "acknowledged", (f"{number}",), 7, None, ()))
        recorder.outcome(f"{number}", at_s + 0.06)
    recorder.sent(300, 2.9)
    now = Now(
        at_s=3.0,
        loading=True,
        sent=300,
        recorder=recorder,
        timeline=Timeline(recorder),
        sample=Sample(0.0, {"work": Depth(12, 3, 0), "alerts": Depth(1, 2, 0)}, dead_letters=4),
        workers=1,
        marks=(FaultMark(at_s=1.5, text="worker 1 killed"),),
        next_fault=None,
        alerts=5,
        answers_only=answers_only,
    )
    written = io.BytesIO()
    file = io.TextIOWrapper(written, encoding=encoding)
    console = Console(file=file, width=width, force_terminal=True, color_system=None)
    console.print(LiveFrame(now))
    file.flush()
    return [line.rstrip() for line in written.getvalue().decode(encoding).splitlines()]


def test_the_picture_has_every_number() -> None:
    """Rates and percentiles of the last seconds beside the queues, what is done of what, and the faults."""
    lines = drawn(100)

    assert lines[0] == " load     3.0 s   1 worker running"
    assert [line.split()[-3:] for line in lines[2:5]] == [
        ["300", "of", "1000"],
        ["300", "of", "1000"],
        ["300", "of", "300"],
    ]
    assert [line.split() for line in lines[9:14]] == [
        ["sent", "100", "work", "12", "3"],
        ["accepted", "100", "5", "ms", "5", "ms", "express"],
        ["finished", "98", "60", "ms", "60", "ms", "alerts", "1", "2"],
        ["inbox"],
        ["dead", "letters", "4"],
    ]
    assert lines[-2:] == [" Oldest unfinished order: none   Alerts: 5", "   1.5 s  worker 1 killed"]


@pytest.mark.parametrize("width", [40, 60, 82, 83, 200])
def test_a_narrow_terminal_has_the_tables_below_each_other(width: int) -> None:
    """No line is cut where there is room for it."""
    lines = drawn(width)

    assert any(line.startswith(" dead letters") for line in lines) == (width < 83)
    assert all(len(line) <= max(width, 43) for line in lines)
    assert any(line.endswith("300 of 1000") for line in lines) or width < 50


def test_a_terminal_without_unicode_has_its_rules() -> None:
    """In a character that it can show."""
    assert "-" * 43 in drawn(60, encoding="ascii")


def test_without_a_stack_only_answers_are_shown() -> None:
    """Queues, workers and outcomes are not known there."""
    text = "\n".join(drawn(100, answers_only=True))

    assert "accepted" in text
    assert not any(word in text for word in ("finished", "Queues", "worker", "Alerts"))
