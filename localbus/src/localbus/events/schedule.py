"""Schedules of rules: `rate(5 minutes)` and `cron(0 10 ? * MON-FRI *)`, always in UTC.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
and https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from localbus.events.errors import invalid

_RATE = re.compile(r"rate\(([1-9][0-9]*) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\(([^()]*)\)")
_UNIT_S = {"minute": 60, "hour": 3_600, "day": 86_400}
_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


@dataclass(frozen=True)
class Rate:
    """A fixed interval in seconds, counted from when the rule was enabled."""

    every_s: int

    def after(self, now: float) -> float | None:
        """Return the next time after this one."""
        return now + self.every_s


@dataclass(frozen=True)
class Cron:
    """Minutes and hours of certain days."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: DaysOfMonth | None  # None where the days of the week decide
    months: frozenset[int]
    weekdays: DaysOfWeek | None
    years: frozenset[int]

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
                if self._on(day):
                    found = self._within(day, earliest)
                    if found is not None:
                        return found.timestamp()
                day += timedelta(days=1)
        return None

    def _on(self, day: date) -> bool:
        return self.days.include(day) if self.days else self.weekdays is not None and self.weekdays.include(day)

    def _within(self, day: date, earliest: datetime) -> datetime | None:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                found = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                if found >= earliest:
                    return found
        return None


@dataclass(frozen=True)
class DaysOfMonth:
    """Days by number, the last day (`L`), and the weekday nearest to one (`15W`, `LW`)."""

    numbers: frozenset[int]
    last: bool = False
    nearest_weekday_to: int | None = None
    last_weekday: bool = False

    def include(self, day: date) -> bool:
        """Return whether a date is one of these days."""
        length = calendar.monthrange(day.year, day.month)[1]
        if self.last:
            return day.day == length
        if self.last_weekday or self.nearest_weekday_to is not None:
            return day.day == _nearest_weekday(
                day, length if self.last_weekday else self.nearest_weekday_to or 1, length
            )
        return day.day in self.numbers


def _nearest_weekday(day: date, number: int, length: int) -> int:
    """Return the day from Monday to Friday nearest to a day, in the same month."""
    wanted = min(number, length)
    match date(day.year, day.month, wanted).weekday():
        case 5:
            return wanted - 1 if wanted > 1 else wanted + 2
        case 6:
            return wanted + 1 if wanted < length else wanted - 2
    return wanted


@dataclass(frozen=True)
class DaysOfWeek:
    """Days from 1 (Sunday) to 7, the last such day of a month (`6L`), or the third (`6#3`)."""

    numbers: frozenset[int]
    last: bool = False
    occurrence: int | None = None

    def include(self, day: date) -> bool:
        """Return whether a date is one of these days."""
        if day.isoweekday() % 7 + 1 not in self.numbers:
            return False
        if self.last:
            return day.day + 7 > calendar.monthrange(day.year, day.month)[1]
        return self.occurrence is None or (day.day - 1) // 7 + 1 == self.occurrence


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
        None if days == "?" else _days_of_month(days),
        _numbers(months, 1, 12, _MONTHS),
        None if weekdays == "?" else _days_of_week(weekdays),
        _numbers(years, _FIRST_YEAR, _LAST_YEAR),
    )


def _days_of_month(text: str) -> DaysOfMonth:
    if text == "L":
        return DaysOfMonth(frozenset(), last=True)
    if text == "LW":
        return DaysOfMonth(frozenset(), last_weekday=True)
    if text.endswith("W"):
        return DaysOfMonth(frozenset(), nearest_weekday_to=_number(text[:-1], 1, 31, {}))
    return DaysOfMonth(_numbers(text, 1, 31))


def _days_of_week(text: str) -> DaysOfWeek:
    if "#" in text:
        day, _, occurrence = text.partition("#")
        return DaysOfWeek(frozenset({_number(day, 1, 7, _DAYS)}), occurrence=_number(occurrence, 1, 5, {}))
    if text == "L":
        return DaysOfWeek(frozenset({7}))
    if text.endswith("L"):
        return DaysOfWeek(frozenset({_number(text[:-1], 1, 7, _DAYS)}), last=True)
    return DaysOfWeek(_numbers(text, 1, 7, _DAYS))


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
