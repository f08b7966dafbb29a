"""Filter criteria: they select the messages for a function. The others are deleted from the queue.

A filter is an event pattern for the record that the function would get, with a JSON body parsed. One of the filters
must match. A pattern that expects JSON never matches another body, nor does one for plain text match JSON.
Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
and https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from localbus.errors import AwsError
from localbus.event_pattern.pattern import Branch, EventPattern, Fields, fields_of, holds
from localbus.protocol.service_model import Params

MAX_FILTERS = 5  # the default quota; AWS raises it to ten on request


@dataclass(frozen=True)
class FilterCriteria:
    """The compiled filters of a mapping."""

    patterns: tuple[EventPattern, ...]

    def accepts(self, record: Params) -> bool:
        """Return whether one of the filters matches the record."""
        is_json, body = _parsed(record["body"])
        fields = fields_of({**record, "body": body})
        return any(_matches(pattern, fields, is_json=is_json) for pattern in self.patterns)

    def mismatch(self, record: Params) -> str | None:
        """Return why no filter can accept the record, if the reason is the form of its body."""
        is_json, _ = _parsed(record["body"])
        if any(_fits(branch, is_json=is_json) for pattern in self.patterns for branch in pattern.branches):
            return None
        if is_json:
            return "the body is JSON, and the filters expect plain text"
        return "the body is not JSON, and the filters expect JSON"

    def document(self) -> Params:
        """Return the criteria as they were given."""
        return {"Filters": [{"Pattern": pattern.text} for pattern in self.patterns]}


def read_filter_criteria(given: Params) -> FilterCriteria | None:
    """Return the criteria of a request; None for an empty list. Raises InvalidParameterValueException."""
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
    return any(_fits(branch, is_json=is_json) and holds(branch, fields) for branch in pattern.branches)


def _fits(branch: Branch, *, is_json: bool) -> bool:
    """Return whether a branch expects JSON for a body of JSON, and text for text; one without the body expects both."""
    if is_json:
        return all(path != "body" for path, _ in branch)
    return not any(path.startswith("body.") for path, _ in branch)


def _parsed(body: str) -> tuple[bool, Any]:
    """Return whether the body is JSON, and its value."""
    try:
        return True, json.loads(body, parse_constant=_reject)
    except (ValueError, RecursionError):
        return False, body


def _reject(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
