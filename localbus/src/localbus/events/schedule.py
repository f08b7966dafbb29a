"""Schedules of rules: `rate(5 minutes)` and `cron(0 10 ? * MON-FRI *)`, always in UTC.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
and https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from localbus.events.errors import invalid

_RATE = re.compile(r"rate\(([1-9][0-9]*) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\(([^()]*)\)")
_UNIT_S = {"minute": 60, "hour": 3_600, "day": 86_400}
_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


@dataclass(frozen=True)
class Rate:
    """A fixed interval in seconds, counted from when the rule was enabled."""

    every_s: int

    def after(self, now: float) -> float | None:
        """Return the next time after this one."""
        return now + self.every_s

    def following(self, when: float, now: float) -> float | None:
        """Return the first time after now that is a whole number of intervals after `when`."""
        return when + self.every_s * (max(0, (now - when) // self.every_s) + 1)


@dataclass(frozen=True)
class Cron:
    """Minutes and hours of certain days."""

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    includes: Callable[[date], bool]  # by day of the month or day of the week

    def after(self, now: float) -> float | None:
        """Return the next time after this one; None after the last."""
        earliest = datetime.fromtimestamp(now, UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        day = earliest.date()
        while day.year <= _LAST_YEAR:
            if day.year not in self.years:
                later = [year for year in self.years if year > day.year]
                if not later:
                    return None
                day = date(min(later), 1, 1)
            elif day.month not in self.months:
                day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
            else:
                found = self._on(day, earliest) if self.includes(day) else None
                if found is not None:
                    return found.timestamp()
                day += timedelta(days=1)
        return None

    def following(self, when: float, now: float) -> float | None:
        """Return the next time after both `when` and now."""
        return self.after(max(when, now))

    def _on(self, day: date, earliest: datetime) -> datetime | None:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                found = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                if found >= earliest:
                    return found
        return None


Schedule = Rate | Cron


def parse(expression: str) -> Schedule:
    """Parse an expression. Raises ValidationException."""
    rate = _RATE.fullmatch(expression)
    if rate:
        value = int(rate[1])
        if (value == 1) == (rate[3] == "") and len(rate[1]) < 10:
            return Rate(value * _UNIT_S[rate[2]])
    cron = _CRON.fullmatch(expression)
    if cron:
        try:
            return _cron(cron[1].split())
        except ValueError:
            pass
    raise invalid("Parameter ScheduleExpression is not valid.")


def _cron(parts: list[str]) -> Cron:
    minutes, hours, days, months, weekdays, years = parts
    if (days == "?") == (weekdays == "?"):
        raise ValueError("exactly one of day-of-month and day-of-week must be ?")
    return Cron(
        _numbers(minutes, 0, 59),
        _numbers(hours, 0, 23),
        _numbers(months, 1, 12, MONTHS),
        _numbers(years, _FIRST_YEAR, _LAST_YEAR),
        _days_of_week(weekdays) if days == "?" else _days_of_month(days),
    )


def _days_of_month(text: str) -> Callable[[date], bool]:
    """Parse days by number, the last day (`L`), and the weekday nearest to a day (`15W`, `LW`)."""
    if text == "L":
        return lambda day: day.day == _length(day)
    if text == "LW":
        return lambda day: day.day == _nearest_weekday(day, 31)
    if text.endswith("W"):
        number = _number(text[:-1], 1, 31, {})
        return lambda day: day.day == _nearest_weekday(day, number)
    numbers = _numbers(text, 1, 31)
    return lambda day: day.day in numbers


def _length(month: date) -> int:
    return calendar.monthrange(month.year, month.month)[1]


def _nearest_weekday(month: date, number: int) -> int:
    """Return the day from Monday to Friday nearest to a day, in the same month."""
    length = _length(month)
    wanted = min(number, length)
    match date(month.year, month.month, wanted).weekday():
        case 5:
            return wanted - 1 if wanted > 1 else wanted + 2
        case 6:
            return wanted + 1 if wanted < length else wanted - 2
    return wanted


def _days_of_week(text: str) -> Callable[[date], bool]:
    """Parse days from 1 (Sunday) to 7, the last such day of a month (`6L`), and the third (`6#3`)."""
    if "#" in text:
        day_text, _, occurrence_text = text.partition("#")
        only, occurrence = _number(day_text, 1, 7, DAYS), _number(occurrence_text, 1, 5, {})
        return lambda day: _weekday(day) == only and (day.day - 1) // 7 + 1 == occurrence
    if text != "L" and text.endswith("L"):
        last = _number(text[:-1], 1, 7, DAYS)
        return lambda day: _weekday(day) == last and day.day + 7 > _length(day)
    numbers = _numbers("7" if text == "L" else text, 1, 7, DAYS)
    return lambda day: _weekday(day) in numbers


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _numbers(text: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    """Parse values, ranges and steps: `1,3,5-9,0/15,*`."""
    result: set[int] = set()
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, 1, high, {}) if slash else 1
        if span == "*":
            first, last = low, high
        elif "-" in span:
            first_text, _, last_text = span.partition("-")
            first, last = _number(first_text, low, high, names or {}), _number(last_text, low, high, names or {})
        else:
            first = _number(span, low, high, names or {})
            last = high if slash else first
        if first > last:  # a range that wraps around: FRI-MON, 22-2
            result.update(range(first, high + 1, step), range(low, last + 1, step))
        else:
            result.update(range(first, last + 1, step))
    return frozenset(result)


def _number(text: str, low: int, high: int, names: dict[str, int]) -> int:
    value = names[text.upper()] if text.upper() in names else int(text) if re.fullmatch("[0-9]{1,4}", text) else -1
    if not low <= value <= high:
        raise ValueError(text)
    return value
