"""A bound update expression, and the item that it makes of another.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from decimal import Context, Decimal
from functools import cached_property
from typing import Any

from localbus.dynamodb.attribute_value import check_value, normal_number
from localbus.dynamodb.errors import invalid
from localbus.dynamodb.expressions.binding import Scope
from localbus.dynamodb.expressions.condition import at_path, value_of
from localbus.dynamodb.expressions.parser import Action
from localbus.dynamodb.expressions.projection import Projection
from localbus.dynamodb.expressions.syntax import (
    AttributeValue,
    Call,
    ExpressionError,
    Item,
    Literal,
    Node,
    check_overlap,
)

WRONG_TYPE = "An operand in the update expression has an incorrect data type"
_SETS = ("SS", "NS", "BS")
_EXACT = Context(prec=600)
TYPE_NAMES = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "BOOL": "BOOLEAN",
    "NULL": "NULL",
    "M": "MAP",
    "L": "LIST",
    "SS": "STRING_SET",
    "NS": "NUMBER_SET",
    "BS": "BINARY_SET",
}


class Update:
    """Actions whose paths do not overlap."""

    def __init__(self, actions: Sequence[Action]) -> None:
        self.actions = actions

    @property
    def names(self) -> list[str]:
        """The top-level attributes that it changes."""
        return list(dict.fromkeys(str(action.path.steps[0]) for action in self.actions))

    @property
    def creates(self) -> bool:
        """True if it creates an item that does not exist: removing alone does not."""
        return any(action.section in ("SET", "ADD") for action in self.actions) or not self.actions

    @cached_property
    def touched(self) -> Projection:
        """The projection to what it changes, for UPDATED_OLD of the item before and UPDATED_NEW of the one after."""
        return Projection(action.path for action in self.actions)

    def apply(self, item: Item) -> Item:
        """Return the changed item. Raises AwsError if a path or a type does not fit the item."""
        changes = [(action, self._value(action, item)) for action in sorted(self.actions, key=_section)]
        changed = item | {name: deepcopy(item[name]) for name in self.names if name in item}
        for action, value in sorted(changes, key=_position):
            _place(changed, action.path.steps, value)
        return changed

    def _value(self, action: Action, item: Item) -> AttributeValue | None:
        """Return the value that is set at the action's path, or None if it is removed or stays absent."""
        _container(item, action.path.steps)
        if action.value is None:
            return None
        value = _value(action.value, item)
        if action.section == "SET":
            return value
        old = at_path(action.path.steps, item)
        return _added(old, value) if action.section == "ADD" else _deleted(old, value)


def bind_update(actions: Sequence[Action], scope: Scope) -> Update:
    """Give a parsed update its names and values. Raises ExpressionError."""
    paths = [scope.path(action.path) for action in actions]
    check_overlap(paths)
    bound: list[Action] = []
    for action, path in reversed(list(zip(actions, paths, strict=True))):
        value = None if action.value is None else scope.bind(action.value)
        if action.section in ("ADD", "DELETE") and isinstance(value, Literal):
            _check_operand(action.section, value)
        bound.insert(0, Action(action.section, path, value))
    return Update(bound)


def _check_operand(section: str, literal: Literal) -> None:
    kind = next(iter(literal.value))
    if kind in _SETS or (section, kind) == ("ADD", "N"):
        return
    raise ExpressionError(
        f"Incorrect operand type for operator or function; operator: {section}, operand type: {TYPE_NAMES[kind]}, "
        f"typeSet: ALLOWED_FOR_{section}_OPERAND"
    )


def _section(action: Action) -> int:
    """Return the place of an action in the order of evaluation, which shows in errors."""
    return ("SET", "ADD", "DELETE", "REMOVE").index(action.section)


def _position(change: tuple[Action, AttributeValue | None]) -> tuple[bool, tuple[tuple[int, int | str], ...]]:
    """Return the order of a change: elements of a list are set from the first on, and removed from the last."""
    removes, sign = change[0].section == "REMOVE", -1 if change[0].section == "REMOVE" else 1
    steps = change[0].path.steps
    return removes, tuple((0, step * sign) if isinstance(step, int) else (1, step) for step in steps)


def _value(node: Node, item: Item) -> AttributeValue:
    """Return the value of an operand in the item before the update."""
    if isinstance(node, Call):
        if node.name == "if_not_exists":
            found, other = value_of(node.operands[0], item), _value(node.operands[1], item)
            return other if found is None else found
        left, right = (_value(operand, item) for operand in node.operands)
        if node.name == "list_append":
            return {"L": _content(left, "L") + _content(right, "L")}
        return _sum(_content(left, "N"), _content(right, "N"), subtract=node.name == "-")
    value = value_of(node, item)
    if value is None:
        raise invalid("The provided expression refers to an attribute that does not exist in the item")
    return value


def _content(value: AttributeValue, kind: str) -> Any:
    if kind not in value:
        raise invalid(WRONG_TYPE)
    return value[kind]


def _sum(left: str, right: str, *, subtract: bool = False) -> AttributeValue:
    one, two = Decimal(left), Decimal(right)
    return {"N": normal_number(str(_EXACT.subtract(one, two) if subtract else _EXACT.add(one, two)))}


def _added(old: AttributeValue | None, value: AttributeValue) -> AttributeValue:
    if old is None:
        return value
    ((kind, content),) = value.items()
    members = _content(old, kind)
    if kind == "N":
        return _sum(members, content)
    if kind == "L":
        return {"L": members + content}
    added = {kind: [*members, *(member for member in content if member not in set(members))]}
    check_value(added)
    return added


def _deleted(old: AttributeValue | None, value: AttributeValue) -> AttributeValue | None:
    if old is None:
        return None
    ((kind, content),) = value.items()
    kept = [member for member in _content(old, kind) if member not in set(content)]
    return {kind: kept} if kept else None


def _container(item: Item, steps: Sequence[str | int]) -> Any:
    """Return the members of the map, or the elements of the list, that a path's last step is in."""
    parent: AttributeValue | None = {"M": item} if len(steps) == 1 else at_path(steps[:-1], item)
    kind = "M" if isinstance(steps[-1], str) else "L"
    if parent is None or kind not in parent:
        raise invalid("The document path provided in the update expression is invalid for update")
    return parent[kind]


def _place(item: Item, steps: Sequence[str | int], value: AttributeValue | None) -> None:
    """Set the value at a path, or remove it. A place after the end of a list is its end."""
    content, last = _container(item, steps), steps[-1]
    if isinstance(last, str):
        if value is None:
            content.pop(last, None)
        else:
            content[last] = value
    elif value is None:
        del content[last : last + 1]
    elif last < len(content):
        content[last] = value
    else:
        content.append(value)
