"""When rules run by the clock (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.errors import AwsError
from localbus.events.schedule import parse
from localbus.pytest_plugin import Localbus

NOW = "2026-11-21 11:00"  # a Saturday


def after(expression: str, now: str = NOW) -> str | None:
    """When an expression is next due."""
    when = parse(expression).after(datetime.fromisoformat(f"{now}+00:00").timestamp())
    return None if when is None else f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # the page's examples
        ("cron(0 10 * * ? *)", "2026-11-22 10:00"),
        ("cron(15 12 * * ? *)", "2026-11-21 12:15"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-23 18:00"),
        ("cron(0 8 1 * ? *)", "2026-12-01 08:00"),
        ("cron(0/15 * * * ? *)", "2026-11-21 11:15"),
        ("cron(0/10 * ? * MON-FRI *)", "2026-11-23 00:00"),
        ("cron(0/5 8-17 ? * MON-FRI *)", "2026-11-23 08:00"),
        ("cron(0/30 20-2 ? * MON-FRI *)", "2026-11-23 00:00"),
        ("cron(15 10 ? * 6L 2019-2022)", None),
        ("cron(15 10 ? * 6L 2019-2030)", "2026-11-27 10:15"),
        ("cron(0/5 5 ? JAN 1-5 2022)", None),
        ("cron(0 2 ? * SAT#3 *)", "2026-12-19 02:00"),
        # L, W, lists and what never comes
        ("cron(0 9 L * ? *)", "2026-11-30 09:00"),
        ("cron(0 9 LW * ? *)", "2026-11-30 09:00"),
        ("cron(0 9 22W 11 ? *)", "2026-11-23 09:00"),
        ("cron(0 9 1W 8 ? *)", "2027-08-02 09:00"),
        ("cron(5,35 14 * * ? *)", "2026-11-21 14:05"),
        ("cron(0 0 29 2 ? *)", "2028-02-29 00:00"),
        ("cron(0 0 31 2 ? *)", None),
        ("cron(0 12 ? * L *)", "2026-11-21 12:00"),
        # rates count from when the rule was enabled
        ("rate(1 minute)", "2026-11-21 11:01"),
        ("rate(12 hours)", "2026-11-21 23:00"),
        ("rate(7 days)", "2026-11-28 11:00"),
    ],
)
def test_the_next_time(expression: str, expected: str | None) -> None:
    """An expression is next due when the page says so, or never again."""
    assert after(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        *("rate(10 seconds)", "rate(10 years)", "rate(1 minutes)", "rate(1 hours)", "rate(1 days)", "rate(10 minute)"),
        *("rate(10 hour)", "rate()", "rate(10)", "rate(10 minutess)", "rate(foo minutes)", "rate(0 minutes)"),
        *(
            "rate(-10 minutes)",
            "rate(10 MINUTES)",
            "rate( 10 minutes )",
            " rate(10 minutes)",
            "at(2026-01-01T00:00:00)",
        ),
        *("cron(0 1 * * * *)", "cron(0 1 ? * ? *)", "cron(7 20 * * NOT *)", "cron(INVALID)", "cron(71 8 1 * ? *)"),
        *("cron(0 dummy ? * MON-FRI *)", "cron(0 0 1 1 ?)", "cron(0 0 1 1 ? * *)", "cron(* * ? * 3#6 *)", "cron()"),
    ],
)
def test_what_is_no_schedule(expression: str) -> None:
    """AWS has one message for all of them."""
    with pytest.raises(AwsError, match=r"^ValidationException: Parameter ScheduleExpression is not valid\.$"):
        parse(expression)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(0, 59), st.integers(0, 23))  # noqa: DTZ001
def test_a_daily_time_comes_within_a_day(now: datetime, minute: int, hour: int) -> None:
    """It is always later than now, at most a day, and at that time of the day."""
    start = now.replace(tzinfo=UTC)
    when = parse(f"cron({minute} {hour} * * ? *)").after(start.timestamp())
    assert when is not None
    found = datetime.fromtimestamp(when, UTC)

    assert start < found <= start + timedelta(days=1)
    assert (found.minute, found.hour, found.second) == (minute, hour, 0)


@pytest.fixture
def events(localbus: Localbus) -> Any:
    """A client of the engine."""
    return localbus.client("events")


@pytest.fixture
def queue(localbus: Localbus) -> tuple[Any, str]:
    """A client, and the URL of a queue that takes events."""
    sqs = localbus.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [statement]})})
    return sqs, url


QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:q"


def received(queue: tuple[Any, str]) -> list[Any]:
    """Everything in the queue."""
    sqs, url = queue
    found: list[Any] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
    return found


def test_a_rule_runs_by_the_clock(localbus: Localbus, events: Any, queue: tuple[Any, str]) -> None:
    """A rate counts from when the rule was made; its event names the rule (eb-create-rule-schedule.html)."""
    rule_arn = events.put_rule(Name="tick", ScheduleExpression="rate(5 minutes)")["RuleArn"]
    events.put_targets(Rule="tick", Targets=[{"Id": "1", "Arn": QUEUE_ARN}])

    localbus.advance(299)
    before = received(queue)
    localbus.advance(601)

    assert before == []
    found = received(queue)
    assert [one["time"] for one in found] == ["2023-11-14T22:18:20Z", "2023-11-14T22:23:20Z", "2023-11-14T22:28:20Z"]
    assert {(one["source"], one["detail-type"], one["resources"][0]) for one in found} == {
        ("aws.events", "Scheduled Event", rule_arn)
    }
    assert found[0]["detail"] == {}


def test_a_rule_that_is_disabled_changed_or_deleted_does_not_run(
    localbus: Localbus, events: Any, queue: tuple[Any, str]
) -> None:
    """Only the schedule that a rule has now counts, and only while it is enabled (API_DisableRule.html)."""
    for name in ("disabled", "changed", "deleted"):
        events.put_rule(Name=name, ScheduleExpression="rate(1 minute)")
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": QUEUE_ARN, "Input": json.dumps(name)}])
    events.disable_rule(Name="disabled")
    events.put_rule(Name="changed", ScheduleExpression="cron(0 0 * * ? *)")
    events.remove_targets(Rule="deleted", Ids=["1"])
    events.delete_rule(Name="deleted")

    localbus.advance(3600)
    within_an_hour = received(queue)
    events.enable_rule(Name="disabled")
    localbus.advance(3600)

    assert within_an_hour == []
    assert sorted(received(queue)) == ["changed"] + ["disabled"] * 60


def test_schedules_are_for_the_default_bus(events: Any) -> None:
    """AWS says so (API_PutRule.html)."""
    events.create_event_bus(Name="bus")

    with pytest.raises(
        events.exceptions.ClientError, match="ScheduleExpression is supported only on the default event"
    ):
        events.put_rule(Name="r", EventBusName="bus", ScheduleExpression="rate(1 minute)")
