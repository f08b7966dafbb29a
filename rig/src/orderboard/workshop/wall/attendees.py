"""The attendees of a wall: their last reports, kept in its folder, and what the page shows of them."""

import statistics
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from orderboard.errors import RigError
from orderboard.workshop.catalogue import Entry
from orderboard.workshop.wall.report import ExerciseReport, Report

MAX_ATTENDEES: Final = 500
_ALL_HINTS: Final = 3
_AWAY_AFTER_S: Final = 3600.0


class FullError(RigError):
    """The wall has no room for another attendee."""


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True)

    report: Report
    joined_at: datetime
    received_at: datetime

    def open_s(self, exercise: ExerciseReport, now: datetime) -> float | None:
        """Return for how long an exercise has been open. The attendee's clock may differ from this one."""
        if exercise.status != "open" or exercise.opened_at is None:
            return None
        return max(0.0, (self.report.sent_at - exercise.opened_at + (now - self.received_at)).total_seconds())


class Attendees:
    """The attendees, a file each. A report is kept before it is answered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, _Kept] = {}
        for path in sorted(folder.glob("*.json")):
            try:
                kept = _Kept.model_validate_json(path.read_bytes())
            except ValidationError:
                continue  # the attendee's next report replaces it
            self._kept[kept.report.attendee] = kept

    def accept(self, report: Report, now: datetime) -> None:
        """Keep a report unless a later one is known; raise FullError if there are too many attendees."""
        before = self._kept.get(report.attendee)
        if before is not None and (report.version, report.sent_at) <= (before.report.version, before.report.sent_at):
            return
        if before is None:
            self._make_room()
        kept = _Kept(report=report, joined_at=now if before is None else before.joined_at, received_at=now)
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._path(report.attendee).with_suffix(".partial")
        partial.write_text(kept.model_dump_json())
        partial.replace(self._path(report.attendee))
        self._kept[report.attendee] = kept

    def forget(self) -> None:
        """Forget all attendees."""
        for path in self._folder.glob("*.json"):
            path.unlink()
        self._kept.clear()

    def document(self, exercises: Sequence[Entry], now: datetime) -> dict[str, Any]:
        """Return what the page shows: the exercises, a row for each attendee, and where they are stuck."""
        present = sorted(
            (each for each in self._kept.values() if not each.report.left),
            key=lambda each: (each.report.name.casefold(), each.joined_at),
        )
        names = _names([each.report.name for each in present])
        return {
            "exercises": [_exercise(each, present) for each in exercises],
            "attendees": [_row(name, each, now) for name, each in zip(names, present, strict=True)],
            "stuck": _stuck(exercises, list(zip(names, present, strict=True)), now),
        }

    def _make_room(self) -> None:
        """Forget those who left, if the wall is full. Until then a late report of theirs changes nothing."""
        if len(self._kept) < MAX_ATTENDEES:
            return
        for attendee in [each.report.attendee for each in self._kept.values() if each.report.left]:
            del self._kept[attendee]
            self._path(attendee).unlink(missing_ok=True)
        if len(self._kept) >= MAX_ATTENDEES:
            raise FullError(f"This wall has {MAX_ATTENDEES} attendees, and shows no more.")

    def _path(self, attendee: str) -> Path:
        return self._folder / f"{attendee}.json"


def _names(names: Sequence[str]) -> list[str]:
    """Number the attendees of one name, in the order in which they joined."""
    seen: Counter[str] = Counter()
    shown = []
    for name in names:
        seen[name] += 1
        shown.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return shown


def _exercise(entry: Entry, present: Sequence[_Kept]) -> dict[str, Any]:
    reports = [found for each in present if (found := each.report.exercises.get(entry.number)) is not None]
    minutes = [each.minutes for each in reports if each.minutes is not None]
    return {
        "number": entry.number,
        "title": entry.readme.title,
        "minutes": entry.readme.minutes,
        "solved": sum(each.status == "solved" for each in reports),
        "median_minutes": statistics.median(minutes) if minutes else None,
    }


def _row(name: str, kept: _Kept, now: datetime) -> dict[str, Any]:
    cells = {}
    for number, each in kept.report.exercises.items():
        open_s = kept.open_s(each, now)
        cells[number] = {
            "status": each.status,
            "hints": each.hints,
            "checks": each.checks,
            "met": each.met,
            "findings": each.findings,
            "minutes": each.minutes if open_s is None else open_s / 60,
        }
    seen_s = max(0.0, (now - kept.received_at).total_seconds())
    return {"name": name, "current": kept.report.current, "seen_s": seen_s, "cells": cells}


def _stuck(exercises: Sequence[Entry], present: Sequence[tuple[str, _Kept]], now: datetime) -> list[dict[str, Any]]:
    """Return the exercises that attendees work on longer than planned, or with all hints; most attendees first."""
    found = []
    for entry in exercises:
        names = [
            name
            for name, kept in present
            if kept.report.current == entry.number
            and (now - kept.received_at).total_seconds() < _AWAY_AFTER_S
            and (each := kept.report.exercises.get(entry.number)) is not None
            and (open_s := kept.open_s(each, now)) is not None
            and (open_s > entry.readme.minutes * 60 or each.hints >= _ALL_HINTS)
        ]
        if names:
            found.append({"number": entry.number, "title": entry.readme.title, "names": names})
    return sorted(found, key=lambda each: -len(each["names"]))
