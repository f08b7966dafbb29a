"""Idle memory, memory of a message, and the time until ready."""

from contextlib import ExitStack

from engines import steps
from engines.engine import localbus, ministack
from engines.load import Run, fill
from engines.report import Report
from engines.resources import create_queue
from goals import Goal

MESSAGES = 200_000
GROUPS = 1_000


async def memory_part(run: Run) -> Report:
    """Measure memory and start-up, in about two minutes."""
    alone_mb, both_mb, ready_s, ready_together_s = [], [], [], []
    standard, fifo = [], []
    for number in run.numbers():
        run.progress(f"round {number} of {run.rounds}: memory")
        with ExitStack() as stack:
            upstream = stack.enter_context(ministack())
            own = stack.enter_context(localbus("--upstream", upstream.url))
            alone_mb.append(own.memory_bytes() / 1e6)
            both_mb.append((own.memory_bytes() + upstream.memory_bytes()) / 1e6)
            ready_s.append(own.ready_s)
            ready_together_s.append(max(own.ready_s, upstream.ready_s))
        standard.append(await _kib_a_message(is_fifo=False))
        fifo.append(await _kib_a_message(is_fifo=True))
    detail = f"{MESSAGES:,} messages of {steps.BODY_BYTES} bytes"
    return Report(
        [
            Goal("memory of a message beside its body", 1.5, standard, "KiB", at_most=True, detail=detail),
            Goal("the same on a FIFO queue", 1.5, fifo, "KiB", at_most=True, detail=f"{detail} in {GROUPS:,} groups"),
            Goal("idle memory, with MiniStack as upstream", 80, both_mb, "MB", at_most=True),
            Goal("idle memory of localbus alone", 80, alone_mb, "MB", at_most=True),
            Goal("ready, localbus", 1, ready_s, "s", at_most=True),
            Goal("ready, with MiniStack started beside it", 1, ready_together_s, "s", at_most=True),
        ]
    )


async def _kib_a_message(*, is_fifo: bool) -> float:
    with localbus() as engine:
        url = await create_queue(engine, "work.fifo" if is_fifo else "work", fifo=is_fifo)
        step = steps.send_to_groups(url, GROUPS) if is_fifo else steps.send(url)
        before = engine.memory_bytes()
        await fill(engine, step, MESSAGES)
        return ((engine.memory_bytes() - before) / MESSAGES - steps.BODY_BYTES) / 1024
