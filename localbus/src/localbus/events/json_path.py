"""The part of JSONPath that EventBridge takes: `$.detail.items[0].name`, `$.detail.items[*]`, names in brackets.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import re
from typing import Any

_STEP = re.compile(r"\.([A-Za-z0-9_/@:$-]+|\*)|\[(?:([0-9]+)|(\*)|'([^']*)'|\"([^\"]*)\")\]")


class NothingThereError(LookupError):
    """The path leads to nothing."""


def parse(path: str) -> list[str | int | None] | None:
    """The steps of a path: names, positions, None for all items; no list at all where the text is no such path."""
    if not path.startswith("$"):
        return None
    steps: list[str | int | None] = []
    at = 1
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            return None
        name, position, every, single, double = found.groups()
        if position is not None:
            steps.append(int(position))
        else:
            steps.append(None if every or name == "*" else name or single or double or "")
        at = found.end()
    return steps


def find(document: Any, steps: list[str | int | None]) -> Any:
    """The value there; with a step for all items the list of what is found. Raises NothingThereError."""
    for number, step in enumerate(steps):
        match document, step:
            case (list() | dict(), None):
                items = document if isinstance(document, list) else document.values()
                return [found for item in items for found in _found(item, steps[number + 1 :])]
            case (dict(), str()) if step in document:
                document = document[step]
            case (list(), int()) if step < len(document):
                document = document[step]
            case _:
                raise NothingThereError
    return document


def _found(document: Any, steps: list[str | int | None]) -> list[Any]:
    try:
        return [find(document, steps)]
    except NothingThereError:
        return []
