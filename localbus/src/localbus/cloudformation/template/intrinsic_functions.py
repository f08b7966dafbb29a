"""The intrinsic functions of a template (Ref, Fn::Sub, Fn::If, ...) and their values.

A function that depends on unknown values of a resource stays in place as `Unresolved`, with everything around it
resolved: the part of a template that the upstream deploys keeps only its own references.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from itertools import islice
from typing import Any, Protocol

from localbus.cloudformation.template.conditions import Conditions
from localbus.cloudformation.template.parser import as_text, template_error
from localbus.input_values import whole_number

_SUB_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
_SUB_LITERAL = re.compile(r"\$\{!([^}]*)\}")
_SUB_NAME = re.compile(r"[A-Za-z0-9_.:]+")
_INDEX = re.compile(r"[0-9]{1,9}")
_ZONES = "abc"
_MAX_BLOCKS = 256  # of Fn::Cidr
_OF_EXTENSIONS = {"Fn::Length", "Fn::ToJsonString"}

# The usage of functions, in CloudFormation's words.
_USAGE = {
    "Fn::Cidr": "every Fn::Cidr object requires two or three parameters, (1) an IP address block, (2) the number of "
    "blocks to make of it, from 1 to 256, and (3) the number of bits of their hosts.",
    "Fn::FindInMap": "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute "
    "for return value",
    "Fn::GetAtt": "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource "
    "attribute",
    "Fn::Join": "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be "
    "joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.",
    "Fn::Select": "Fn::Select requires a list argument with two elements: an integer index and a list",
    "Fn::Split": "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split "
    "or a function that returns a string to be split.",
    "Fn::Sub": "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first "
    "argument, and an optional second argument to specify a mapping of values to replace in the string",
}


class Unresolved(dict[str, Any]):
    """A function for the upstream to resolve."""


class _NoValue:
    """`AWS::NoValue`: removes the property or item."""


NO_VALUE = _NoValue()


class Resources(Protocol):
    """The resources to which a template refers."""

    def ref(self, logical_id: str) -> Any:
        """The value of `Ref`; None if unknown."""

    def attribute(self, logical_id: str, name: str) -> Any:
        """The value of `Fn::GetAtt`; None if unknown."""


@dataclass(frozen=True)
class Functions:
    """The functions of one template. `names` are the values of its parameters and pseudo parameters."""

    names: Mapping[str, Any]
    mappings: Mapping[str, Any]
    conditions: Conditions
    resources: Resources
    import_value: Callable[[str], str | None]

    def resolve(self, value: Any) -> Any:
        """A value with its functions resolved; NO_VALUE if it is to be removed. Raises AwsError."""
        if isinstance(value, dict):
            if len(value) == 1:
                name, argument = next(iter(value.items()))
                if name in _FUNCTIONS:
                    return _FUNCTIONS[name](self, argument)
                if isinstance(name, str) and name.startswith("Fn::"):
                    return self._unknown(name, argument)
            resolved = {str(key): self.resolve(item) for key, item in value.items()}
            return {key: item for key, item in resolved.items() if item is not NO_VALUE}
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        return value

    def _unknown(self, name: str, argument: Any) -> Any:
        if name in _OF_EXTENSIONS:
            raise template_error(f"{name} needs the transform AWS::LanguageExtensions in the template.")
        known = ", ".join(_FUNCTIONS)
        raise template_error(f"Encountered unsupported function: {name} Supported functions are: [{known}]")

    def _ref(self, name: Any) -> Any:
        if not isinstance(name, str):
            raise template_error("every Ref object must have a single String value.")
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.names:
            return self.names[name]
        found = self.resources.ref(name)
        return Unresolved({"Ref": name}) if found is None else found

    def _get_att(self, argument: Any) -> Any:
        logical_id, attribute = read_get_att(argument)
        attribute = self.resolve(attribute)
        if not isinstance(attribute, str):
            raise template_error(_USAGE["Fn::GetAtt"])
        found = self.resources.attribute(logical_id, attribute)
        return Unresolved({"Fn::GetAtt": [logical_id, attribute]}) if found is None else found

    def _sub(self, argument: Any) -> Any:
        text, given = read_sub(argument)
        variables = {name: self.resolve(value) for name, value in given.items()}
        parts: list[Any] = []
        at = 0
        for found in sub_variables(text):
            parts.append(_literal(text[at : found.start()]))
            name = found[1].strip()
            if name in variables:
                parts.append(variables[name])
            elif "." in name and name not in self.names:
                parts.append(self._get_att(name.split(".", 1)))
            else:
                parts.append(self._ref(name))
            if not _is_text(parts[-1]):
                raise template_error(f"variable {name} in Fn::Sub expression does not resolve to a string")
            at = found.end()
        return joined("", [*parts, _literal(text[at:])], "Fn::Sub")

    def _join(self, argument: Any) -> Any:
        delimiter, items = self._arguments("Fn::Join", argument, 2)
        if isinstance(items, Unresolved):
            return Unresolved({"Fn::Join": [delimiter, items]})
        if not isinstance(delimiter, str) or not isinstance(items, list) or not all(map(_is_text, items)):
            raise template_error(_USAGE["Fn::Join"])
        return joined(delimiter, items, "Fn::Join")

    def _split(self, argument: Any) -> Any:
        delimiter, text = self._arguments("Fn::Split", argument, 2)
        if isinstance(text, Unresolved):
            return Unresolved({"Fn::Split": [delimiter, text]})
        if not isinstance(delimiter, str) or not delimiter or not _is_text(text):
            raise template_error(_USAGE["Fn::Split"])
        return as_text(text).split(delimiter)

    def _select(self, argument: Any) -> Any:
        index, items = self._arguments("Fn::Select", argument, 2)
        if isinstance(items, Unresolved) or isinstance(index, Unresolved):
            return Unresolved({"Fn::Select": [index, items]})
        if not isinstance(items, list) or not _is_text(index) or not _INDEX.fullmatch(as_text(index)):
            raise template_error(_USAGE["Fn::Select"])
        if int(as_text(index)) >= len(items):
            raise template_error(f"Fn::Select cannot select nonexistent value at index {as_text(index)}")
        return items[int(as_text(index))]

    def _if(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) != 3:
            raise template_error("Fn::If requires a list argument with three elements")
        return self.resolve(argument[1 if self.conditions.holds_in_if(argument[0]) else 2])

    def _find_in_map(self, argument: Any) -> Any:
        return find_in_map(self.mappings, self._arguments("Fn::FindInMap", argument, 3))

    def _cidr(self, argument: Any) -> Any:
        arguments = self.resolve(argument)
        if not isinstance(arguments, list) or len(arguments) not in {2, 3}:
            raise template_error(_USAGE["Fn::Cidr"])
        if any(isinstance(one, Unresolved) for one in arguments):
            return Unresolved({"Fn::Cidr": arguments})
        block, count, *bits = map(as_text, arguments)
        try:
            network, wanted = ip_network(block, strict=False), whole_number(count)
            prefix = network.max_prefixlen - whole_number(bits[0]) if bits else network.prefixlen
            if not 1 <= wanted <= _MAX_BLOCKS:
                raise template_error(_USAGE["Fn::Cidr"])
            found = [str(one) for one in islice(network.subnets(new_prefix=prefix), wanted)]
        except ValueError as exc:
            raise template_error(_USAGE["Fn::Cidr"]) from exc
        if len(found) < wanted:
            raise template_error(f"Fn::Cidr cannot make {count} blocks of {block}.")
        return found

    def _base64(self, argument: Any) -> Any:
        text = self.resolve(argument)
        if isinstance(text, Unresolved):
            return Unresolved({"Fn::Base64": text})
        if not _is_text(text):
            raise template_error("every Fn::Base64 object must have a String-typed value.")
        return base64.b64encode(as_text(text).encode("utf-8", "replace")).decode()

    def _zones(self, argument: Any) -> Any:
        region = self.resolve(argument)
        if not isinstance(region, str):
            raise template_error("every Fn::GetAZs object must have a String-typed value.")
        region = region or self.names["AWS::Region"]
        return [f"{region}{zone}" for zone in _ZONES]

    def _import(self, argument: Any) -> Any:
        name = self.resolve(argument)
        if not isinstance(name, str):
            rule = "must not depend on any resources, imported values, or Fn::GetAZs"
            raise template_error(f"the attribute in Fn::ImportValue {rule}")
        found = self.import_value(name)
        return Unresolved({"Fn::ImportValue": name}) if found is None else found

    def _arguments(self, name: str, argument: Any, count: int) -> list[Any]:
        if not isinstance(argument, list) or len(argument) != count:
            raise template_error(_USAGE[name])
        return [self.resolve(item) for item in argument]


_FUNCTIONS: Mapping[str, Callable[[Functions, Any], Any]] = {
    "Ref": Functions._ref,
    "Fn::Base64": Functions._base64,
    "Fn::Cidr": Functions._cidr,
    "Fn::FindInMap": Functions._find_in_map,
    "Fn::GetAZs": Functions._zones,
    "Fn::GetAtt": Functions._get_att,
    "Fn::If": Functions._if,
    "Fn::ImportValue": Functions._import,
    "Fn::Join": Functions._join,
    "Fn::Select": Functions._select,
    "Fn::Split": Functions._split,
    "Fn::Sub": Functions._sub,
}


def find_in_map(mappings: Mapping[str, Any], keys: list[Any]) -> Any:
    """The value at [map name, top-level key, second-level key]. Raises AwsError if there is none."""
    if not all(map(_is_text, keys)) or any(isinstance(key, Unresolved) for key in keys):
        raise template_error(_USAGE["Fn::FindInMap"])
    found: Any = mappings
    for key in keys:
        found = found.get(as_text(key)) if isinstance(found, dict) else None
    if found is None:
        raise template_error(f"Unable to get mapping for {'::'.join(map(as_text, keys))}")
    return found


def read_get_att(argument: Any) -> tuple[str, Any]:
    """The logical id and the attribute in the argument of Fn::GetAtt."""
    match argument.split(".", 1) if isinstance(argument, str) else argument:
        case [str(logical_id), attribute] if logical_id and attribute != "":
            return logical_id, attribute
        case [str(logical_id), _, _, *_] if logical_id and isinstance(argument, list):
            return logical_id, ".".join(map(as_text, argument[1:]))
    raise template_error(_USAGE["Fn::GetAtt"])


def read_sub(argument: Any) -> tuple[str, dict[str, Any]]:
    """The text and the variable map in the argument of Fn::Sub."""
    match argument:
        case [str(text), dict(variables)]:
            pass
        case str(text):
            variables = {}
        case _:
            raise template_error(_USAGE["Fn::Sub"])
    for found in sub_variables(text):
        if not _SUB_NAME.fullmatch(found[1].strip()):
            raise template_error(
                "variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, "
                "and colons"
            )
    return text, variables


def _literal(text: str) -> str:
    """Unescape `${!Name}`, which stands for the literal text ${Name}."""
    end = text.rfind("}") + 1
    return _SUB_LITERAL.sub(r"${\1}", text[:end]) + text[end:]


def sub_variables(text: str) -> Iterator[re.Match[str]]:
    """The variables in the text of an Fn::Sub. Stops at the last brace, so that unclosed ones take no time."""
    return _SUB_VARIABLE.finditer(text, 0, text.rfind("}") + 1)


def _is_text(value: Any) -> bool:
    """True for text, numbers and booleans, and for what the upstream will resolve."""
    return isinstance(value, str | int | float | Unresolved)


def joined(delimiter: str, items: list[Any], function: str) -> Any:
    """The joined texts; an Fn::Join for the upstream if it is to resolve one of them."""
    if not all(map(_is_text, items)):
        raise template_error(f"every value of a {function} object must be a string.")
    if any(isinstance(item, Unresolved) for item in items):
        return Unresolved(
            {"Fn::Join": [delimiter, [item if isinstance(item, Unresolved) else as_text(item) for item in items]]}
        )
    return delimiter.join(map(as_text, items))
