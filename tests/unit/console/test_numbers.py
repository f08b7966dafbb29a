"""The data layer: exposition text, rates, what lies in a queue. What is not known is None."""

from orderboard.console.gauges import Meter, parse, total
from orderboard.console.rates import Rates
from orderboard.orders.browse import StoredMessage
from orderboard.orders.browse import parse as parse_messages

WORKER = """\
# HELP orderboard_worker_messages_total Messages by what became of them.
orderboard_worker_messages_total{queue="work",outcome="completed"} %d
orderboard_worker_messages_total{queue="work",outcome="retried"} 7.0
orderboard_worker_in_hand 3.0
"""
HELD = {"work": 0, "express": 0, "alerts": 0, "inbox": 0, "undelivered": 0}


def test_an_exposition_is_read() -> None:
    """Samples are summed by name and labels; what is not there is nought."""
    samples = parse(WORKER % 5)

    assert total(samples, "orderboard_worker_messages_total", queue="work") == 12
    assert total(samples, "orderboard_worker_in_hand") == 3
    assert total(samples, "nonesuch") == 0


def test_a_counter_outlives_its_process() -> None:
    """One that begins anew is added to what was; without a reading there is no number."""
    meter = Meter()

    assert [meter.total("x", value) for value in (10, 30, None, 5, 6)] == [10, 30, None, 35, 36]


def test_a_rate_is_a_mean_over_some_seconds() -> None:
    """One reading gives no rate; later ones give one over the last three seconds, whatever was before."""
    rates = Rates()

    for now_s, inbox in ((0, 0), (1, 90), (2, 90), (3, 90), (4, 93)):
        rates.measure(HELD | {"inbox": inbox}, {}, None, None, now_s=now_s)
        if now_s == 0:
            assert rates.per_s == {}

    assert rates.per_s["announced"] == 1


def test_rates_outlive_a_worker() -> None:
    """What a worker did is still counted when it has ended and another does more; retries are not done work."""
    rates = Rates()

    rates.measure(HELD, {1: parse(WORKER % 10)}, None, None, now_s=0)
    rates.measure(HELD | {"work": 20}, {2: parse(WORKER % 30)}, None, None, now_s=10)

    assert rates.per_s["work_done"] == 3
    assert rates.per_s["work_in"] == 5
    assert rates.per_s["accepted"] is None
    assert rates.per_s["recorded"] is None
    assert rates.api_ms is None


def test_what_is_taken_out_is_not_taken_for_what_came_in() -> None:
    """After a purge, or when the last work of a killed worker was not read, a rate is unknown or nought, never high."""
    rates = Rates()
    worker = {1: parse(WORKER % 1000)}

    rates.measure(HELD | {"work": 300, "inbox": 200}, worker, None, 1000, now_s=0)
    rates.measure(HELD | {"work": 0, "inbox": 199}, worker, None, 1000, now_s=3)

    assert rates.per_s["work_in"] is None
    assert rates.per_s["announced"] == 0
    assert rates.per_s["recorded"] == 0


def test_a_drain_does_not_hide_what_comes_in() -> None:
    """A queue and its worker are read one after the other: what was done in between is no purge."""
    rates = Rates()

    rates.measure(HELD | {"work": 300}, {1: parse(WORKER % 0)}, None, None, now_s=0)
    rates.measure(HELD | {"work": 0}, {1: parse(WORKER % 260)}, None, None, now_s=3)

    assert rates.per_s["work_in"] == 0


def test_messages_of_ministack() -> None:
    """MiniStack's answer: when sent, how often received, whether it can be received now."""
    found = parse_messages(
        {
            "messages": {
                "000000000000": {
                    "us-east-1": {
                        "http://x/work": [
                            {
                                "MessageId": "m1",
                                "Body": '{"a": "<b>"}',
                                "SentTimestamp": 12,
                                "IsVisible": False,
                                "ReceiveCount": 2,
                                "MessageAttributes": {"priority": {"DataType": "String", "StringValue": "normal"}},
                                "Attributes": {"SentTimestamp": "12500"},
                            }
                        ]
                    }
                }
            }
        }
    )

    assert found[0].sent_at_s == 12.5
    assert found[0].receive_count == 2
    assert found[0].visible is False
    assert found[0].attributes == {"priority": "normal"}
    assert found[0].document()["body"] == {"a": "<b>"}


def test_a_body_that_is_nested_too_deep_is_shown_as_text() -> None:
    """Whoever can send to a queue must not keep others from looking into it."""
    for body in ("[" * 100_000, '{"a":' * 5_000):
        assert StoredMessage("m1", body, None, None, None, {}).document()["body"] == body


def test_messages_of_localstack() -> None:
    """LocalStack's answer is SQS's XML as JSON, in which one message is no list; what it leaves out is unknown."""
    message = {"MessageId": "m1", "Body": "no json", "Attribute": {"Name": "SentTimestamp", "Value": "12500"}}

    found = parse_messages({"ReceiveMessageResponse": {"ReceiveMessageResult": {"Message": message}}})

    assert found[0].sent_at_s == 12.5
    assert found[0].receive_count is None
    assert found[0].visible is None
    assert found[0].document()["is_json"] is False
    assert parse_messages({"ReceiveMessageResponse": {"ReceiveMessageResult": None}}) == []
