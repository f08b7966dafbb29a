"""Events on their way to targets: where they arrive, when there is another attempt, and what becomes of the others.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html and rule-dlq.html there, and
eb-use-resource-based.html for permissions.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.background_tasks import BackgroundTasks
from localbus.clock import ManualClock
from localbus.delivery.attempt import DeliveryError
from localbus.delivery_faults import DeliveryFaults
from localbus.events.api import service
from localbus.events.delivery import (
    FIRST_RETRY_S,
    MAX_RETRIES,
    SLOWEST_RETRY_S,
    EventDelivery,
    retry_delay_s,
)
from localbus.events.state import EventBridge
from localbus.journal import Journal
from localbus.protocol.service import Caller
from localbus.pytest_plugin import Localbus
from localbus.sqs.state import Sqs
from localbus.upstream.client import UpstreamCalls

ME = Caller()
ARN = "arn:aws:sqs:us-east-1:000000000000:"
TOPIC_ARN = "arn:aws:sns:us-east-1:000000000000:t"


class Bench:
    """EventBridge and SQS without a server, under a manual clock, with a target that can be told to fail."""

    def __init__(self, *, enforce_policies: bool = True, faults: DeliveryFaults | None = None) -> None:
        self.clock = ManualClock()
        self.journal = Journal()
        self.sqs = Sqs(self.clock, self.journal, enforce_policies=enforce_policies)
        self.events = EventBridge(
            self.clock,
            self.journal,
            self.sqs,
            UpstreamCalls(None),
            BackgroundTasks(self.clock),
            publish_to_topic=lambda *_given: None,
            enforce_policies=enforce_policies,
            faults=faults,
        )
        self.attempts: list[float] = []
        self.error: DeliveryError | None = None
        self.events.deliveries.senders["sns"] = self._flaky
        self.actions = service(self.events).actions

    def _flaky(self, _delivery: EventDelivery) -> None:
        self.attempts.append(self.clock.now())
        if self.error is not None:
            raise self.error

    def call(self, action: str, **params: Any) -> Any:
        """Do an action of EventBridge."""
        return self.actions[action](params, ME)

    def queue(self, name: str, *, open_to: str | None = "events.amazonaws.com", **attributes: str) -> str:
        """Make a queue that a service may send to, and say its ARN."""
        if open_to:
            statement = {"Effect": "Allow", "Principal": {"Service": open_to}, "Action": "sqs:SendMessage"}
            attributes["Policy"] = json.dumps({"Statement": [statement]})
        self.sqs.queues.create(name, attributes, {}, ME)
        return ARN + name

    def rule(self, *targets: dict[str, Any], name: str = "r", bus: str = "default") -> None:
        """A rule for every event, with these targets."""
        self.call("PutRule", Name=name, EventBusName=bus, EventPattern='{"source": [{"prefix": ""}]}')
        given = [{"Id": str(number), **target} for number, target in enumerate(targets)]
        self.call("PutTargets", Rule=name, EventBusName=bus, Targets=given)

    def put(self, **changes: Any) -> str:
        """Put an event and say its id."""
        entry = {"Source": "s", "DetailType": "t", "Detail": '{"a": 1}'} | changes
        return str(self.call("PutEvents", Entries=[entry])["Entries"][0]["EventId"])

    def messages(self, name: str) -> list[Any]:
        """What is in a queue."""
        return list(self.sqs.queues.by_name(name, ME.account, ME.region).queue.peek())

    def told(self, event_id: str) -> list[str]:
        """What the journal says became of an event."""
        return [entry.event for entry in self.journal.entries(message_id=event_id)]


@pytest.fixture
def bench() -> Bench:
    """A fresh bench."""
    return Bench()


def attributes(message: Any) -> dict[str, str]:
    """A message's attributes as plain texts."""
    return {name: attribute["StringValue"] for name, attribute in message.attributes.items()}


def test_an_event_arrives_at_every_target_of_every_rule(bench: Bench) -> None:
    """Once for each, and the journal tells its way."""
    first, second = bench.queue("first"), bench.queue("second")
    bench.rule({"Arn": first}, {"Arn": second, "InputPath": "$.detail"})
    bench.rule({"Arn": first}, name="other")

    event_id = bench.put()

    assert [json.loads(message.body)["id"] for message in bench.messages("first")] == [event_id, event_id]
    assert [message.body for message in bench.messages("second")] == ['{"a":1}']
    assert bench.told(event_id) == ["published", "matched", "delivered", "delivered", "matched", "delivered"]


def test_an_event_that_no_rule_wants(bench: Bench) -> None:
    """It is told, and nothing else happens."""
    assert bench.told(bench.put()) == ["published", "unmatched"]


def test_a_disabled_rule_gets_nothing(bench: Bench) -> None:
    """And an enabled one does again (APIReference/API_DisableRule.html)."""
    bench.rule({"Arn": bench.queue("q")})
    bench.call("DisableRule", Name="r")
    bench.put()
    bench.call("EnableRule", Name="r")
    bench.put()

    assert len(bench.messages("q")) == 1


def test_a_fifo_queue_gets_its_group(bench: Bench) -> None:
    """The target says which; the queue deduplicates by content (APIReference/API_SqsParameters.html)."""
    arn = bench.queue("q.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    bench.rule({"Arn": arn, "SqsParameters": {"MessageGroupId": "g"}, "InputPath": "$.detail"})

    for _ in range(2):
        bench.put()

    assert [(message.group_id, message.body) for message in bench.messages("q.fifo")] == [("g", '{"a":1}')]


def test_without_a_policy_nothing_arrives(bench: Bench) -> None:
    """It goes to the dead-letter queue at once, and the journal says why (eb-use-resource-based.html)."""
    closed, dead = bench.queue("closed", open_to="sns.amazonaws.com"), bench.queue("dead")
    bench.rule({"Arn": closed, "DeadLetterConfig": {"Arn": dead}})

    event_id = bench.put()

    assert bench.messages("closed") == []
    [letter] = bench.messages("dead")
    assert json.loads(letter.body)["id"] == event_id
    told = attributes(letter)
    assert (told["ERROR_CODE"], told["RETRY_ATTEMPTS"]) == ("NO_PERMISSIONS", "0")
    assert told["RULE_ARN"] == "arn:aws:events:us-east-1:000000000000:rule/r"
    assert told["TARGET_ARN"] == closed
    assert "EXHAUSTED_RETRY_CONDITION" not in told
    [denied] = bench.journal.entries(event="denied")
    assert denied.detail == "the resource policy does not allow events.amazonaws.com to perform sqs:SendMessage"
    assert bench.told(event_id) == ["published", "matched", "undelivered", "dead_lettered"]


def test_a_policy_can_name_the_rule(bench: Bench) -> None:
    """Only that rule's events arrive (rule-dlq.html, "Granting permissions")."""
    bench.rule({"Arn": bench.queue("q")}, name="mine")
    bench.rule({"Arn": ARN + "q"}, name="other")
    condition = {"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:000000000000:rule/mine"}}
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    record = bench.sqs.queues.by_name("q", ME.account, ME.region)
    policy = json.dumps({"Statement": [statement | {"Condition": condition}]})
    bench.sqs.queues.change(record, {"Policy": policy})

    bench.put()

    assert len(bench.messages("q")) == 1


def test_policies_can_be_switched_off() -> None:
    """Then everything arrives."""
    bench = Bench(enforce_policies=False)
    bench.rule({"Arn": bench.queue("q", open_to=None)})

    bench.put()

    assert len(bench.messages("q")) == 1


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ({"Arn": ARN + "missing"}, "NO_RESOURCE"),
        ({"Arn": "arn:aws:events:us-east-1:000000000000:event-bus/missing"}, "NO_RESOURCE"),
        (
            {
                "Arn": "arn:aws:events:us-east-1:000000000000:api-destination/missing/x",
                "RoleArn": "arn:aws:iam::0:role/r",
            },
            "NO_RESOURCE",
        ),
        ({"Arn": "arn:aws:lambda:us-east-1:000000000000:function:f"}, "NO_RESOURCE"),
        ({"Arn": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/events/g"}, "NO_RESOURCE"),
        ({"Arn": ARN + "plain.fifo", "SqsParameters": {"MessageGroupId": "g"}}, "SDK_CLIENT_ERROR"),
    ],
)
async def test_what_cannot_get_better_is_not_tried_again(bench: Bench, target: dict[str, Any], code: str) -> None:
    """A target that is not there, or does not take events, is the dead-letter queue's matter at once."""
    bench.queue("plain.fifo", FifoQueue="true")
    bench.rule({**target, "DeadLetterConfig": {"Arn": bench.queue("dead")}})

    buried = asyncio.Event()
    stop = bench.journal.follow(lambda entry: buried.set() if entry.event == "dead_lettered" else None)
    bench.put()
    await asyncio.wait_for(buried.wait(), 5)
    stop()

    [letter] = bench.messages("dead")
    assert attributes(letter)["ERROR_CODE"] == code
    assert attributes(letter)["RETRY_ATTEMPTS"] == "0"
    assert attributes(letter)["ERROR_MESSAGE"]


def test_a_target_that_comes_back_gets_its_event(bench: Bench) -> None:
    """Retries come ever later, until one goes through."""
    bench.rule({"Arn": TOPIC_ARN})
    bench.error = DeliveryError("THROTTLING", "slow down", retryable=True)
    event_id = bench.put()

    bench.clock.advance(60)
    failed = len(bench.attempts)
    bench.error = None
    bench.clock.advance(SLOWEST_RETRY_S)

    assert failed > 3
    assert len(bench.attempts) == failed + 1
    waits = [after - before for before, after in zip(bench.attempts, bench.attempts[1:], strict=False)]
    assert all(FIRST_RETRY_S / 2 <= wait <= SLOWEST_RETRY_S for wait in waits)
    assert waits[-1] > 2 * waits[0]
    assert bench.told(event_id)[-1] == "delivered"


@pytest.mark.parametrize(
    ("policy", "condition", "retries"),
    [
        ({"MaximumRetryAttempts": 0}, "MaximumRetryAttempts", "0"),
        ({"MaximumRetryAttempts": 3}, "MaximumRetryAttempts", "3"),
        ({"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 185}, "MaximumEventAgeInSeconds", None),
        ({}, None, None),
    ],
)
def test_a_target_that_stays_away(
    bench: Bench, policy: dict[str, int], condition: str | None, retries: str | None
) -> None:
    """By count or by age the attempts end, and the dead letter says which; by default that is a day or 185 retries."""
    bench.rule({"Arn": TOPIC_ARN, "RetryPolicy": policy, "DeadLetterConfig": {"Arn": bench.queue("dead")}})
    bench.error = DeliveryError("ERROR_FROM_TARGET", "not today", retryable=True)

    event_id = bench.put()
    bench.clock.advance(86_400)

    [letter] = bench.messages("dead")
    told = attributes(letter)
    assert (told["ERROR_CODE"], told["ERROR_MESSAGE"]) == ("ERROR_FROM_TARGET", "not today")
    assert condition is None or told["EXHAUSTED_RETRY_CONDITION"] == condition
    assert retries is None or told["RETRY_ATTEMPTS"] == retries
    assert int(told["RETRY_ATTEMPTS"]) == len(bench.attempts) - 1 <= MAX_RETRIES
    assert bench.attempts[-1] - bench.attempts[0] <= policy.get("MaximumEventAgeInSeconds", 86_400)
    assert bench.told(event_id)[-1] == "dead_lettered"


def test_without_a_dead_letter_queue_an_event_is_lost(bench: Bench) -> None:
    """The journal is where it can still be found, also when the dead-letter queue takes nothing."""
    closed = bench.queue("closed", open_to=None)
    bench.rule({"Arn": ARN + "missing"}, {"Arn": ARN + "missing", "DeadLetterConfig": {"Arn": closed}})

    event_id = bench.put()

    dropped = [entry.detail for entry in bench.journal.entries(message_id=event_id, event="dropped")]
    assert dropped[0] == "the target has no dead-letter queue"
    assert str(dropped[1]).startswith("the dead-letter queue did not accept it: AccessDenied")


def test_the_dead_letter_is_the_event_before_any_transformation(bench: Bench) -> None:
    """It can be put again as it was."""
    bench.rule({"Arn": ARN + "missing", "Input": '"constant"', "DeadLetterConfig": {"Arn": bench.queue("dead")}})

    event_id = bench.put()

    assert json.loads(bench.messages("dead")[0].body)["id"] == event_id


def test_an_event_goes_on_to_another_bus_but_not_to_a_third(bench: Bench) -> None:
    """It keeps its id (eb-bus-to-bus.html: "can't route events received from a sender event bus to a third")."""
    arns = [bench.call("CreateEventBus", Name=name)["EventBusArn"] for name in ("second", "third")]
    bench.rule({"Arn": arns[0]})
    bench.rule({"Arn": arns[1], "DeadLetterConfig": {"Arn": bench.queue("dead")}}, bus="second")
    bench.rule({"Arn": bench.queue("q")}, bus="second", name="q")
    bench.rule({"Arn": ARN + "q"}, bus="third")

    event_id = bench.put()

    assert [json.loads(message.body)["id"] for message in bench.messages("q")] == [event_id]
    assert attributes(bench.messages("dead")[0])["ERROR_CODE"] == "THIRD_ACCOUNT_HOP_DETECTED"


def test_an_event_gets_another_id_in_another_region(bench: Bench) -> None:
    """Account, region and time stay those of the sender; the journal leads from one id to the other (recorded)."""
    abroad = Caller(ME.account, "eu-west-1")
    bus = bench.events.buses.find(None, abroad)
    bench.rule({"Arn": bus.arn})
    queue = bench.queue("q")
    bench.actions["PutRule"]({"Name": "r", "EventPattern": '{"source": ["s"]}'}, abroad)
    bench.actions["PutTargets"]({"Rule": "r", "Targets": [{"Id": "1", "Arn": queue}]}, abroad)

    event_id = bench.put()

    [arrived] = [json.loads(message.body) for message in bench.messages("q")]
    assert arrived["id"] != event_id
    assert (arrived["region"], arrived["account"]) == (ME.region, ME.account)
    [delivered] = bench.journal.entries(message_id=event_id, event="delivered")
    assert isinstance(delivered.detail, dict)
    assert delivered.detail["message_id"] == arrived["id"]


def test_an_input_that_cannot_be_made_is_not_delivered(bench: Bench) -> None:
    """Not to the target and not to the dead-letter queue; the journal says why (recorded: nothing arrives)."""
    transformer = {"InputPathsMap": {"d": "$.detail"}, "InputTemplate": '{"d": "<d>"}'}
    dead = {"DeadLetterConfig": {"Arn": bench.queue("dead")}}
    bench.rule({"Arn": bench.queue("q"), "InputTransformer": transformer, **dead})

    event_id = bench.put()

    assert bench.messages("q") == bench.messages("dead") == []
    [dropped] = bench.journal.entries(message_id=event_id, event="dropped")
    assert dropped.detail == "the filled input template is not JSON"


def test_another_accounts_bus_asks_its_policy(bench: Bench) -> None:
    """Without a permission nothing comes over (eb-cross-account.html)."""
    theirs = Caller("111111111111")
    bus = bench.events.buses.find(None, theirs)
    bench.rule({"Arn": bus.arn, "DeadLetterConfig": {"Arn": bench.queue("dead")}})

    bench.put()
    params = {"Action": "events:PutEvents", "Principal": ME.account, "StatementId": "s"}
    bench.actions["PutPermission"](params, theirs)
    event_id = bench.put()

    assert [attributes(letter)["ERROR_CODE"] for letter in bench.messages("dead")] == ["NO_PERMISSIONS"]
    assert bus.arn in {entry.resource for entry in bench.journal.entries(message_id=event_id, event="published")}


def test_a_fault_of_one_target_does_not_harm_the_others(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the event goes to the dead-letter queue."""

    def broken(_delivery: EventDelivery) -> None:
        raise RuntimeError("broken")

    bench.events.deliveries.senders["sns"] = broken
    bench.rule({"Arn": TOPIC_ARN, "DeadLetterConfig": {"Arn": bench.queue("dead")}}, {"Arn": bench.queue("q")})

    bench.put()

    assert len(bench.messages("q")) == 1
    assert attributes(bench.messages("dead")[0])["ERROR_CODE"] == "INTERNAL_ERROR"
    assert [record.message for record in caplog.records] == ["delivery.failed"]


def test_a_rule_can_be_triggered_twice() -> None:
    """Rarely, as AWS says, or as often as one asks; the same seed gives the same (eb-troubleshooting.html)."""

    def counts(faults: DeliveryFaults | None) -> list[int]:
        bench = Bench(faults=faults)
        bench.rule({"Arn": bench.queue("q")})
        found: list[int] = []
        for _ in range(20):
            event_id = bench.put()
            found.append(bench.told(event_id).count("delivered"))
        return found

    some = counts(DeliveryFaults(seed=7, doubled_events=0.5))
    assert set(some) == {1, 2}
    assert some == counts(DeliveryFaults(seed=7, doubled_events=0.5))
    assert counts(None) == [1] * 20


@given(st.integers(0, 200), st.uuids())
def test_retries_wait_between_half_and_all_of_their_time(retries: int, event_id: Any) -> None:
    """The time doubles up to a limit; chance takes off up to half, so that events do not come all at once."""
    whole = min(FIRST_RETRY_S * 2.0 ** min(retries, 20), SLOWEST_RETRY_S)

    assert whole / 2 <= retry_delay_s(retries, str(event_id)) <= whole


def test_what_is_under_way_ends_with_the_engine(localbus: Localbus) -> None:
    """A delivery that waits for its next attempt holds nothing up."""
    events = localbus.client("events")
    events.put_rule(Name="r", EventPattern='{"source": ["s"]}')
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn}])

    answer = events.put_events(Entries=[{"Source": "s", "DetailType": "t", "Detail": "{}"}])

    assert answer["FailedEntryCount"] == 0
