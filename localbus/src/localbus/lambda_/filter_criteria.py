"""Filter criteria: which messages a function wants to see. The others are deleted from the queue.

A filter is a pattern as EventBridge has them, asked of the record that the function would get, with a body that is
JSON opened. One of the filters must match. Where a pattern and a message disagree on whether a body is JSON, the
message is dropped, whatever else the pattern says.
Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
and https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from localbus.errors import AwsError
from localbus.event_pattern.pattern import EventPattern, Fields, fields_of, holds
from localbus.protocol.service_model import Params

MAX_FILTERS = 5  # by default; AWS raises it to ten for those who ask


@dataclass(frozen=True)
class FilterCriteria:
    """The compiled filters of a mapping."""

    patterns: tuple[EventPattern, ...]

    def wants(self, record: Params) -> bool:
        """Whether one of the filters matches the record."""
        is_json, body = _opened(record["body"])
        fields = fields_of({**record, "body": body})
        return any(_matches(pattern, fields, is_json=is_json) for pattern in self.patterns)

    def document(self) -> Params:
        """The criteria as they were given."""
        return {"Filters": [{"Pattern": pattern.text} for pattern in self.patterns]}


def read_filter_criteria(given: Params) -> FilterCriteria | None:
    """The criteria of a request; None when they name no filter. Raises InvalidParameterValueException."""
    filters = given.get("Filters", [])
    if len(filters) > MAX_FILTERS:
        text = f"FilterCriteria can have at most {MAX_FILTERS} filters; {len(filters)} were given."
        raise AwsError("InvalidParameterValueException", text)
    try:
        patterns = tuple(EventPattern(one.get("Pattern", "")) for one in filters)
    except AwsError as exc:
        raise AwsError("InvalidParameterValueException", "Invalid filter pattern definition.") from exc
    return FilterCriteria(patterns) if patterns else None


def _matches(pattern: EventPattern, fields: Fields, *, is_json: bool) -> bool:
    for branch in pattern.branches:
        wants_json = any(path.startswith("body.") for path, _ in branch)
        wants_text = any(path == "body" for path, _ in branch)
        if (is_json and wants_text) or (not is_json and wants_json):
            continue
        if holds(branch, fields):
            return True
    return False


def _opened(body: str) -> tuple[bool, Any]:
    """Whether the body is JSON, and what it says."""
    try:
        return True, json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False, body


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
