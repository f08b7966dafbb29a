"""localbus's journal in words, and the trace of an order through the messages that it became."""

import pytest
from orderboard.orders.journal import describe, in_real_time, merge_deliveries, purges, trace
from orderboard.system.localbus import JournalEntry as Entry

ACCOUNT = "us-east-1:000000000000"
NAME = "orderboard-work"
FILTERED = f"Filtered out for {NAME} (filter policy)"
ARCHIVE = "arn:aws:events:us-east-1:::"
WORK = f"arn:aws:sqs:{ACCOUNT}:orderboard-work"
TOPIC = f"arn:aws:sns:{ACCOUNT}:orderboard-orders"
SUBSCRIPTION = f"{TOPIC}:2f7b0a4e"
RULE = f"arn:aws:events:{ACCOUNT}:rule/orderboard/orderboard-large-order"
ALARM = f"arn:aws:cloudwatch:{ACCOUNT}:alarm:orderboard-no-worker"
ENDPOINTS = {SUBSCRIPTION: WORK}


@pytest.mark.parametrize(
    ("event", "resource", "detail", "who", "title"),
    [
        ("published", TOPIC, None, "SNS orderboard-orders", "Published to orderboard-orders"),
        ("delivered", SUBSCRIPTION, {"message_id": "m"}, "SNS orderboard-orders", "Delivered to orderboard-work"),
        ("filtered", SUBSCRIPTION, {"policy": "{}"}, "SNS orderboard-orders", FILTERED),
        ("matched", RULE, None, "EventBridge", "Matched by rule orderboard-large-order"),
        ("delivered", WORK, {"rule": RULE}, f"SQS {NAME}", f"Delivered to {NAME} by rule orderboard-large-order"),
        ("received", WORK, 1, "SQS orderboard-work", "Received for the first time"),
        ("received", WORK, 3, "SQS orderboard-work", "Received again: receive count 3"),
        ("hidden", WORK, 0, "SQS orderboard-work", "Made visible again at once"),
        ("hidden", WORK, 30, "SQS orderboard-work", "Visibility timeout: hidden for 30 s from now"),
        ("moved", WORK, f"{WORK}-dlq", "SQS orderboard-work", "Moved to orderboard-work-dlq: received too often"),
        ("delivered", ARCHIVE, {"rule": ""}, "EventBridge", "Delivered to the archive by rule "),
        ("alarm", ALARM, {"state": "ALARM"}, "Alarm orderboard-no-worker", "Its state changed"),
        ("never_heard_of", WORK, None, "SQS orderboard-work", "Never heard of"),
    ],
)  # fmt: skip
def test_an_entry_in_words(event: str, resource: str, detail: object, who: str, title: str) -> None:
    """Each entry says who did what, by the names that the stack's resources have."""
    described = describe(Entry(1, 1.0, event, resource, "m", detail), ENDPOINTS)

    assert (described.who, described.title) == (who, title)


def test_a_reason_is_a_detail() -> None:
    """A reason is shown whether it comes as a text or with more beside it."""
    denied = describe(Entry(1, 1.0, "denied", WORK, "", "the queue policy does not let sns send"), {})
    dead = describe(Entry(2, 1.0, "dead_lettered", SUBSCRIPTION, "m", {"queue": WORK, "reason": "gone"}), ENDPOINTS)

    assert denied.details == {"detail": "the queue policy does not let sns send"}
    assert dead.details == {"queue": WORK, "reason": "gone"}
    assert dead.tone == "bad"


def test_a_delivery_takes_the_place_of_the_arrival() -> None:
    """A topic's delivery stands where the queue accepted the message, before a waiting worker received it."""
    entries = [
        Entry(1, 1.0, "sent", WORK, "m"),
        Entry(2, 1.1, "received", WORK, "m", 1),
        Entry(3, 1.2, "delivered", SUBSCRIPTION, "n", {"message_id": "m"}),
        Entry(4, 1.3, "sent", WORK, "another"),
    ]

    assert [(each.number, each.at, each.event) for each in merge_deliveries(entries)] == [
        (1, 1.0, "delivered"),
        (2, 1.1, "received"),
        (4, 1.3, "sent"),
    ]


class Engine:
    """A localbus that has these entries in its journal."""

    def __init__(self, *entries: Entry) -> None:
        self._entries = entries
        self.calls = 0

    def of_message(self, message_id: str) -> list[Entry]:
        """The entries of a message."""
        self.calls += 1
        return [each for each in self._entries if each.message_id == message_id]


def test_an_order_is_traced_through_its_messages() -> None:
    """From the id under which it was published to the id that the queue gave it."""
    engine = Engine(
        Entry(1, 1.0, "published", TOPIC, "n"),
        Entry(2, 1.0, "sent", WORK, "m"),
        Entry(3, 1.0, "delivered", SUBSCRIPTION, "n", {"message_id": "m"}),
        Entry(4, 1.5, "deleted", WORK, "m"),
        Entry(5, 1.6, "published", TOPIC, "of another order"),
    )

    assert [each.number for each in trace(engine.of_message, ["n"])] == [1, 2, 4]


def test_a_trace_ends() -> None:
    """However many messages an order became, the journal is read a bounded number of times."""
    engine = Engine(*(Entry(n, 1.0, "delivered", WORK, f"m{n}", {"message_id": f"m{n + 1}"}) for n in range(1000)))

    assert len(trace(engine.of_message, ["m0"])) == engine.calls == 40


@pytest.mark.parametrize(
    ("last", "purged"),
    [
        pytest.param(Entry(2, 1.0, "sent", WORK, "m"), True, id="it waited"),
        pytest.param(Entry(2, 1.0, "delivered", SUBSCRIPTION, "n", {"message_id": "m"}), True, id="SNS delivered it"),
        pytest.param(Entry(2, 1.0, "moved", f"{WORK}-other", "m", WORK), True, id="it was a dead letter"),
        pytest.param(Entry(9, 1.0, "sent", WORK, "m"), False, id="it came after the purge"),
        pytest.param(Entry(2, 1.0, "deleted", WORK, "m"), False, id="it was deleted before"),
        pytest.param(Entry(2, 1.0, "retry_scheduled", SUBSCRIPTION, "m"), False, id="it was not in the queue yet"),
        pytest.param(Entry(2, 1.0, "sent", WORK, "held"), False, id="it is in a queue"),
    ],
)
def test_a_purge_is_a_step_of_the_messages_that_it_deleted(last: Entry, purged: bool) -> None:
    """The journal has one entry for the purge of a queue; it belongs to the messages that were in the queue then."""
    purge = Entry(5, 2.0, "purged", WORK)

    found = purges([last], ENDPOINTS, {"held"}, {WORK: purge}.get)

    assert [(each.message_id, each.event) for each in found] == ([("m", "purged")] if purged else [])


def test_the_entries_of_a_manual_clock_are_shown_at_their_real_time() -> None:
    """localbus's own time is a detail where it differs; with a real clock nothing changes."""
    entry, details = in_real_time(Entry(1, 7.0, "sent", WORK, "m", real_at=1_000.0))

    assert (entry.at, details) == (1_000.0, {"queue_clock": "1970-01-01 00:00:07"})
    assert in_real_time(Entry(1, 7.0, "sent", WORK, "m")) == (Entry(1, 7.0, "sent", WORK, "m"), {})
    assert in_real_time(Entry(1, 999.0, "sent", WORK, "m", real_at=1_000.0))[1] == {}
