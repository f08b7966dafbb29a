"""FIFO queues with one group, a thousand and a hundred thousand, each with a backlog of a hundred thousand messages.

One connection, because a group hands out nothing more while one of its messages is in flight.
"""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median

import steps
from engines import localbus
from load import Contender, Operation, fill, take_turns
from report import Figure, Result, ratios, speeds_of
from resources import create_queue
from run import Run

GROUPS = (1, 1_000, 100_000)
BACKLOG = 100_000
SEND, DRAIN = "FIFO: batch send", "FIFO: batch receive and delete"


async def fifo_part(run: Run) -> Result:
    """About a minute."""
    with ExitStack() as stack:
        contenders: list[Contender] = []
        for groups in GROUPS:
            engine = stack.enter_context(localbus())
            run.say(f"bringing in: {groups:,} groups")
            url = await create_queue(engine, "work.fifo", fifo=True)
            send = steps.send_to_groups(url, groups)
            await fill(engine, send, BACKLOG)
            cycle = [Operation(SEND, send), Operation(DRAIN, steps.receive_and_delete(url))]
            contenders.append(Contender(f"localbus, {groups:,} groups", engine, cycle, connections=1))
        await take_turns(contenders, run.rounds, run.say)
    first, *others = contenders
    figures: list[Figure] = []
    for place, own in enumerate(first.cycle):
        for groups, contender in zip(GROUPS[1:], others, strict=True):
            many = contender.cycle[place]
            cpu = f"CPU for a message {median(ratios(many.costs_s(), own.costs_s())):.2f} x"
            figures.append(
                Figure(f"{own.name}: {groups:,} groups by one", 0.9, ratios(many.rates(), own.rates()), detail=cpu)
            )
    return Result(figures, speeds_of(contenders))
