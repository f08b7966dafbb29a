"""A template's conditions. They depend on parameters and mappings only, never on resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localbus.cloudformation.template.parser import format_error
from localbus.errors import AwsError


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
            raise format_error(f"Unresolved condition dependency {name} in the Conditions block of the template")
        if name not in self._known:
            if name in self._evaluating:
                chain = ", ".join(self._evaluating)
                raise AwsError("ValidationError", f"Circular dependency between conditions: [{chain}]")
            self._evaluating.append(name)
            self._known[name] = self._evaluate(self._definitions[name])
            self._evaluating.pop()
        return self._known[name]

    def check_all(self) -> None:
        """Evaluate every condition. Raises AwsError for an invalid one."""
        for name in self._definitions:
            self.holds(name)

    def _evaluate(self, expression: Any) -> bool:
        if not isinstance(expression, dict) or len(expression) != 1:
            raise format_error("Every Conditions member must be a condition function.")
        function, argument = next(iter(expression.items()))
        match function:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals" if isinstance(argument, list) and len(argument) == 2:
                first, second = (self.resolve(one) for one in argument)
                return bool(_comparable(first) == _comparable(second))
            case "Fn::Not" if isinstance(argument, list) and len(argument) == 1:
                return not self._evaluate(argument[0])
            case "Fn::And" | "Fn::Or" if isinstance(argument, list) and 2 <= len(argument) <= 10:
                each = [self._evaluate(one) for one in argument]
                return all(each) if function == "Fn::And" else any(each)
            case "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or":
                raise AwsError("ValidationError", f"Template error: {function} has the wrong number of arguments.")
        raise format_error(
            f"Conditions can only be boolean operations on parameters and other conditions, not {function}"
        )


def _comparable(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, list | dict) else str(value)
