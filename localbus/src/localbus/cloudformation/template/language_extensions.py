"""The transform AWS::LanguageExtensions: Fn::ForEach, Fn::Length, Fn::ToJsonString, and Fn::FindInMap with a default.

The result is a plain template. References to resources stay functions, since no resource exists yet.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-languageextensions.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from localbus.cloudformation.template.intrinsic_functions import Functions, Unresolved, find_in_map, joined
from localbus.cloudformation.template.template import EXTENSIONS
from localbus.errors import AwsError

FOR_EACH = "Fn::ForEach::"
_SECTIONS = ("Conditions", "Resources", "Outputs")
_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")
_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9]")

Loop = Mapping[str, str]  # the items of the enclosing loops by identifier


def expand(document: Mapping[str, Any], functions: Functions) -> dict[str, Any]:
    """The document without the functions of the transform. Raises AwsError."""
    expanded = {name: _Expansion(functions).value(document[name], {}) for name in _SECTIONS if name in document}
    resources = expanded.get("Resources")
    for resource in resources.values() if isinstance(resources, dict) else ():
        for policy in _POLICIES:
            if isinstance(resource, dict) and isinstance(resource.get(policy), dict):
                resource[policy] = functions.resolve(resource[policy])
    return {**document, **expanded}


def _failed(reason: str) -> AwsError:
    return AwsError("ValidationError", f"Transform {EXTENSIONS} failed with: {reason}")


class _Expansion:
    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def value(self, value: Any, loop: Loop) -> Any:
        """A value with the transform's functions resolved, and the identifiers of loops replaced."""
        if isinstance(value, list):
            return [self.value(item, loop) for item in value]
        return self._object(value, loop) if isinstance(value, dict) else value

    def _object(self, value: dict[str, Any], loop: Loop) -> Any:
        name, argument = next(iter(value.items())) if len(value) == 1 else ("", None)
        if name == "Ref" and isinstance(argument, str) and argument in loop:
            return loop[argument]
        if name == "Fn::Sub" and loop:
            return self._sub(argument, loop)
        if name in _FUNCTIONS:
            return _FUNCTIONS[name](self, self.value(argument, loop))
        found: dict[str, Any] = {}
        for key, item in value.items():
            found |= self._for_each(item, loop) if str(key).startswith(FOR_EACH) else {key: self.value(item, loop)}
        return found

    def _for_each(self, argument: Any, loop: Loop) -> dict[str, Any]:
        match argument:
            case [str(identifier), collection, dict(fragment)]:
                pass
            case _:
                raise _failed("Fn::ForEach layout is incorrect")
        items = self._functions.resolve(self.value(collection, loop))
        if not isinstance(items, list) or any(isinstance(item, list | dict) for item in items):
            raise _failed("Could not find a collection or could not be resolved for Fn::ForEach")
        found: dict[str, Any] = {}
        for item in map(str, items):
            inner = {**loop, identifier: item}
            for key, value in fragment.items():
                if key.startswith(FOR_EACH):
                    found |= self._for_each(value, inner)
                else:
                    found[_with_items(key, inner)] = self.value(value, inner)
        return found

    def _sub(self, argument: Any, loop: Loop) -> Any:
        """An Fn::Sub whose loop variables are replaced; a text if no variable is left."""
        if isinstance(argument, str):
            text = _with_items(argument, loop)
            return {"Fn::Sub": text} if "${" in text else text
        if isinstance(argument, list) and argument and isinstance(argument[0], str):
            return {"Fn::Sub": [_with_items(argument[0], loop), *self.value(argument[1:], loop)]}
        return {"Fn::Sub": argument}

    def _length(self, argument: Any) -> int:
        items = self._functions.resolve(argument)
        if not isinstance(items, list):
            raise _failed("The Fn::Length value could not be resolved for properties")
        return len(items)

    def _json(self, argument: Any) -> Any:
        if not isinstance(argument, list | dict):
            raise _failed("Fn::ToJsonString requires an object or an array")
        unresolved: list[Unresolved] = []

        def marked(value: Any) -> Any:
            if isinstance(value, Unresolved):
                unresolved.append(value)
                return f"\0{len(unresolved) - 1}\0"
            if isinstance(value, dict):
                return {key: marked(item) for key, item in value.items()}
            return [marked(item) for item in value] if isinstance(value, list) else value

        text = json.dumps(marked(self._functions.resolve(argument)), separators=(",", ":"), ensure_ascii=False)
        parts = text.split("\\u0000")
        return joined(
            "", [unresolved[int(part)] if place % 2 else part for place, part in enumerate(parts)], "Fn::Join"
        )

    def _find_in_map(self, argument: Any) -> Any:
        default: list[Any] = []
        match argument:
            case [*keys, {"DefaultValue": value}] if len(keys) == 3:
                default, argument = [value], keys
            case list() if len(argument) == 3:
                pass
            case _:
                raise _failed("Fn::FindInMap requires a map name, two keys and optionally a DefaultValue")
        keys = [self._functions.resolve(key) for key in argument]
        if any(isinstance(key, Unresolved) for key in keys):
            return {"Fn::FindInMap": argument}
        try:
            return find_in_map(self._functions.mappings, keys)
        except AwsError:
            if not default:
                raise
            return default[0]


_FUNCTIONS = {
    "Fn::FindInMap": _Expansion._find_in_map,
    "Fn::Length": _Expansion._length,
    "Fn::ToJsonString": _Expansion._json,
}


def _with_items(text: str, loop: Loop) -> str:
    """A key or the text of an Fn::Sub: ${Name} stands for the item, &{Name} for its letters and digits."""
    for name, item in loop.items():
        text = text.replace(f"${{{name}}}", item).replace(f"&{{{name}}}", _NOT_IN_A_KEY.sub("", item))
    return text
