"""A template's conditions. They depend on parameters and mappings only, never on resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localbus.cloudformation.template.parser import as_text, format_error, template_error
from localbus.errors import AwsError

_NOT_BOOLEAN = "Conditions can only be boolean operations on parameters and other conditions"
_ARGUMENTS = {
    "Fn::And": "a list of at least 2 and at most 10 boolean parameters.",
    "Fn::Equals": "a list of 2 string parameters.",
    "Fn::Not": "a list of one boolean parameter.",
    "Fn::Or": "a list of at least 2 and at most 10 boolean parameters.",
}


class Conditions:
    """The conditions of one template. `resolve` resolves the values that they compare."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._known: dict[str, bool] = {}
        self._evaluating: list[str] = []
        self.resolve: Callable[[Any], Any] = lambda value: value

    def holds(self, name: Any) -> bool:
        """Evaluate a condition. Raises AwsError if it does not exist or depends on itself."""
        if not isinstance(name, str) or name not in self._definitions:
            raise format_error(
                f"Unresolved condition dependency {as_text(name)} in the Conditions block of the template"
            )
        if name not in self._known:
            if name in self._evaluating:
                chain = ", ".join(self._evaluating)
                raise AwsError("ValidationError", f"Circular dependency between conditions: [{chain}]")
            self._evaluating.append(name)
            self._known[name] = self._evaluate(self._definitions[name])
            self._evaluating.pop()
        return self._known[name]

    def holds_in_if(self, name: Any) -> bool:
        """Evaluate the condition of an Fn::If. Raises AwsError."""
        if not isinstance(name, str):
            raise template_error("Fn::If requires a list argument with the first element being a condition")
        if name not in self._definitions:
            raise template_error(f"unresolved condition dependency {name} in Fn::If")
        return self.holds(name)

    def check_all(self) -> None:
        """Evaluate every condition. Raises AwsError for an invalid one."""
        for name in self._definitions:
            self.holds(name)

    def _evaluate(self, expression: Any) -> bool:
        if not isinstance(expression, dict) or len(expression) != 1:
            raise format_error(_NOT_BOOLEAN)
        function, argument = next(iter(expression.items()))
        match function:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals" if isinstance(argument, list) and len(argument) == 2:
                first, second = (self._text(one) for one in argument)
                return first == second
            case "Fn::Not" if isinstance(argument, list) and len(argument) == 1:
                return not self._evaluate(argument[0])
            case "Fn::And" | "Fn::Or" if isinstance(argument, list) and 2 <= len(argument) <= 10:
                each = [self._evaluate(one) for one in argument]
                return all(each) if function == "Fn::And" else any(each)
        if function in _ARGUMENTS:
            raise template_error(f"every {function} object requires {_ARGUMENTS[function]}")
        raise format_error(_NOT_BOOLEAN)

    def _text(self, operand: Any) -> str:
        """An operand of Fn::Equals."""
        value = self.resolve(operand)
        if not isinstance(value, str | int | float):
            raise template_error(f"every Fn::Equals object requires {_ARGUMENTS['Fn::Equals']}")
        return as_text(value)
