"""A message in a queue that an event source mapping reads: the journal of localbus's poller decides the ending."""

import pytest
from orderboard.resources.inventory import Inventory
from orderboard.resources.queue_copy import QueueCopy
from orderboard.system.localbus import JournalEntry

QUEUE = "arn:aws:sqs:us-east-1:000000000000:work"
MAPPING = "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:m-1"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:announce"
INVOKED = ("invoked", {"function": FUNCTION, "messages": 1})
FILTERED = ("filtered", {"patterns": ['{"body":{"kind":["a"]}}']})


def _inventory(state: str = "Enabled") -> Inventory:
    held = {"ApproximateNumberOfMessages": "1", "VisibilityTimeout": "30"}
    mapping = {"EventSourceMappingArn": MAPPING, "EventSourceArn": QUEUE, "FunctionArn": FUNCTION, "State": state}
    return Inventory(now_s=100.0, queues=({"QueueArn": QUEUE, **held},), mappings=(mapping,))


def _copy(events: list[str], mapped: list[tuple[str, object]], state: str = "Enabled") -> QueueCopy:
    stored = [JournalEntry(number, 1.0, event, QUEUE, "m") for number, event in enumerate(events, 1)]
    by_mapping = [JournalEntry(50 + n, 1.0, event, MAPPING, "m", detail) for n, (event, detail) in enumerate(mapped)]
    return QueueCopy(stored, by_mapping, _inventory(state), lambda _: ())


@pytest.mark.parametrize(
    ("events", "mapped", "verdict", "why"),
    [
        (["sent", "received", "deleted"], [INVOKED], "arrived", "The function announce processed it"),
        (["sent", "received", "deleted"], [FILTERED], "stopped", 'do not accept it ({"body":{"kind":["a"]}})'),
        (
            ["sent", "received"],
            [INVOKED, ("invocation_failed", "it raised an error.")],
            "waiting",
            "the last invocation of the function failed: it raised an error.",
        ),
        (
            ["sent", "received"],
            [INVOKED, ("item_failed", {"function": FUNCTION})],
            "waiting",
            "reported by the function",
        ),
        (
            ["sent", "received"],
            [INVOKED, ("retry_scheduled", {"reason": "no answer", "after_s": 1})],
            "waiting",
            "failed: no answer.",
        ),
    ],
)
def test_a_mapping_reads_the_queue(events: list[str], mapped: list[tuple[str, object]], verdict: str, why: str) -> None:
    """Processed, filtered out, or failed: with the function's reason, and the mapping's entries as evidence."""
    ending = _copy(events, mapped).ending()

    assert ending.verdict == verdict
    assert why in ending.why
    assert {50, len(events)} <= set(ending.evidence)


def test_a_disabled_mapping_is_the_reason_to_wait() -> None:
    """The message waits although something could read it."""
    ending = _copy(["sent"], [], state="Disabled").ending()

    assert (ending.verdict, ending.fix) == ("waiting", "Enable the mapping.")
    assert "its event source mapping is Disabled" in ending.why
