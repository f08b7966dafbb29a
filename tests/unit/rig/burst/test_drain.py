"""The drain: its end, the seconds with and without alerts, and what it waits for."""

from orderboard.burst.faults.schedule import Fault
from orderboard.burst.load.stream import Open, Stream
from orderboard.burst.measure.drain import Drain, waits_for
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measure.sampler import Sample
from orderboard.orders.queues import Depth
from unit.rig.burst.summaries import Planned
from unit.rig.burst.test_recorder import reply

EMPTY = {role: Depth(0, 0, 0) for role in ("work", "express", "alerts", "inbox", "listener")}


def two_orders() -> Recorder:
    """Both accepted, one finished at 2 s."""
    kept = Recorder([Stream(Planned(), Open([0.0, 0.5]), 1, "run")])
    kept.replied(reply(0, 0.1))
    kept.replied(reply(1, 0.6))
    kept.outcome("order-0", 2.0)
    return kept


def test_alerts_count_only_for_the_time_until_all_is_settled() -> None:
    """Orders have ended with the last outcome or dead letter."""
    drain = Drain(two_orders(), give_up_after_s=90, within_s=1000)

    drain.observe(Sample(0.0, EMPTY), 2.1, 2.2, faults_pending=False)
    drain.alerted(14.0)
    assert (drain.orders_s, drain.progress_s) == (2.0, 14.0)

    drain.observe(Sample(0.0, EMPTY, dead_letters=1), 31.0, 31.1, faults_pending=False)
    assert (drain.orders_s, drain.progress_s) == (31.0, 31.0)


def test_it_says_what_it_waits_for() -> None:
    """Orders, messages, alerts, and faults to come."""
    kept = two_orders()

    waiting = Sample(0.0, EMPTY | {"work": Depth(1, 1, 1), "alerts": Depth(0, 1, 0)})
    assert waits_for(kept, waiting, []) == (
        "1 order, 2 messages in the queues, 1 alert (a failed one is tried again after a while)"
    )
    assert waits_for(kept, Sample(0.0, EMPTY), [Fault(9, "kill-api")]) == "1 order, 1 planned fault (the next at 9 s)"
    kept.outcome("order-1", 3.0)
    assert waits_for(kept, Sample(0.0, EMPTY), []) == "a last look at the queues"
