"""A parser for templates: YAML with CloudFormation's short forms (!Ref, !GetAtt, ...), or JSON.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from localbus.errors import AwsError
from localbus.input_values import read_json

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_BODY_BYTES = 51_200
MAX_FILE_BYTES = 1_048_576
_PLAIN_TAGS = {"!Ref": "Ref", "!Condition": "Condition"}
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C loader is ten times as fast


def format_error(text: str) -> AwsError:
    """The error for a template that CloudFormation cannot read."""
    return AwsError("ValidationError", f"Template format error: {text}")


def read(text: str) -> dict[str, Any]:
    """The sections of a template. Raises AwsError for text that is not a JSON or YAML mapping."""
    document = _read_json(text) if text.lstrip().startswith("{") else _read_yaml(text)
    if not isinstance(document, dict):
        raise format_error("unsupported structure.")
    return document


def _read_json(text: str) -> Any:
    try:
        return read_json(text)
    except (ValueError, RecursionError) as exc:
        where = f" (line {exc.lineno}, column {exc.colno})" if isinstance(exc, json.JSONDecodeError) else ""
        raise format_error(f"JSON not well-formed.{where}") from exc


class _TemplateLoader(_Loader):  # type: ignore[misc]
    """YAML values, with short forms as functions and dates as text."""


def _short_form(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    tag = f"!{suffix}"
    name = _PLAIN_TAGS.get(tag, f"Fn::{suffix}")
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if name == "Fn::GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_TemplateLoader.add_multi_constructor("!", _short_form)
_TemplateLoader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_scalar)


def _read_yaml(text: str) -> Any:
    loader = _TemplateLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _check(node, set())
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise format_error(f"YAML not well-formed.{where}") from exc
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise format_error("YAML not well-formed.") from exc
    finally:
        loader.dispose()


def _check(node: yaml.Node, seen: set[int]) -> None:
    """Reject aliases and duplicate keys, as CloudFormation does."""
    if id(node) in seen:
        raise format_error("YAML aliases are not allowed in CloudFormation templates")
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check(item, seen)
    elif isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    line = key.start_mark.line + 1
                    raise format_error(f"YAML not well-formed. (line {line}: duplicate key {key.value})")
                keys.add(key.value)
            _check(key, seen)
            _check(value, seen)
