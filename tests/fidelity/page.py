"""docs/fidelity.md, generated from the outcomes of the latest runs in outcomes.json beside this file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from fidelity.behaviour import Behaviour, Group
from fidelity.catalogue import GROUPS, key_of
from fidelity.engines import ENGINES
from fidelity.run import Outcome, Verdict

OUTCOMES: Final = Path(__file__).parent / "outcomes.json"
PAGE: Final = Path(__file__).parents[2] / "docs/fidelity.md"
_SIGNS: Final[dict[Verdict, str]] = {"right": "✓", "wrong": "✗", "not built": "–"}
_ABOUT: Final = """\
# Fidelity

AWS's behaviour, and that of localbus, LocalStack and MiniStack. Each row is a small check that uses boto3 alone, the
same for all three engines; the checks are in [tests/fidelity](../tests/fidelity). A run writes this page:

```sh
make fidelity    # all three engines; LocalStack needs Docker
PYTHONPATH=tests .venv/bin/python -m fidelity --engine MiniStack --only fifo    # a part, without writing the page
```

✓ behaves as AWS. ✗ behaves differently, as the text says. – answers that it does not have the action. Each statement
links to AWS's page about it; *recorded* means that the answer itself, its code or its message, was recorded from AWS by
LocalStack's test suite.

Read the counts with two things in mind. The rows were chosen while localbus was written, so they favour it: a fault
that was found became a row and was fixed. And the engines have different aims: LocalStack and MiniStack have dozens of
services that localbus does not have, and an engine may deliberately accept what AWS rejects.
"""


@dataclass(frozen=True)
class Column:
    """The results of one engine: outcomes by the behaviour's key."""

    version: str
    date: str
    outcomes: dict[str, Outcome]


def read_columns() -> dict[str, Column]:
    """Return the outcomes of the latest runs, by engine."""
    if not OUTCOMES.exists():
        return {}
    return {
        engine: Column(one["version"], one["date"], {key: Outcome(*value) for key, value in one["outcomes"].items()})
        for engine, one in json.loads(OUTCOMES.read_text()).items()
    }


def write(columns: Mapping[str, Column]) -> None:
    """Write the outcomes and the page."""
    kept = {
        engine: asdict(columns[engine])
        | {"outcomes": {key: [one.verdict, one.instead] for key, one in columns[engine].outcomes.items()}}
        for engine in ENGINES
        if engine in columns
    }
    OUTCOMES.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(render(columns))


def render(columns: Mapping[str, Column]) -> str:
    """Return the whole page."""
    parts = [_ABOUT, _differences(columns), _summary(columns)]
    service = ""
    for group in GROUPS:
        if group.service != service:
            service = group.service
            parts.append(f"## {service}\n")
        parts.append(_table(group, columns))
    return "\n".join(parts)


def _differences(columns: Mapping[str, Column]) -> str:
    """Return the rows in which localbus differs, for the top of the page: a reader decides by them."""
    found = columns["localbus"].outcomes if "localbus" in columns else {}
    lines = ["## Where localbus differs\n", "| AWS | localbus | why |", "|---|---|---|"]
    for group in GROUPS:
        for key, behaviour in zip(_keys(group), group.behaviours, strict=True):
            if behaviour.differs:
                lines.append(f"| {_statement(behaviour)} | {_cell(found.get(key))} | {_escape(behaviour.differs)}. |")
    return "\n".join(lines) + "\n"


def _summary(columns: Mapping[str, Column]) -> str:
    shown = [columns[engine] for engine in ENGINES if engine in columns]
    heads = [f"{engine} {columns[engine].version}" for engine in ENGINES if engine in columns]
    lines = [f"| | behaviours | {' | '.join(heads)} |", f"|---|--:|{'---|' * len(heads)}"]

    def line(title: str, groups: Iterable[Group], mark: str = "") -> None:
        keys = [key for group in groups for key in _keys(group)]
        cells = (str(len(keys)), *(_count(column, keys) for column in shown))
        lines.append(f"| {title} | {' | '.join(f'{mark}{cell}{mark}' for cell in cells)} |")

    for service in dict.fromkeys(group.service for group in GROUPS):
        groups = [group for group in GROUPS if group.service == service]
        line(f"[**{service}**](#{_anchor(service)})", groups, "**")
        for group in groups:
            line(f"[{group.title}](#{_anchor(_title(group))})", [group])
    line("**all**", GROUPS, "**")
    lines.append(f"| run on | | {' | '.join(column.date for column in shown)} |")
    return "\n".join(lines) + "\n"


def _title(group: Group) -> str:
    return f"{group.service}: {group.title}"


def _anchor(title: str) -> str:
    return "".join(sign for sign in title.lower() if sign.isalnum() or sign in " -").replace(" ", "-")


def _count(column: Column, keys: list[str]) -> str:
    counted = Counter(column.outcomes[key].verdict for key in keys if key in column.outcomes)
    return ", ".join(f"{counted[verdict]} {sign}" for verdict, sign in _SIGNS.items() if counted[verdict])


def _table(group: Group, columns: Mapping[str, Column]) -> str:
    engines = [engine for engine in ENGINES if engine in columns]
    lines = [f"### {_title(group)}\n", f"| AWS | {' | '.join(engines)} |", f"|---|{'---|' * len(engines)}"]
    for key, behaviour in zip(_keys(group), group.behaviours, strict=True):
        cells = [_cell(columns[engine].outcomes.get(key)) for engine in engines]
        lines.append(f"| {_statement(behaviour)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _statement(behaviour: Behaviour) -> str:
    source = behaviour.source
    recorded = ", recorded" if source.recorded else ""
    return f"{_escape(behaviour.statement)}. <sub>[{source.title}]({source.url}){recorded}</sub>"


def _cell(outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    sign = _SIGNS[outcome.verdict]
    return f"{sign} {_escape(outcome.instead)}" if outcome.verdict == "wrong" else sign


def _escape(text: str) -> str:
    for sign in "\\|*_<>`[]":
        text = text.replace(sign, f"\\{sign}")
    return text


def _keys(group: Group) -> list[str]:
    return [f"{key_of(group)}/{behaviour.name}" for behaviour in group.behaviours]
