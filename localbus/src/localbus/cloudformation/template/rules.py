"""A template's Rules: assertions on its parameters, evaluated before any resource is created or updated.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-rules.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from localbus.cloudformation.template.conditions import Conditions
from localbus.cloudformation.template.parser import as_text, format_error
from localbus.errors import AwsError

_BOOLEAN = {"Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"}
_OF_LISTS = {"Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn"}
_VALUES = {"Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll", "Ref"}


def check_form(rules: Mapping[str, Any]) -> None:
    """Raise AwsError for a rule without a list of assertions, and for functions that rules do not support."""
    for name, rule in rules.items():
        if not isinstance(rule, dict) or not isinstance(rule.get("Assertions"), list):
            raise format_error(f"[/Rules/{name}] Every Rules object must contain an Assertions list.")
        unknown = sorted(map(str, set(rule) - {"Assertions", "RuleCondition"}))
        if unknown:
            raise format_error(f"[/Rules/{name}] Invalid template rule property or properties {unknown}")
        for one in rule["Assertions"]:
            if not isinstance(one, dict) or "Assert" not in one:
                raise format_error(f"[/Rules/{name}/Assertions] Every assertion must contain an Assert member.")
    unsupported = sorted(set(_functions(rules)) - _BOOLEAN - _OF_LISTS - _VALUES)
    if unsupported:
        text = "Following functions are not supported in the Rules block of the template"
        raise format_error(f"{text}: [{', '.join(unsupported)}]")


def _functions(value: Any) -> Iterator[str]:
    items: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        yield from _functions(item)
    if isinstance(value, dict) and len(value) == 1:
        yield from (name for name in value if str(name).startswith("Fn::") or name == "Condition")


def check(rules: Mapping[str, Any], parameters: Mapping[str, Any], names: Mapping[str, Any]) -> None:
    """Evaluate the rules. Raises AwsError with the descriptions of the assertions that do not hold.

    `names` are the values of the parameters, whose definitions are `parameters`, and of the pseudo parameters.
    """
    functions = _RuleFunctions(parameters, names)
    failed: list[str] = []
    for name, rule in rules.items():
        if "RuleCondition" in rule and not functions.is_true(rule["RuleCondition"]):
            continue
        failed += [
            as_text(one.get("AssertDescription")) or f"An assertion of the rule {name} failed."
            for one in rule["Assertions"]
            if not functions.is_true(one["Assert"])
        ]
    if failed:
        raise AwsError("ValidationError", " ".join(failed))


class _RuleFunctions(Conditions):
    """The functions of conditions and those for lists of values."""

    def __init__(self, parameters: Mapping[str, Any], names: Mapping[str, Any]) -> None:
        super().__init__({})
        self._parameters = parameters
        self._names = names
        self.resolve = self._value

    def is_true(self, expression: Any) -> bool:
        """Evaluate a function that gives true or false. Raises AwsError for any other expression."""
        return self._evaluate(expression)

    def _evaluate(self, expression: Any) -> bool:
        function = next(iter(expression)) if isinstance(expression, dict) and len(expression) == 1 else None
        if function in _OF_LISTS:
            return self._of_list(function, expression[function])
        if function in _BOOLEAN:
            return super()._evaluate(expression)
        shown = json.dumps(expression)
        raise format_error(
            f"Every condition and assertion of a rule must be a function with a truth value, not {shown}"
        )

    def _of_list(self, function: str, argument: Any) -> bool:
        if not isinstance(argument, list) or len(argument) != 2:
            raise AwsError("ValidationError", f"Template error: {function} has the wrong number of arguments.")
        items, other = map(self._value, argument)
        if not isinstance(items, list) or isinstance(other, list) != (function == "Fn::EachMemberIn"):
            expected = "two lists" if function == "Fn::EachMemberIn" else "a list and a string"
            raise AwsError("ValidationError", f"Template error: {function} requires {expected}.")
        match function:
            case "Fn::Contains":
                return other in items
            case "Fn::EachMemberEquals":
                return all(item == other for item in items)
        return all(item in other for item in items)

    def _value(self, value: Any) -> Any:
        match value:
            case {"Ref": str(name)} if name in self._names:
                return self._names[name]
            case {"Ref": name}:
                raise format_error(f"Unresolved dependencies [{name}]. Cannot reference resources in the Rules block")
            case {"Fn::RefAll": str(kind)}:
                return [self._names[name] for name, one in self._parameters.items() if one["Type"] == kind]
            case {"Fn::ValueOf": _} | {"Fn::ValueOfAll": _}:
                function = next(iter(value))
                text = f"localbus does not implement {function}, which reads attributes of resources from EC2."
                raise AwsError("NotImplemented", text)
            case dict():
                raise format_error(f"A rule compares texts, parameters and lists of them, not {json.dumps(value)}")
            case list():
                return [self._value(item) for item in value]
        return as_text(value)
