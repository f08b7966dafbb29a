"""EventBridge's subset of JSONPath: `$.detail.items[0].name`, `$.detail.items[*]`, names in brackets.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import re
from typing import Any

_STEP = re.compile(r"\.([A-Za-z0-9_/@:$-]+|\*)|\[(?:([0-9]+)|(\*)|'([^']*)'|\"([^\"]*)\")\]")


Steps = list[str | int | None]
_MISSING = object()


def parse(path: str) -> Steps | None:
    """Parse a path into names, indexes, and None for all items. The result is None for an invalid path."""
    if not path.startswith("$"):
        return None
    steps: Steps = []
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


def find(document: Any, steps: Steps, default: object = None) -> Any:
    """Return the value at a path, a list where a step selects all items, or the default for a missing value."""
    for number, step in enumerate(steps):
        match document, step:
            case (list() | dict(), None):
                items = document if isinstance(document, list) else document.values()
                found = (find(item, steps[number + 1 :], _MISSING) for item in items)
                return [value for value in found if value is not _MISSING]
            case (dict(), str()) if step in document:
                document = document[step]
            case (list(), int()) if step < len(document):
                document = document[step]
            case _:
                return default
    return document
