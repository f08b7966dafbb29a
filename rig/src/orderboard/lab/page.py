"""docs/lab.md: what courses teach, put to the proof; and the outcome of each experiment by backend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from orderboard.lab.catalogue import AREAS, Entry
from orderboard.lab.comparison import CELLS, Cell
from orderboard.lab.outcomes import RECORDED, RecordedRun
from orderboard.lab.result import Outcome

_TITLES: Final = {"embedded": "embedded", "localstack": "LocalStack", "ministack": "MiniStack"}
_SIGNS: Final = {
    Outcome.REPRODUCED: "✓",
    Outcome.DIFFERS: "✗",
    Outcome.CANNOT_OCCUR: "–",
    Outcome.BROKEN_OFF: "?",
}
_FIRST: Final = "coupling-tight-or-loose"
_INTRO: Final = """# The lab

An experiment puts one claim about SQS, SNS, EventBridge or Lambda to the proof, on any backend. It takes a second:

```sh
orderboard lab list
orderboard lab run sqs-visibility-timeout                         # on an engine of this machine; its clock is turned
orderboard lab run sqs-visibility-timeout --backend localstack    # real waiting; AWS: --backend aws
orderboard lab run sqs-visibility-timeout --step                  # one step at a time, to teach
orderboard lab code sqs-visibility-timeout --boto3                # the same as a program that needs boto3 alone
orderboard lab code sqs-visibility-timeout --cli                  # the same as a script for the AWS CLI
```

Each is a file in [lab](../lab); a new one is a copy of a file ([CONTRIBUTING.md](../CONTRIBUTING.md)). This page is
written by `make lab`, which runs all of them on each backend.
"""
_LEGEND: Final = """✓ reproduced. ✗ differs, as said below. – cannot occur there, as said below. On AWS the claim is as
AWS documents it: the link goes to the page."""


def page(entries: Sequence[Entry], runs: Mapping[str, RecordedRun]) -> str:
    """Return the page as Markdown."""
    parts = [_INTRO, *_picture(runs), *_taught(entries, runs), *_outcomes(entries, runs), *_differences(entries, runs)]
    return "\n".join(parts).rstrip() + "\n"


def _picture(runs: Mapping[str, RecordedRun]) -> Iterable[str]:
    found = runs["embedded"].outcomes.get(_FIRST) if "embedded" in runs else None
    if found is None or not found.picture:
        return
    yield f"The first one is what this project is about, `orderboard lab run {_FIRST}`: a barista goes away and comes"
    yield "back, in a shop whose cashier calls him over HTTP, and in one with a queue between them.\n"
    yield f"```\n{found.picture.strip(chr(10))}\n```\n"


def _taught(entries: Sequence[Entry], runs: Mapping[str, RecordedRun]) -> Iterable[str]:
    yield "## What courses teach, put to the proof\n"
    ran = _ran(runs)
    backends = " | ".join(_TITLES[name] for name in ran)
    yield f"| | | taught, in short | verdict | what is right, as AWS documents it | shown by | {backends} |"
    yield f"|---|---|---|---|---|---|{'---|' * len(ran)}"
    links = {each.name: _link(each) for each in entries}
    for cell in CELLS:
        yield _cell(cell, links, runs)
    yield ""


def _cell(cell: Cell, links: Mapping[str, str], runs: Mapping[str, RecordedRun]) -> str:
    shown = ", ".join(links[name] for name in cell.experiments)
    signs = " | ".join(" ".join(_sign(runs[name], each) for each in cell.experiments) for name in _ran(runs))
    text = f"| {cell.aspect} | {cell.service} | {cell.taught} | **{cell.verdict}** | {cell.right} | {shown} |"
    return f"{text} {signs} |"


def _outcomes(entries: Sequence[Entry], runs: Mapping[str, RecordedRun]) -> Iterable[str]:
    yield "## Experiments\n"
    yield f"{_LEGEND}\n"
    yield (
        "Recorded: "
        + "; ".join(f"{_TITLES[name]} ({runs[name].version}, {runs[name].day})" for name in _ran(runs))
        + ".\n"
    )
    for area, title in AREAS.items():
        if not (of_area := [each for each in entries if each.area == area]):
            continue
        yield f"### {title}\n"
        yield f"| experiment | shows that | {' | '.join(_TITLES[name] for name in _ran(runs))} | AWS |"
        yield f"|---|---|{'---|' * len(_ran(runs))}---|"
        for entry in of_area:
            signs = " | ".join(_sign(runs[name], entry.name) for name in _ran(runs))
            yield f"| {_link(entry)} | {entry.title} | {signs} | [documented]({entry.experiment.source}) |"
        yield ""


def _differences(entries: Sequence[Entry], runs: Mapping[str, RecordedRun]) -> Iterable[str]:
    yield "## Seen instead\n"
    for name in _ran(runs):
        others = [(each, found) for each in entries if (found := runs[name].outcomes.get(each.name)) and found.reason]
        if not others:
            continue
        yield f"### {_TITLES[name]}\n"
        for entry, found in others:
            yield f"- {_SIGNS[found.outcome]} {_link(entry)}: {found.reason}"
        yield ""


def _ran(runs: Mapping[str, RecordedRun]) -> list[str]:
    return [name for name in RECORDED if name in runs]


def _sign(run: RecordedRun, experiment: str) -> str:
    found = run.outcomes.get(experiment)
    return _SIGNS[found.outcome] if found else "not run"


def _link(entry: Entry) -> str:
    return f"[{entry.name}](../lab/{entry.area}/{entry.path.name})"
