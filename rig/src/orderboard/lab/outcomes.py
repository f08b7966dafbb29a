"""Recorded outcomes of all experiments, by backend: lab/outcomes.json. `python -m orderboard.lab` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from orderboard.lab.catalogue import names
from orderboard.lab.result import Outcome, Result
from orderboard.system.workspace import find_workspace

RECORDED: Final = ("embedded", "localstack", "ministack")


class RecordedOutcome(BaseModel):
    """The outcome of an experiment, what was seen instead or why it cannot occur, and the picture of a program."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    reason: str = ""
    picture: str = ""


class RecordedRun(BaseModel):
    """All experiments on one backend: the version, the day (ISO 8601) and the outcomes by name."""

    model_config = ConfigDict(frozen=True)

    version: str
    day: str
    outcomes: dict[str, RecordedOutcome]


def recorded_run(results: Iterable[Result], version: str, day: str) -> RecordedRun:
    """Return results as they are recorded, without the names of the run."""
    outcomes = {each.name: _recorded(each) for each in results}
    return RecordedRun(version=version, day=day, outcomes=dict(sorted(outcomes.items())))


def _recorded(result: Result) -> RecordedOutcome:
    picture = "\n".join(each.text for each in result.moments if each.kind == "picture")
    return RecordedOutcome(outcome=result.outcome, reason=result.stable_reason, picture=picture)


def read() -> dict[str, RecordedRun]:
    """Return what is recorded, by backend."""
    path = _path()
    document = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return {name: RecordedRun.model_validate(each) for name, each in document.items()}


def write(runs: dict[str, RecordedRun]) -> Path:
    """Write the outcomes of some backends and experiments; what was recorded of others stays."""
    before, known = read(), names()
    merged = dict(before)
    for name, run in runs.items():
        outcomes = {**(before[name].outcomes if name in before else {}), **run.outcomes}
        kept = {each: found for each, found in sorted(outcomes.items()) if each in known}
        merged[name] = run.model_copy(update={"outcomes": kept})
    document = {name: each.model_dump(mode="json", exclude_defaults=True) for name, each in merged.items()}
    path = _path()
    path.write_text(json.dumps(dict(sorted(document.items())), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def _path() -> Path:
    return find_workspace().root / "lab" / "outcomes.json"
