"""Delivery of events to targets: retries, dead-letter queues, policies and other buses.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html and, there, eb-rule-dlq.html
and eb-use-resource-based.html for permissions.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.delivery_faults import DeliveryFaults
from localbus.events.delivery import FIRST_RETRY_S, MAX_RETRIES, SLOWEST_RETRY_S, EventDelivery, retry_delay_s
from localbus.protocol.service import Caller
from localbus.storage.storage import NotStoredError
from support.events import ME, QUEUE_ARN, TOPIC_ARN, Bench, retryable

MISSING = {"Arn": QUEUE_ARN + "-missing"}
BUS_ARN = "arn:aws:events:us-east-1:000000000000:event-bus/"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"


def attributes(message: Any) -> dict[str, str]:
    """Return a message's attributes as plain strings."""
    return {name: attribute["StringValue"] for name, attribute in message.attributes.items()}


def test_an_event_reaches_every_target_of_every_matching_rule(bench: Bench) -> None:
    """Once each, and the journal has its path."""
    first, second = bench.queue("first"), bench.queue("second")
    bench.rule({"Arn": first}, {"Arn": second, "InputPath": "$.detail"})
    bench.rule({"Arn": first}, name="other")

    event_id = bench.put()

    assert [json.loads(message.body)["id"] for message in bench.messages("first")] == [event_id, event_id]
    assert [message.body for message in bench.messages("second")] == ['{"a":1}']
    assert bench.journaled(event_id) == ["published", "matched", "delivered", "delivered", "matched", "delivered"]


def test_an_event_without_a_matching_rule_is_journaled(bench: Bench) -> None:
    """As unmatched, and nothing else happens."""
    assert bench.journaled(bench.put()) == ["published", "unmatched"]


def test_a_disabled_rule_matches_nothing(bench: Bench) -> None:
    """Until it is enabled again (APIReference/API_DisableRule.html)."""
    bench.rule({"Arn": bench.queue("q")})
    bench.call("DisableRule", Name="r")
    bench.put()
    bench.call("EnableRule", Name="r")
    bench.put()

    assert len(bench.messages("q")) == 1


def test_a_fifo_queue_receives_the_message_group(bench: Bench) -> None:
    """From the target; the queue deduplicates by content (APIReference/API_SqsParameters.html)."""
    arn = bench.queue("q.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    bench.rule({"Arn": arn, "SqsParameters": {"MessageGroupId": "g"}, "InputPath": "$.detail"})

    for _ in range(2):
        bench.put()

    assert [(message.group_id, message.body) for message in bench.messages("q.fifo")] == [("g", '{"a":1}')]


# Policies


def test_without_a_permission_an_event_is_dead_lettered(bench: Bench) -> None:
    """At once, and the journal has the reason (eb-use-resource-based.html)."""
    closed, dead = bench.queue("closed", open_to="sns.amazonaws.com"), bench.queue("dead")
    bench.rule({"Arn": closed, "DeadLetterConfig": {"Arn": dead}})

    event_id = bench.put()

    assert bench.messages("closed") == []
    [letter] = bench.messages("dead")
    assert json.loads(letter.body)["id"] == event_id
    found = attributes(letter)
    assert (found["ERROR_CODE"], found["RETRY_ATTEMPTS"]) == ("NO_PERMISSIONS", "0")
    assert found["RULE_ARN"] == "arn:aws:events:us-east-1:000000000000:rule/r"
    assert found["TARGET_ARN"] == closed
    assert "EXHAUSTED_RETRY_CONDITION" not in found
    [denied] = bench.journal.entries(event="denied")
    assert denied.detail == "the resource policy does not allow events.amazonaws.com to perform sqs:SendMessage"
    assert bench.journaled(event_id) == ["published", "matched", "undelivered", "dead_lettered"]


def test_a_policy_can_name_the_rule(bench: Bench) -> None:
    """Events of other rules do not arrive (eb-rule-dlq.html, "Granting permissions")."""
    bench.rule({"Arn": bench.queue("q")}, name="mine")
    bench.rule({"Arn": QUEUE_ARN}, name="other")
    condition = {"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:000000000000:rule/mine"}}
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    record = bench.sqs.queues.by_name("q", ME.account, ME.region)
    policy = json.dumps({"Statement": [statement | {"Condition": condition}]})
    bench.sqs.queues.change(record, {"Policy": policy})

    bench.put()

    assert len(bench.messages("q")) == 1


def test_policies_can_be_switched_off() -> None:
    """Everything then arrives."""
    bench = Bench(enforce_policies=False)
    bench.rule({"Arn": bench.queue("q", open_to=None)})

    bench.put()

    assert len(bench.messages("q")) == 1


# Retries and dead-letter queues


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (MISSING, "NO_RESOURCE"),
        ({"Arn": BUS_ARN + "missing"}, "NO_RESOURCE"),
        ({"Arn": "arn:aws:events:us-east-1:000000000000:api-destination/missing/x"}, "NO_RESOURCE"),
        ({"Arn": FUNCTION_ARN}, "NO_RESOURCE"),
        ({"Arn": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/events/g"}, "NO_RESOURCE"),
        ({"Arn": QUEUE_ARN + "-plain.fifo", "SqsParameters": {"MessageGroupId": "g"}}, "SDK_CLIENT_ERROR"),
    ],
)
async def test_a_permanent_error_is_not_retried(bench: Bench, target: dict[str, Any], code: str) -> None:
    """The event is dead-lettered at once."""
    bench.queue("q-plain.fifo", FifoQueue="true")
    dead = {"Arn": bench.queue("dead")}

    assert await bench.deliver(target["Arn"], **{"DeadLetterConfig": dead, **target}) == "dead_lettered"

    [letter] = bench.messages("dead")
    assert attributes(letter)["ERROR_CODE"] == code
    assert attributes(letter)["RETRY_ATTEMPTS"] == "0"
    assert attributes(letter)["ERROR_MESSAGE"]


@pytest.mark.parametrize("error", [retryable("THROTTLING"), NotStoredError("the disk is full")])
def test_a_temporary_error_is_retried(bench: Bench, error: Exception) -> None:
    """With growing delays, until an attempt succeeds."""
    bench.rule({"Arn": TOPIC_ARN})
    bench.error = error
    event_id = bench.put()

    bench.clock.advance(60)
    failed = len(bench.attempts)
    bench.error = None
    bench.clock.advance(SLOWEST_RETRY_S)

    assert failed > 3
    assert len(bench.attempts) == failed + 1
    waits = [after - before for before, after in pairwise(bench.attempts)]
    assert all(FIRST_RETRY_S / 2 <= wait <= SLOWEST_RETRY_S for wait in waits)
    assert waits[-1] > 2 * waits[0]
    assert bench.journaled(event_id)[-1] == "delivered"


@pytest.mark.parametrize(
    ("policy", "condition", "retries"),
    [
        ({"MaximumRetryAttempts": 0}, "MaximumRetryAttempts", "0"),
        ({"MaximumRetryAttempts": 3}, "MaximumRetryAttempts", "3"),
        ({"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 185}, "MaximumEventAgeInSeconds", None),
        ({}, None, None),
    ],
)
def test_retries_end_by_count_or_age(
    bench: Bench, policy: dict[str, int], condition: str | None, retries: str | None
) -> None:
    """The dead letter has the condition. The default is 185 retries or a day."""
    bench.rule({"Arn": TOPIC_ARN, "RetryPolicy": policy, "DeadLetterConfig": {"Arn": bench.queue("dead")}})
    bench.error = retryable()

    event_id = bench.put()
    bench.clock.advance(86_400)

    [letter] = bench.messages("dead")
    found = attributes(letter)
    assert (found["ERROR_CODE"], found["ERROR_MESSAGE"]) == ("ERROR_FROM_TARGET", "not today")
    assert condition is None or found["EXHAUSTED_RETRY_CONDITION"] == condition
    assert retries is None or found["RETRY_ATTEMPTS"] == retries
    assert int(found["RETRY_ATTEMPTS"]) == len(bench.attempts) - 1 <= MAX_RETRIES
    assert bench.attempts[-1] - bench.attempts[0] <= policy.get("MaximumEventAgeInSeconds", 86_400)
    assert bench.journaled(event_id)[-1] == "dead_lettered"


@given(st.integers(0, 200), st.uuids())
def test_a_retry_delay_is_between_half_and_all_of_its_limit(retries: int, event_id: Any) -> None:
    """The limit doubles up to a maximum; the random part keeps events from coming all at once."""
    whole = min(FIRST_RETRY_S * 2.0 ** min(retries, 20), SLOWEST_RETRY_S)

    assert whole / 2 <= retry_delay_s(retries, str(event_id)) <= whole


def test_without_a_dead_letter_queue_an_event_is_lost(bench: Bench) -> None:
    """As with a dead-letter queue that rejects it; the journal still has it."""
    closed = bench.queue("closed", open_to=None)
    bench.rule(MISSING, MISSING | {"DeadLetterConfig": {"Arn": closed}})

    event_id = bench.put()

    dropped = [entry.detail for entry in bench.journal.entries(message_id=event_id, event="dropped")]
    assert dropped[0] == "the target has no dead-letter queue"
    assert str(dropped[1]).startswith("the dead-letter queue did not accept it: AccessDenied")
    assert [loss.fix.partition(",")[0] for loss in bench.losses] == [
        "Create the target",
        "Allow it in the target's policy",
    ]


def test_a_dead_letter_is_the_event_before_any_transformation(bench: Bench) -> None:
    """It can be put again unchanged."""
    bench.rule(MISSING | {"Input": '"constant"', "DeadLetterConfig": {"Arn": bench.queue("dead")}})

    event_id = bench.put()

    assert json.loads(bench.messages("dead")[0].body)["id"] == event_id


def test_an_event_whose_template_fails_is_not_delivered(bench: Bench) -> None:
    """Nor dead-lettered; the journal has the reason (recorded: nothing arrives)."""
    transformer = {"InputPathsMap": {"d": "$.detail"}, "InputTemplate": '{"d": "<d>"}'}
    dead = {"DeadLetterConfig": {"Arn": bench.queue("dead")}}
    bench.rule({"Arn": bench.queue("q"), "InputTransformer": transformer, **dead})

    event_id = bench.put()

    assert bench.messages("q") == bench.messages("dead") == []
    [dropped] = bench.journal.entries(message_id=event_id, event="dropped")
    assert dropped.detail == "the filled input template is not JSON"
    assert [(loss.message_id, loss.reason) for loss in bench.losses] == [(event_id, dropped.detail)]


@pytest.mark.parametrize(
    "given",
    [
        {"Input": '"\ud83c"'},
        {"InputTransformer": {"InputTemplate": '{"cup": "\\ud83c"}'}},
        {"InputTransformer": {"InputTemplate": '"\ud83c"'}},
    ],
)
def test_an_input_with_half_of_a_surrogate_pair_is_dead_lettered(bench: Bench, given: dict[str, Any]) -> None:
    """No target gets what UTF-8 does not have, and nothing fails inside localbus."""
    sent: list[EventDelivery] = []
    bench.events.deliveries.senders["sns"] = sent.append
    bench.rule({"Arn": TOPIC_ARN, "DeadLetterConfig": {"Arn": bench.queue("dead")}, **given})

    bench.put()

    assert sent == []
    assert attributes(bench.messages("dead")[0])["ERROR_CODE"] == "SDK_CLIENT_ERROR"


def test_an_unexpected_exception_of_a_target_does_not_affect_others(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the event is dead-lettered."""
    bench.error = RuntimeError("broken")
    bench.rule({"Arn": TOPIC_ARN, "DeadLetterConfig": {"Arn": bench.queue("dead")}}, {"Arn": bench.queue("q")})

    bench.put()

    assert len(bench.messages("q")) == 1
    assert attributes(bench.messages("dead")[0])["ERROR_CODE"] == "INTERNAL_ERROR"
    assert [record.message for record in caplog.records if record.exc_info] == ["delivery.failed"]


def test_a_rule_can_be_triggered_twice() -> None:
    """Rarely on AWS, here at a given rate; the same seed gives the same result (eb-troubleshooting.html)."""

    def counts(faults: DeliveryFaults | None) -> list[int]:
        bench = Bench(faults=faults)
        bench.rule({"Arn": bench.queue("q")})
        return [bench.journaled(bench.put()).count("delivered") for _ in range(20)]

    some = counts(DeliveryFaults(seed=7, doubled_events=0.5))
    assert set(some) == {1, 2}
    assert some == counts(DeliveryFaults(seed=7, doubled_events=0.5))
    assert counts(None) == [1] * 20


async def test_a_waiting_delivery_ends_with_the_engine(bench: Bench) -> None:
    """It is cancelled with the other background tasks."""
    bench.rule({"Arn": TOPIC_ARN})
    bench.error = retryable()
    bench.put()

    await bench.tasks.cancel_all()
    bench.clock.advance(86_400)

    assert len(bench.attempts) == 1


# Other buses


def test_an_event_is_forwarded_to_a_second_bus_but_not_to_a_third(bench: Bench) -> None:
    """It keeps its id (eb-bus-to-bus.html: "can't route events received from a sender event bus to a third")."""
    arns = [bench.call("CreateEventBus", Name=name)["EventBusArn"] for name in ("second", "third")]
    bench.rule({"Arn": arns[0]})
    bench.rule({"Arn": arns[1], "DeadLetterConfig": {"Arn": bench.queue("dead")}}, bus="second")
    bench.rule({"Arn": bench.queue("q")}, bus="second", name="q")
    bench.rule({"Arn": QUEUE_ARN}, bus="third")

    event_id = bench.put()

    assert [json.loads(message.body)["id"] for message in bench.messages("q")] == [event_id]
    assert attributes(bench.messages("dead")[0])["ERROR_CODE"] == "THIRD_ACCOUNT_HOP_DETECTED"


def test_an_event_gets_a_new_id_in_another_region(bench: Bench) -> None:
    """Account, region and time stay the sender's; the journal links the two ids (recorded)."""
    abroad = Caller(ME.account, "eu-west-1")
    bench.rule({"Arn": bench.events.buses.find(None, abroad).arn})
    bench.call("PutRule", abroad, Name="r", EventPattern='{"source": ["s"]}')
    bench.call("PutTargets", abroad, Rule="r", Targets=[{"Id": "1", "Arn": bench.queue("q")}])

    event_id = bench.put()

    [arrived] = [json.loads(message.body) for message in bench.messages("q")]
    assert arrived["id"] != event_id
    assert (arrived["region"], arrived["account"]) == (ME.region, ME.account)
    [delivered] = bench.journal.entries(message_id=event_id, event="delivered")
    assert isinstance(delivered.detail, dict)
    assert delivered.detail["message_id"] == arrived["id"]


def test_the_policy_of_another_accounts_bus_is_enforced(bench: Bench) -> None:
    """Without a permission no event is forwarded (eb-cross-account.html)."""
    theirs = Caller("111111111111")
    bus = bench.events.buses.find(None, theirs)
    bench.rule({"Arn": bus.arn, "DeadLetterConfig": {"Arn": bench.queue("dead")}})

    bench.put()
    bench.call("PutPermission", theirs, Action="events:PutEvents", Principal=ME.account, StatementId="s")
    event_id = bench.put()

    assert [attributes(letter)["ERROR_CODE"] for letter in bench.messages("dead")] == ["NO_PERMISSIONS"]
    assert bus.arn in {entry.resource for entry in bench.journal.entries(message_id=event_id, event="published")}
