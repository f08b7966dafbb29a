"""State on disk (`--data`) beside memory alone: its cost, the latency of a long poll, the start, and the file's size.

Both hold a backlog of ten thousand messages. The start is that after a kill, with 100,000 messages of 900 bytes. The
folder is measured with those, before and after a million messages have passed through it.
"""

import itertools
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from engines import steps
from engines.client import Client
from engines.engine import Engine, localbus
from engines.load import Contender, Operation, Run, Step, fill, take_turns
from engines.polls import p99_s
from engines.report import Report, speeds_of
from engines.resources import create_bus, create_queue, create_topic
from engines.tables import STATEMENTS, create_table, insert
from goals import Goal, ratios

BACKLOG = 10_000
MESSAGES, BODY_BYTES = 100_000, 900
PASSED = 1_000_000
STARTS = 5
LABELS = ("memory", "--data")


async def durable_part(run: Run) -> Report:
    """Compare rates and CPU time, in about eight minutes, five of them for the million."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        engines = [stack.enter_context(localbus()), stack.enter_context(localbus("--data", folder))]
        contenders = [await _contender(engine, label, run) for engine, label in zip(engines, LABELS, strict=True)]
        await take_turns(contenders, run)
        late_ms = await p99_s(engines[1]) * 1000
    goals = [Goal("from send to a waiting receive with --data, p99", 5, [late_ms], "ms", at_most=True)]
    memory, disk = contenders
    for own, other in zip(disk.cycle, memory.cycle, strict=True):
        if own.is_measured:
            cpu = f"CPU for a message {median(ratios(own.costs_s(), other.costs_s())):.2f} x"
            goals.append(Goal(f"{own.name}: --data by memory", 0.6, ratios(own.rates(), other.rates()), detail=cpu))
    report = Report(goals, speeds_of(contenders))
    report += await _kept(run)
    return report


async def _contender(engine: Engine, label: str, run: Run) -> Contender:
    run.progress(f"sending the backlog: {label}")
    url, fifo = await create_queue(engine, "work"), await create_queue(engine, "work.fifo", fifo=True)
    topic = await create_topic(engine, "to-one", ["work"], raw=True)
    bus = await create_bus(engine, "facts", [{"source": ["bench"]}], "work")
    await create_table(engine)
    await fill(engine, steps.send(url), BACKLOG)
    drain, to_groups = steps.receive_and_delete(url), steps.send_to_groups(fifo, 1_000)
    await fill(engine, to_groups, BACKLOG)

    def unmeasured() -> Operation:
        return Operation("", drain, is_measured=False)

    cycle = [
        *(Operation("batch send", steps.send(url)), Operation("batch receive and delete", drain)),
        *(Operation("FIFO: batch send", to_groups),),
        Operation("FIFO: batch receive and delete", steps.receive_and_delete(fifo)),
        *(Operation("PublishBatch to one queue, raw", steps.publish(topic)), unmeasured()),
        *(Operation("PutEvents to one queue", steps.put_events(bus, _event)), unmeasured()),
        Operation(STATEMENTS, insert(itertools.count())),
    ]
    return Contender(f"localbus, {label}", engine, cycle)


def _event(number: int) -> dict[str, str]:
    return {"Source": "bench", "DetailType": "measured.v1", "Detail": steps.document(number=number % 10)}


async def _kept(run: Run) -> Report:
    """Measure the start with many messages, and the size of the file as messages pass through."""
    kept = MESSAGES * BODY_BYTES
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        with localbus("--data", folder) as engine:
            url = await create_queue(engine, "work")
            await fill(engine, steps.send(url, BODY_BYTES), MESSAGES)
            engine.process.kill()
        before = _size(folder) / kept
        ready_s: list[float] = []
        for number in range(STARTS):
            run.progress(f"start {number + 1} of {STARTS} with {MESSAGES:,} messages")
            with localbus("--data", folder) as engine:
                ready_s.append(engine.ready_s)
                engine.process.kill()
        with localbus("--data", folder) as engine:
            run.progress(f"{PASSED:,} messages pass through {MESSAGES:,}")
            await fill(engine, _pass(url, BODY_BYTES), PASSED)
        after = _size(folder) / kept
    goals = [
        Goal(f"ready after a kill, with {MESSAGES:,} messages", 2.0, ready_s, "s", at_most=True),
        Goal("size of the folder by the bodies that it keeps", 2.0, [before], at_most=True),
        Goal(f"the same after {PASSED:,} messages have passed", 2.0, [after], at_most=True),
    ]
    return Report(goals)


def _pass(queue_url: str, size: int) -> Step:
    """Send ten messages, and receive and delete ten."""
    send, drain = steps.send(queue_url, size), steps.receive_and_delete(queue_url)

    async def step(client: Client) -> int:
        await send(client)
        return await drain(client)

    return step


def _size(folder: str) -> int:
    return sum(file.stat().st_size for file in Path(folder).iterdir())
