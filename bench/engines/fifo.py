"""FIFO queues with one group, a thousand and a hundred thousand, each with a backlog of a hundred thousand messages.

One connection, because a group returns no further message while one of its messages is in flight.
"""

from contextlib import ExitStack
from statistics import median

from engines import steps
from engines.engine import localbus
from engines.load import Contender, Operation, Run, fill, take_turns
from engines.report import Report, speeds_of
from engines.resources import create_queue
from goals import Goal, ratios

GROUPS = (1, 1_000, 100_000)
BACKLOG = 100_000
SEND, DRAIN = "FIFO: batch send", "FIFO: batch receive and delete"


async def fifo_part(run: Run) -> Report:
    """Compare queues by their number of groups, in about a minute."""
    with ExitStack() as stack:
        contenders: list[Contender] = []
        for groups in GROUPS:
            engine = stack.enter_context(localbus())
            run.progress(f"sending the backlog: {groups:,} groups")
            url = await create_queue(engine, "work.fifo", fifo=True)
            send = steps.send_to_groups(url, groups)
            await fill(engine, send, BACKLOG)
            cycle = [Operation(SEND, send), Operation(DRAIN, steps.receive_and_delete(url))]
            contenders.append(Contender(f"localbus, {groups:,} groups", engine, cycle, connections=1))
        await take_turns(contenders, run)
    first, *others = contenders
    goals: list[Goal] = []
    for place, own in enumerate(first.cycle):
        for groups, contender in zip(GROUPS[1:], others, strict=True):
            many = contender.cycle[place]
            cpu = f"CPU for a message {median(ratios(many.costs_s(), own.costs_s())):.2f} x"
            goals.append(
                Goal(f"{own.name}: {groups:,} groups by one", 0.9, ratios(many.rates(), own.rates()), detail=cpu)
            )
    return Report(goals, speeds_of(contenders))
