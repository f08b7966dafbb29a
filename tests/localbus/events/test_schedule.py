"""Schedules of rules (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.clock import ManualClock
from localbus.engine import Engine, Options
from localbus.errors import AwsError
from localbus.events.api import service
from localbus.events.schedule import parse
from localbus.protocol.service import Caller
from localbus.pytest_plugin import Localbus
from support.localbus import QueueOf

NOW = "2026-11-21 11:00"  # a Saturday


def after(expression: str, now: str = NOW) -> str | None:
    """Return the next time of an expression."""
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
    """As the page says, or never again."""
    assert after(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        *("rate(10 seconds)", "rate(10 years)", "rate(1 minutes)", "rate(1 hours)", "rate(1 days)", "rate(10 minute)"),
        *("rate(10 hour)", "rate()", "rate(10)", "rate(10 minutess)", "rate(foo minutes)", "rate(0 minutes)"),
        *("rate(-10 minutes)", "rate(10 MINUTES)", "rate( 10 minutes )", " rate(10 minutes)"),
        "at(2026-01-01T00:00:00)",
        *("cron(0 1 * * * *)", "cron(0 1 ? * ? *)", "cron(7 20 * * NOT *)", "cron(INVALID)", "cron(71 8 1 * ? *)"),
        *("cron(0 dummy ? * MON-FRI *)", "cron(0 0 1 1 ?)", "cron(0 0 1 1 ? * *)", "cron(* * ? * 3#6 *)", "cron()"),
    ],
)
def test_an_invalid_expression_is_rejected(expression: str) -> None:
    """With one message for all of them, as on AWS."""
    with pytest.raises(AwsError, match=r"^ValidationException: Parameter ScheduleExpression is not valid\.$"):
        parse(expression)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(0, 59), st.integers(0, 23))  # noqa: DTZ001
def test_a_daily_time_comes_within_a_day(now: datetime, minute: int, hour: int) -> None:
    """It is later than now, by at most a day, at that time of the day."""
    start = now.replace(tzinfo=UTC)
    when = parse(f"cron({minute} {hour} * * ? *)").after(start.timestamp())
    assert when is not None
    found = datetime.fromtimestamp(when, UTC)

    assert start < found <= start + timedelta(days=1)
    assert (found.minute, found.hour, found.second) == (minute, hour, 0)


def test_a_scheduled_rule_sends_events(localbus: Localbus, events: Any, queue: QueueOf) -> None:
    """A rate counts from the creation of the rule, and the event names the rule (eb-create-rule-schedule.html)."""
    rule_arn = events.put_rule(Name="tick", ScheduleExpression="rate(5 minutes)")["RuleArn"]
    events.put_targets(Rule="tick", Targets=[{"Id": "1", "Arn": queue.arn}])

    localbus.advance(299)
    before = queue.drain()
    localbus.advance(601)

    assert before == []
    found = queue.drain()
    assert [one["time"] for one in found] == ["2023-11-14T22:18:20Z", "2023-11-14T22:23:20Z", "2023-11-14T22:28:20Z"]
    assert {(one["source"], one["detail-type"], one["resources"][0]) for one in found} == {
        ("aws.events", "Scheduled Event", rule_arn)
    }
    assert found[0]["detail"] == {}


def test_a_rule_that_is_disabled_changed_or_deleted_does_not_run(
    localbus: Localbus, events: Any, queue: QueueOf
) -> None:
    """By its old schedule (API_DisableRule.html)."""
    for name in ("disabled", "changed", "deleted"):
        events.put_rule(Name=name, ScheduleExpression="rate(1 minute)")
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": queue.arn, "Input": json.dumps(name)}])
    events.disable_rule(Name="disabled")
    events.put_rule(Name="changed", ScheduleExpression="cron(0 0 * * ? *)")
    events.remove_targets(Rule="deleted", Ids=["1"])
    events.delete_rule(Name="deleted")

    localbus.advance(3600)
    within_an_hour = queue.drain()
    events.enable_rule(Name="disabled")
    localbus.advance(3600)

    assert within_an_hour == []
    assert sorted(queue.drain()) == ["changed"] + ["disabled"] * 60


async def test_a_schedule_ends_with_the_engine() -> None:
    """A stopped engine sends no more events."""
    clock = ManualClock()
    engine = Engine(Options(), clock)
    put_rule = service(engine.events).actions["PutRule"]
    put_rule({"Name": "r", "ScheduleExpression": "rate(1 minute)"}, Caller())
    clock.advance(60)

    await engine.stop()
    clock.advance(3600)

    assert len(list(engine.journal.entries(event="scheduled"))) == 1
