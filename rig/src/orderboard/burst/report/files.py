"""The files of a burst, written and read again; model.py says what is in them, report.py draws them."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from orderboard.burst.model import Moment, Summary

SUMMARY_FILE: Final = "summary.json"
TIMELINE_FILE: Final = "timeline.csv"
REPORT_FILE: Final = "report.html"


@dataclass(frozen=True)
class BurstRun:
    """All that a report is drawn from."""

    summary: Summary
    timeline: Sequence[Moment]


def write_files(run: BurstRun, directory: Path) -> None:
    """Write summary.json and timeline.csv."""
    (directory / SUMMARY_FILE).write_text(run.summary.model_dump_json(indent=2) + "\n")
    with (directory / TIMELINE_FILE).open("w", newline="") as file:
        _write_timeline(run.timeline, file)


def read_files(directory: Path) -> BurstRun:
    """Read them again; raise OSError, or pydantic's ValidationError, where that cannot be."""
    summary = Summary.model_validate_json((directory / SUMMARY_FILE).read_bytes())
    with (directory / TIMELINE_FILE).open(newline="") as file:
        rows = [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]
    return BurstRun(summary, tuple(Moment.model_validate(row) for row in rows))


def _write_timeline(timeline: Iterable[Moment], file: TextIO) -> None:
    writer = csv.DictWriter(file, fieldnames=list(Moment.model_fields), lineterminator="\n")
    writer.writeheader()
    for moment in timeline:
        writer.writerow(moment.model_dump())
