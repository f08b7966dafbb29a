"""The input of a target: the event, a constant, a part of the event by its path, or a template filled from it.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from localbus.events.errors import invalid
from localbus.events.event import Event, compact, timestamp
from localbus.input_values import read_json
from localbus.protocol.service_model import Params

_SPACE = " \t\r\n"
_PLACEHOLDER = re.compile(r"<([^<>\s]+)>")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_STEP = re.compile(r"\.([A-Za-z0-9_/@:$-]+|\*)|\[(?:([0-9]+)|(\*)|'([^']*)'|\"([^\"]*)\")\]")
_MISSING = object()

Steps = list[str | int | None]
Variable = Callable[[Event, str], Any]
Input = Callable[[Event, str], str]  # of an event and a rule ARN; may raise InvalidInputError


class InvalidInputError(ValueError):
    """An object template whose result is not JSON. Such an event is not delivered."""


def compile_input(target: Params) -> Input:
    """Build the function that makes the target's input. Raises ValidationException."""
    given = [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name)]
    target_id = target["Id"]
    if len(given) > 1:
        raise invalid(f"Only one of Input, InputPath, or InputTransformer must be provided for target {target_id}.")
    match given:
        case ["Input"]:
            constant = _constant(target["Input"], target_id)
            return lambda _event, _rule_arn: constant
        case ["InputPath"]:
            steps = _steps(target["InputPath"], f"Invalid InputPath for target {target_id}.")
            return lambda event, _rule_arn: compact(find_path(event.document, steps))
        case ["InputTransformer"]:
            return _transformer(target["InputTransformer"], target_id)
    return lambda event, _rule_arn: event.text


def _constant(text: str, target_id: str) -> str:
    try:
        read_json(text)
    except (ValueError, RecursionError) as exc:
        raise invalid(f"Input for target {target_id} is not a valid JSON text.") from exc
    return text


def _steps(path: str, error: str) -> Steps:
    steps = parse_path(path)
    if steps is None:
        raise invalid(error)
    return steps


_RESERVED: dict[str, Variable] = {
    "aws.events.rule-arn": lambda _event, rule_arn: rule_arn,
    "aws.events.rule-name": lambda _event, rule_arn: rule_arn.rpartition("/")[2],
    "aws.events.event.ingestion-time": lambda event, _rule_arn: timestamp(event.ingested_at),
    "aws.events.event": lambda event, _rule_arn: _without_detail(event.document),
    "aws.events.event.json": lambda event, _rule_arn: event.document,
}


def _without_detail(document: dict[str, Any]) -> dict[str, Any]:
    """Return the event without its detail, with AWS's names for a template."""
    names = ("id", "account", "detailType", "time", "source", "region", "resources", "version")
    values = {"detailType": document["detail-type"]} | document
    return {name: values[name] for name in names if name in values}


def _transformer(given: Params, target_id: str) -> Input:
    template: str = given["InputTemplate"]
    paths: dict[str, str] = given.get("InputPathsMap", {})
    for name in paths:
        if name.lower().startswith("aws"):
            raise invalid(f"InputPathsMap for target {target_id} must not start with AWS: {name}.")
    variables = {**_RESERVED, **{name: _variable(path, target_id) for name, path in paths.items()}}
    for name in _PLACEHOLDER.findall(template):
        if name not in variables:
            raise invalid(f"InputTemplate for target {target_id} contains invalid placeholder {name}.")
    quoted = [found.span() for found in _QUOTED.finditer(template)]
    is_object = template.lstrip(_SPACE).startswith("{")

    def transform(event: Event, rule_arn: str) -> str:
        def value_of(found: re.Match[str]) -> str:
            value = variables[found[1]](event, rule_arn)
            in_quotes = any(start < found.start() < end for start, end in quoted)
            return _within_quotes(value, is_object=is_object) if in_quotes else compact(value)

        return _minified(_PLACEHOLDER.sub(value_of, template), is_object=is_object)

    return transform


def _variable(path: str, target_id: str) -> Variable:
    steps = _steps(path, f"Invalid InputPath for target {target_id} : {path}.")
    return lambda event, _rule_arn: find_path(event.document, steps, "")


def _within_quotes(value: Any, *, is_object: bool) -> str:
    """Insert a string unescaped, and a list or object without its quotes if the template is a string.

    In an object template it keeps the quotes, which end the surrounding string too early.
    """
    if isinstance(value, str):
        return value
    return compact(value) if is_object else compact(value).replace('"', "")


def _minified(text: str, *, is_object: bool) -> str:
    """Remove the spaces of JSON. Other text is unchanged; a broken object raises InvalidInputError."""
    try:
        return compact(read_json(text))
    except (ValueError, RecursionError) as exc:
        if is_object:
            raise InvalidInputError("the filled input template is not JSON") from exc
        return text


def parse_path(path: str) -> Steps | None:
    """Parse a path, such as `$.detail.items[0].name`, into names, indexes, and None for all items; None if invalid.

    It is EventBridge's subset of JSONPath: also `$.detail.items[*]`, and names in brackets.
    """
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


def find_path(document: Any, steps: Steps, default: object = None) -> Any:
    """Return the value at a path, a list where a step selects all items, or the default for a missing value."""
    for number, step in enumerate(steps):
        match document, step:
            case (list() | dict(), None):
                items = document if isinstance(document, list) else document.values()
                found = (find_path(item, steps[number + 1 :], _MISSING) for item in items)
                return [value for value in found if value is not _MISSING]
            case (dict(), str()) if step in document:
                document = document[step]
            case (list(), int()) if step < len(document):
                document = document[step]
            case _:
                return default
    return document
