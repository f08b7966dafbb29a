"""A parser for templates: YAML with CloudFormation's short forms (!Ref, !GetAtt, ...), or JSON.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from localbus.errors import AwsError
from localbus.input_values import read_json

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_BODY_BYTES = 51_200
MAX_FILE_BYTES = 1_048_576
_MAX_DEPTH = 100  # AWS publishes no limit
_PLAIN_TAGS = {"!Ref": "Ref", "!Condition": "Condition"}


def format_error(text: str) -> AwsError:
    """The error for a template that CloudFormation cannot read."""
    return AwsError("ValidationError", f"Template format error: {text}")


def template_error(text: str) -> AwsError:
    """The error for a function that is used incorrectly."""
    return AwsError("ValidationError", f"Template error: {text}")


def read(text: str) -> dict[str, Any]:
    """The sections of a template. Raises AwsError for text that is not a JSON or YAML mapping."""
    document = _read_json(text) if text.lstrip().startswith("{") else _read_yaml(text)
    if not isinstance(document, dict):
        raise format_error("unsupported structure.")
    checked: dict[str, Any] = _checked(document, ())
    return checked


def as_text(value: Any) -> str:
    """A value of a template as text: a scalar as itself, a list or an object as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(value, default=as_text)
    return "" if value is None else str(value)


def _checked(value: Any, path: tuple[str, ...]) -> Any:
    """A value with text as its objects' keys. Raises AwsError for a null and for too many levels."""
    if value is None:
        raise AwsError("ValidationError", f"[/{'/'.join(path)}] 'null' values are not allowed in templates")
    if len(path) > _MAX_DEPTH:
        raise format_error(f"unsupported structure. It has more than {_MAX_DEPTH} levels.")
    if isinstance(value, dict):
        return {as_text(key): _checked(item, (*path, as_text(key))) for key, item in value.items()}
    if isinstance(value, list):
        return [_checked(item, (*path, str(place))) for place, item in enumerate(value)]
    return value


def _read_json(text: str) -> Any:
    try:
        return read_json(text)
    except (ValueError, RecursionError) as exc:
        where = f" (line {exc.lineno}, column {exc.colno + 1})" if isinstance(exc, json.JSONDecodeError) else ""
        raise format_error(f"JSON not well-formed.{where}") from exc


@cache
def _loader() -> Any:
    """The reader of YAML values, with short forms as functions and dates as text. A restart does not wait for it."""
    import yaml  # noqa: PLC0415 - takes 20 ms

    fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C loader is ten times as fast

    class TemplateLoader(fast):  # type: ignore[misc]
        """A subclass, as constructors are added to a class."""

    TemplateLoader.add_multi_constructor("!", _short_form)
    for kind in ("timestamp", "binary"):
        TemplateLoader.add_constructor(f"tag:yaml.org,2002:{kind}", fast.construct_scalar)
    for kind in ("set", "omap", "pairs"):
        TemplateLoader.add_constructor(f"tag:yaml.org,2002:{kind}", fast.construct_undefined)
    return TemplateLoader


def _short_form(loader: Any, suffix: str, node: Any) -> dict[str, Any]:
    tag = f"!{suffix}"
    name = _PLAIN_TAGS.get(tag, f"Fn::{suffix}")
    match node.id:
        case "scalar":
            value: Any = loader.construct_scalar(node)
            return {name: value.split(".", 1) if name == "Fn::GetAtt" else value}
        case "sequence":
            return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


def _read_yaml(text: str) -> Any:
    import yaml  # noqa: PLC0415 - as above

    loader = _loader()(text)
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


def _check(node: Any, seen: set[int]) -> None:
    """Reject aliases and duplicate keys, as CloudFormation does."""
    if id(node) in seen:
        raise format_error("YAML aliases are not allowed in CloudFormation templates")
    seen.add(id(node))
    if node.id == "sequence":
        for item in node.value:
            _check(item, seen)
    elif node.id == "mapping":
        keys: set[str] = set()
        for key, value in node.value:
            if key.id == "scalar":
                if key.value in keys:
                    line = key.start_mark.line + 1
                    raise format_error(f"YAML not well-formed. (line {line}: duplicate key {key.value})")
                keys.add(key.value)
            _check(key, seen)
            _check(value, seen)
