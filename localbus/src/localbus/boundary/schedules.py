"""EventBridge Scheduler: the target of a schedule, and what the upstream would accept and never send.

Sources: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html and
https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Target.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from localbus.boundary.configuration import Configuration, Sender, as_object, not_sent
from localbus.boundary.names import KINDS, names_in
from localbus.errors import AwsError
from localbus.events.schedule import DAYS, MONTHS, parse
from localbus.protocol.constraints import Violation, describe
from localbus.protocol.service import Caller

_INVOKED: Final = {"lambda": "a function", "states": "a state machine"}
_POSSIBLE: Final = "Queues, topics, buses, functions and state machines are possible."
_UNIVERSAL: Final = re.compile(r"arn:aws[a-z-]*:scheduler:::aws-sdk:(.+)")
_ARN: Final = re.compile(r"arn:aws[a-z-]*:([a-z0-9-]+):([a-z0-9-]*):([0-9]*):.+")
_STANDARD_QUEUE: Final = re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+")
_AT: Final = re.compile(r"at\(([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\)")
_RATE: Final = re.compile(r"rate\([1-9][0-9]* (minute|hour|day)s?\)")
_UTC: Final = {"", "UTC", "Etc/UTC", "GMT", "Etc/GMT"}


def read_schedule(name: str, given: Mapping[str, Any], caller: Caller) -> Configuration:
    """Read a schedule. Raises AwsError for one that AWS refuses or that the upstream never runs."""
    target = as_object(given.get("Target"))
    arn = str(target.get("Arn", ""))
    universal = _UNIVERSAL.fullmatch(arn)
    if universal:
        instead = "Name the queue, topic, bus or function itself."
        raise not_sent(f"The universal target {universal[1]} of a schedule", instead)
    if arn:
        _check_target(arn, target, caller)
    _check_time(given.get("ScheduleExpression"), str(given.get("ScheduleExpressionTimezone") or ""))
    group = given.get("GroupName") or "default"
    own_arn = f"arn:aws:scheduler:{caller.region}:{caller.account}:schedule/{group}/{name}"
    at = _AT.fullmatch(str(given.get("ScheduleExpression")))
    details = {**target, "ScheduledTime": at[1]} if at else target
    sender = Sender("scheduler", own_arn, may_precede_target=True, details=details)
    return Configuration(sender, set(names_in(arn, caller)))


def _check_target(arn: str, target: Mapping[str, Any], caller: Caller) -> None:
    """Raise AwsError for a target, or its dead-letter queue, that the schedules do not reach."""
    found = _ARN.fullmatch(arn)
    if found is None:
        raise AwsError("ValidationException", "Provided Arn is not in correct format.")
    service, *scope = found.groups()
    if service not in {*KINDS, *_INVOKED}:
        raise not_sent(f"A schedule for {service}", _POSSIBLE)
    if scope != [caller.region, caller.account]:
        raise not_sent(f"A schedule for {arn}, of another account or region", "Create it in the target's own.")
    if service == "sns" and any(name.is_fifo for name in names_in(arn, caller)):
        raise not_sent("A FIFO topic as the target of a schedule", "A FIFO queue with a MessageGroupId is possible.")
    dead_letters = as_object(target.get("DeadLetterConfig")).get("Arn")
    if service in _INVOKED and "<aws.scheduler." in str(target.get("Input", "")):
        raise not_sent(f"A context attribute in the input of a schedule for {_INVOKED[service]}", "Leave it out.")
    if service in _INVOKED and dead_letters:
        instead = "Leave DeadLetterConfig out, or send to a queue with an event source mapping."
        raise not_sent(f"The dead-letter queue of a schedule for {_INVOKED[service]}", instead)
    if isinstance(dead_letters, str) and not _STANDARD_QUEUE.fullmatch(dead_letters):
        path, pattern = ("target", "deadLetterConfig", "arn"), f"^{_STANDARD_QUEUE.pattern}$"
        violation = Violation(path, f"Member must satisfy regular expression pattern: {pattern}", dead_letters)
        raise AwsError("ValidationException", describe([violation]))


def _check_time(expression: object, zone: str) -> None:
    """Raise AwsError for an expression that is invalid, or that the upstream reads in another way.

    An invalid one would also keep the upstream from running any other schedule.
    """
    if not isinstance(expression, str) or _RATE.fullmatch(expression):
        return
    at = _AT.fullmatch(expression)
    try:
        datetime.fromisoformat(at[1]) if at else parse(expression)
    except (AwsError, ValueError) as exc:
        raise AwsError("ValidationException", f"Invalid Schedule Expression {expression}.") from exc
    if not at and _wraps(expression):
        what = f"A range over the end of an hour, day, week or year, or the weekday L, in {expression}"
        raise not_sent(what, "Name the values one by one, such as 22,23,0,1, and the last day of the week as 7.")
    if zone not in _UTC:
        raise not_sent(f"A schedule in the time zone {zone}", "Give its time in UTC.")


def _wraps(cron: str) -> bool:
    """Return whether a valid expression has a range such as 22-2, or L as day of the week."""
    fields = cron.removeprefix("cron(").removesuffix(")").split()
    ranges = [part.partition("/")[0].split("-") for field in fields for part in field.split(",") if "-" in part]
    return fields[4].upper() == "L" or any(_number(first) > _number(last) for first, last in ranges)


def _number(text: str) -> int:
    return MONTHS.get(text.upper()) or DAYS.get(text.upper()) or int(text)
