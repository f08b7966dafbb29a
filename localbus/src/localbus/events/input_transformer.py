"""What a target gets of an event: all of it, a constant, a part of it, or a text made from parts of it.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from localbus.errors import AwsError
from localbus.events import json_path
from localbus.events.event import Event, compact, timestamp
from localbus.protocol.service_model import Params

_SPACE = " \t\r\n"
_PLACEHOLDER = re.compile(r"<([^<>\s]+)>")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)

Input = Callable[[Event, str], str]  # of an event and the ARN of the rule that it matched; may raise NoInputError


class NoInputError(ValueError):
    """A template that is an object became no JSON. Such an event does not reach the target."""


def compile_input(target: Params) -> Input:
    """The function that makes the target's input. Raises AwsError for what PutTargets refuses."""
    given = [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name)]
    target_id = target["Id"]
    if len(given) > 1:
        text = f"Only one of Input, InputPath, or InputTransformer must be provided for target {target_id}."
        raise AwsError("ValidationException", text)
    match given:
        case ["Input"]:
            constant = _constant(target["Input"], target_id)
            return lambda _event, _rule_arn: constant
        case ["InputPath"]:
            return _part(_steps(target["InputPath"], f"Invalid InputPath for target {target_id}."))
        case ["InputTransformer"]:
            return _transformer(target["InputTransformer"], target_id)
    return lambda event, _rule_arn: event.text


def _constant(text: str, target_id: str) -> str:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise AwsError("ValidationException", f"Input for target {target_id} is not a valid JSON text.") from exc
    return text


def _steps(path: str, refusal: str) -> list[str | int | None]:
    steps = json_path.parse(path)
    if steps is None:
        raise AwsError("ValidationException", refusal)
    return steps


def _part(steps: list[str | int | None]) -> Input:
    def part(event: Event, _rule_arn: str) -> str:
        try:
            return compact(json_path.find(event.document, steps))
        except json_path.NothingThereError:
            return "null"

    return part


_RESERVED: Mapping[str, Callable[[Event, str], Any]] = {
    "aws.events.rule-arn": lambda _event, rule_arn: rule_arn,
    "aws.events.rule-name": lambda _event, rule_arn: rule_arn.rpartition("/")[2],
    "aws.events.event.ingestion-time": lambda event, _rule_arn: timestamp(event.ingested_at),
    "aws.events.event": lambda event, _rule_arn: _without_detail(event.document),
    "aws.events.event.json": lambda event, _rule_arn: event.document,
}


def _without_detail(document: dict[str, Any]) -> dict[str, Any]:
    """The event without its detail, under the names that AWS gives its members here."""
    names = ("id", "account", "detailType", "time", "source", "region", "resources", "version")
    values = {"detailType": document["detail-type"]} | document
    return {name: values[name] for name in names if name in values}


def _transformer(given: Params, target_id: str) -> Input:
    template: str = given["InputTemplate"]
    paths: dict[str, str] = given.get("InputPathsMap", {})
    for name in paths:
        if name.lower().startswith("aws"):
            raise AwsError(
                "ValidationException", f"InputPathsMap for target {target_id} must not start with AWS: {name}."
            )
    variables = {n: _steps(path, f"Invalid InputPath for target {target_id} : {path}.") for n, path in paths.items()}
    for name in _PLACEHOLDER.findall(template):
        if name not in variables and name not in _RESERVED:
            text = f"InputTemplate for target {target_id} contains invalid placeholder {name}."
            raise AwsError("ValidationException", text)
    quoted = [found.span() for found in _QUOTED.finditer(template)]
    is_object = template.lstrip(_SPACE).startswith("{")

    def transform(event: Event, rule_arn: str) -> str:
        def value_of(found: re.Match[str]) -> str:
            value = _value(found[1], variables, event, rule_arn)
            in_quotes = any(start < found.start() < end for start, end in quoted)
            return _within_quotes(value, is_object=is_object) if in_quotes else compact(value)

        return _minified(_PLACEHOLDER.sub(value_of, template), is_object=is_object)

    return transform


def _value(name: str, variables: Mapping[str, list[str | int | None]], event: Event, rule_arn: str) -> Any:
    """What stands for a variable: a path that leads to nothing gives an empty text."""
    if name not in variables:
        return _RESERVED[name](event, rule_arn)
    try:
        return json_path.find(event.document, variables[name])
    except json_path.NothingThereError:
        return ""


def _within_quotes(value: Any, *, is_object: bool) -> str:
    """A text stands there as it is, not escaped. A list or an object loses its quotes in a template that is one text.

    In a template that is an object it keeps them, and so ends the text around it too soon.
    """
    if isinstance(value, str):
        return value
    return compact(value) if is_object else compact(value).replace('"', "")


def _minified(text: str, *, is_object: bool) -> str:
    """JSON without the spaces between its parts; anything else as it is, but NoInputError for a broken object."""
    try:
        return compact(json.loads(text))
    except (ValueError, RecursionError) as exc:
        if is_object:
            raise NoInputError("the input template with its variables filled in is no JSON") from exc
        return text
