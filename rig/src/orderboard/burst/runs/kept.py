"""Kept runs: found by name, folder or tag, tagged, noted and removed."""

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from orderboard.burst.model import Summary
from orderboard.burst.report.files import (
    EXPORT_FILES,
    REPORT_FILE,
    SUMMARY_FILE,
    TIMELINE_FILE,
    BurstFiles,
    read_timeline,
)
from orderboard.burst.report.html import render
from orderboard.burst.runs.folders import LOGS, runs_folder
from orderboard.burst.scenario.config_file import CONFIG_FILE
from orderboard.errors import RigError, UsageError

RUN_FILES: Final = (*EXPORT_FILES.values(), TIMELINE_FILE, REPORT_FILE, CONFIG_FILE, SUMMARY_FILE)
LATEST: Final = "latest"
_TAG: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_NAMED_BY_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d_")


@dataclass(frozen=True)
class KeptRun:
    """A run that ended, and its folder."""

    folder: Path
    summary: Summary

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def files(self) -> BurstFiles:
        """Return the summary with the timeline; without one if it cannot be read."""
        try:
            timeline = read_timeline(self.folder / TIMELINE_FILE)
        except (OSError, ValueError):
            timeline = ()
        return BurstFiles(self.summary, timeline)


@dataclass(frozen=True)
class Group:
    """The runs of one side, by the name that the user gave."""

    name: str
    runs: Sequence[KeptRun]

    @property
    def summaries(self) -> list[Summary]:
        """Their summaries."""
        return [run.summary for run in self.runs]


def read_run(folder: Path) -> KeptRun:
    """Return the run of a folder; raise RigError if it has none. Fields of a later version are ignored."""
    path = folder / SUMMARY_FILE
    try:
        return KeptRun(folder, Summary.model_validate_json(path.read_bytes(), extra="ignore"))
    except FileNotFoundError as exc:
        raise RigError(f"{folder} has no run: {SUMMARY_FILE} is missing. It runs still, or was killed.") from exc
    except OSError as exc:
        raise RigError(f"{path}: {exc.strerror}.") from exc
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise RigError(f"{path} is not the summary of a run: {where}: {first['msg']}.") from exc


def kept_runs(runs: Path | None = None, *, newest: int | None = None) -> list[KeptRun]:
    """Return all runs of a folder, by default of those without --out: the oldest first. What is not one is left out.

    newest: only so many, the last by their names.
    """
    return sorted(_runs_in(runs or runs_folder(), newest), key=lambda run: run.summary.started_at)


def find_runs(text: str, runs: Path | None = None) -> list[KeptRun]:
    """Return the run, or the group of runs, that a user names.

    A folder with a run, or with folders that have one; `latest`; the name of a run or its beginning; or a tag. Raise
    UsageError without any.
    """
    path = Path(text)
    if (path / SUMMARY_FILE).exists():
        return [read_run(path)]
    if path.is_dir() and (found := kept_runs(path)):
        return found
    kept = kept_runs(runs)
    if text == LATEST and kept:
        return kept[-1:]
    if tagged := [run for run in kept if text in run.summary.tags]:
        return tagged
    named = [run for run in kept if run.name == text] or [run for run in kept if run.name.startswith(text)]
    if len(named) > 1:
        raise UsageError(f"{text}: {len(named)} runs begin so, from {named[0].name} to {named[-1].name}. Name one.")
    if not named:
        raise UsageError(
            f"{text}: no run, tag or folder of runs has this name; `orderboard bursts` lists them"
            f"{f', the newest is {kept[-1].name}' if kept else ', and there is none yet'}."
        )
    return named


def one_run(text: str) -> KeptRun:
    """Return the run that a user names; raise UsageError for a group."""
    found = find_runs(text)
    if len(found) > 1:
        raise UsageError(f"{text}: these are {len(found)} runs. Name one of them, such as {found[-1].name}.")
    return found[0]


def parse_tag(text: str) -> str:
    """Check a tag; raise ValueError."""
    if not _TAG.fullmatch(text) or _NAMED_BY_TIME.match(text) or text == LATEST:
        raise ValueError(
            "expected a tag of at most 40 letters in lower case, digits, dots, dashes and underscores, which is "
            "neither `latest` nor like the name of a run"
        )
    return text


def keep_run(files: BurstFiles, folder: Path) -> None:
    """Write the files of a run that ended."""
    (folder / REPORT_FILE).write_text(render(files), encoding="utf-8")
    files.write(folder)


def change_run(run: KeptRun, **changes: object) -> KeptRun:
    """Change fields of a run's document, and its report; return the run as it is then."""
    path = run.folder / SUMMARY_FILE
    document = {**json.loads(path.read_bytes()), **changes}
    write_at_once(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    changed = read_run(run.folder)
    write_at_once(run.folder / REPORT_FILE, render(changed.files()))
    return changed


def write_at_once(path: Path, text: str) -> None:
    """Replace a file, so that a reader finds the old text or the new one."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def remove_run(run: KeptRun) -> None:
    """Delete the files of a run, and its folder if nothing else is in it."""
    shutil.rmtree(run.folder / LOGS, ignore_errors=True)
    for name in RUN_FILES:
        (run.folder / name).unlink(missing_ok=True)
    with suppress(OSError):  # files of the user's
        run.folder.rmdir()


def _runs_in(runs: Path, newest: int | None) -> Iterator[KeptRun]:
    if not runs.is_dir():
        return
    folders = sorted(folder for folder in runs.iterdir() if (folder / SUMMARY_FILE).is_file())
    for folder in folders if newest is None else folders[-newest:]:
        with suppress(RigError):  # damaged, or of another program
            yield read_run(folder)
