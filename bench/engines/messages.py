"""Send, receive and delete, publish and put events: localbus beside MiniStack, and at growing backlogs.

Each backlog has its localbus. Its work queue holds the backlog, is sent to and drained, subscribes to a topic and is a
rule's target. For fan-out there are four more queues of a thousand messages each. A turn receives as much as it sends,
so that backlogs stay.
"""

from contextlib import ExitStack
from statistics import median

from engines import steps
from engines.engine import Engine, localbus, ministack
from engines.load import Contender, Operation, Run, fill, take_turns
from engines.report import Report, speeds_of
from engines.resources import create_bus, create_queue, create_topic
from goals import Goal, ratios

SEND, DRAIN = "batch send", "batch receive and delete"
TO_ONE, TO_FIVE, ENVELOPES = (
    "PublishBatch to one queue, raw",
    "PublishBatch to five queues, raw",
    "PublishBatch to five queues, in envelopes",
)
EVENTS = "PutEvents to one queue"
LEAST = {SEND: 1.0, DRAIN: 2.0, TO_ONE: 1.0, TO_FIVE: 1.0, ENVELOPES: 1.0, EVENTS: 1.0}
OTHERS = ["other-1", "other-2", "other-3", "other-4"]
OTHERS_BACKLOG = 1_000


async def messages_part(run: Run) -> Report:
    """Compare rates and CPU time, in about eight minutes, a third of them to send the backlogs."""
    least = run.backlogs[0]
    with ExitStack() as stack:
        contenders = [await _contender(stack.enter_context(ministack()), least, run)]
        contenders += [await _contender(stack.enter_context(localbus()), each, run) for each in run.backlogs]
        await take_turns(contenders, run)
    return Report(_goals(contenders, run), speeds_of(contenders))


async def _contender(engine: Engine, backlog: int, run: Run) -> Contender:
    label = f"{engine.name}, backlog {backlog:,}"
    run.progress(f"sending the backlog: {label}")
    url = await create_queue(engine, "work")
    others = [await create_queue(engine, name) for name in OTHERS]
    bus = await create_bus(engine, "facts", [{"source": ["bench"]}], "work")
    topics = [
        await create_topic(engine, "to-one", ["work"], raw=True),
        await create_topic(engine, "to-five", ["work", *OTHERS], raw=True),
        await create_topic(engine, "to-five-in-envelopes", ["work", *OTHERS]),
    ]
    await fill(engine, steps.send(url), backlog)
    for other in others:
        await fill(engine, steps.send(other), OTHERS_BACKLOG)
    drain = steps.receive_and_delete(url)

    def unmeasured() -> Operation:
        return Operation("", drain, is_measured=False)

    rest = [Operation("", steps.receive_and_delete(other), is_measured=False) for other in others]
    cycle = [
        *(Operation(SEND, steps.send(url)), Operation(DRAIN, drain)),
        *(Operation(TO_ONE, steps.publish(topics[0])), unmeasured()),
        *(Operation(TO_FIVE, steps.publish(topics[1])), unmeasured(), *rest),
        *(Operation(ENVELOPES, steps.publish(topics[2])), unmeasured(), *rest),
        *(Operation(EVENTS, steps.put_events(bus, _event)), unmeasured()),
    ]
    return Contender(label, engine, cycle)


def _event(number: int) -> dict[str, str]:
    return {"Source": "bench", "DetailType": "measured.v1", "Detail": steps.document(number=number % 10)}


def _goals(contenders: list[Contender], run: Run) -> list[Goal]:
    """localbus by MiniStack at the first backlog; at the others localbus by itself at the first."""
    theirs, first, *deeper = contenders
    goals: list[Goal] = []
    for place, own in enumerate(first.cycle):
        if not own.is_measured:
            continue
        other = theirs.cycle[place]
        limit = f"server busy {own.server_busy():.0%} of the time; MiniStack {other.server_busy():.0%}"
        rates, costs_s = ratios(own.rates(), other.rates()), ratios(own.costs_s(), other.costs_s())
        goals += [
            Goal(f"{own.name}: localbus by MiniStack", LEAST[own.name], rates, detail=limit),
            Goal(f"{own.name}: CPU, localbus by MiniStack", 0.5, costs_s, at_most=True),
        ]
        for backlog, contender in zip(run.backlogs[1:], deeper, strict=True):
            deep = contender.cycle[place]
            cpu = f"CPU for a message {median(ratios(deep.costs_s(), own.costs_s())):.2f} x"
            name = f"{own.name}: backlog {backlog:,} by {run.backlogs[0]:,}"
            goals.append(Goal(name, 0.9, ratios(deep.rates(), own.rates()), detail=cpu))
    return goals
