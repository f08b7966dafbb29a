"""The WHERE clause of a statement: the keys that it names, and the condition that is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from localbus.dynamodb.attribute_value import AttributeValue, Item
from localbus.dynamodb.errors import invalid
from localbus.dynamodb.expressions.binding import Scope
from localbus.dynamodb.expressions.condition import Condition
from localbus.dynamodb.expressions.syntax import Call, ExpressionError, Literal, Node, Path
from localbus.dynamodb.key_schema import KeySchema
from localbus.dynamodb.search import SortCondition
from localbus.errors import AwsError

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.select.html
MAX_PARTITIONS = 50
_SORT_OPERATORS = ("=", "<", "<=", ">", ">=", "BETWEEN", "begins_with")


class Parameters(Scope):
    """The checked parameters of a statement. Names in paths are plain."""

    def __init__(self, values: Sequence[AttributeValue]) -> None:
        super().__init__({}, {f"?{place}": value for place, value in enumerate(values)})

    def _name(self, step: str) -> str:
        return step


def conjuncts(where: Node | None, parameters: Scope) -> list[Node]:
    """Return the conditions that must all hold, with the values of parameters. Raises AwsError."""
    if where is None:
        return []
    try:
        bound = parameters.bind(where)
    except ExpressionError as exc:
        raise invalid(str(exc)) from exc
    return list(bound.operands) if isinstance(bound, Call) and bound.name == "AND" else [bound]


def joined(parts: Sequence[Node]) -> Condition | None:
    """Return the condition that all parts hold."""
    if not parts:
        return None
    return Condition(parts[0] if len(parts) == 1 else Call("AND", tuple(parts)))


def exact_key(parts: Sequence[Node], keys: KeySchema) -> tuple[Item, list[Node]] | None:
    """Return the key and the other parts; None unless all key attributes are equal to a value. Raises AwsError."""
    key: Item = {}
    others: list[Node] = []
    for part in parts:
        name, values = _on_key(part, keys)
        if name is None or not isinstance(part, Call) or part.name != "=":
            others.append(part)
        elif key.setdefault(name, values[0]) != values[0]:
            text = f"Multiple conditions on same key {name}. Only single item Update/Insert/Delete are supported"
            raise invalid(text)
    return (key, others) if len(key) == len(keys.names) else None


class Place:
    """The place where a SELECT searches: some partitions or (None) all, and a condition on the sort key."""

    def __init__(self, parts: Sequence[Node], keys: KeySchema) -> None:
        self.partitions: list[AttributeValue] | None = None
        self.sort: SortCondition | None = None
        others: list[Node] = []
        for part in parts:
            name, values = _on_key(part, keys)
            if not isinstance(part, Call) or not self._takes(part.name, name, values, keys):
                others.append(part)
        if self.partitions is None:
            self.sort, others = None, list(parts)
        self.condition = joined(others)

    def _takes(self, operator: str, name: str | None, values: list[AttributeValue], keys: KeySchema) -> bool:
        if name == keys.hash_name and self.partitions is None and operator in {"=", "IN"}:
            if len(values) > MAX_PARTITIONS:
                raise invalid(f"The number of hash key values in an IN list must not exceed {MAX_PARTITIONS}")
            self.partitions = [value for place, value in enumerate(values) if value not in values[:place]]
            return True
        if name is not None and name == keys.range_name and self.sort is None and operator in _SORT_OPERATORS:
            self.sort = SortCondition(operator, tuple(values))
            return True
        return False


def _on_key(part: Node, keys: KeySchema) -> tuple[str | None, list[AttributeValue]]:
    """Return the key attribute that a part compares with values, and those. Raises AwsError for a wrong type."""
    if not isinstance(part, Call) or part.name not in (*_SORT_OPERATORS, "IN"):
        return None, []
    path, *operands = part.operands
    values = [operand.value for operand in operands if isinstance(operand, Literal)]
    types: Mapping[str, str] = dict(keys.types)
    if not isinstance(path, Path) or len(values) < len(operands) or len(path.steps) > 1:
        return None, []
    name = str(path.steps[0])
    if name not in types:
        return None, []
    if any(types[name] not in value for value in values):
        raise wrong_key_type(name)
    return name, values


def wrong_key_type(name: str) -> AwsError:
    """Return the error for a key attribute of another type."""
    return invalid(f"Key attribute's data type should match its data type in table's schema: Key {name}")
