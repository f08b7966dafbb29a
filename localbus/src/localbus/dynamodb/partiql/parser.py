"""The grammar of statements. Parsed statements are kept by their text.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from localbus.dynamodb.errors import invalid
from localbus.dynamodb.expressions.parser import Action
from localbus.dynamodb.expressions.syntax import CONDITIONS, VALUES, AttributeValue, Call, ExpressionError, Node, Path
from localbus.dynamodb.expressions.words import check_words
from localbus.dynamodb.partiql.lexer import END
from localbus.dynamodb.partiql.literals import duplicate_name
from localbus.dynamodb.partiql.operands import OperandParser, check_condition
from localbus.dynamodb.partiql.statements import Delete, Exists, Insert, Select, Statement, Update

_CACHED = 512
_SETS = {"set_add": "ADD", "set_delete": "DELETE"}


class Parsed(NamedTuple):
    """A statement with the number of its parameters."""

    statement: Statement
    parameters: int


@lru_cache(_CACHED)
def parse(text: str) -> Parsed:
    """Parse a statement. Raises AwsError."""
    parser = _Parser(text)
    try:
        return Parsed(parser.statement(), parser.parameters)
    except ExpressionError as exc:
        raise invalid(str(exc)) from exc


class _Parser(OperandParser):
    def statement(self) -> Statement:
        tokens = self.tokens
        kind = tokens.expect("INSERT", "SELECT", "UPDATE", "DELETE", "EXISTS").upper()
        statement: Statement
        match kind:
            case "INSERT":
                statement = self._insert()
            case "SELECT":
                statement = self._select()
            case "UPDATE":
                statement = self._update()
            case "DELETE":
                tokens.expect("FROM")
                statement = Delete(self._written_table(), self._where(), self._returning("DELETE"))
            case _:
                statement = self._exists()
        tokens.accept(";")
        if tokens.kind != END:
            raise tokens.error()
        return statement

    def _insert(self) -> Insert:
        tokens = self.tokens
        tokens.expect("INTO")
        table, index = self._table()
        if index is not None:
            raise invalid("FROM clause may only contain a single table name in data manipulation statements")
        tokens.expect("VALUE")
        if not tokens.accept("{"):
            raise invalid(
                "Unsupported format in item expression. Please use struct format {...} to express item values for "
                "insert statement."
            )
        members: dict[str, AttributeValue | int] = {}
        while tokens.kind != "}":
            name = self.literals.name()
            if name in members:
                raise duplicate_name(name)
            if tokens.accept("?"):
                self.parameters += 1
                members[name] = self.parameters - 1
            else:
                members[name] = self.literals.value()
            if not tokens.accept(","):
                break
        tokens.expect("}")
        if tokens.kind == "RETURNING":
            raise invalid("RETURNING is not supported in INSERT")
        return Insert(table, tuple(members.items()))

    def _select(self) -> Select:
        tokens = self.tokens
        paths = None if tokens.accept("*") else tuple(self._paths())
        tokens.expect("FROM")
        table, index = self._table()
        if tokens.kind in {"AS", "name"}:
            raise invalid("Aliasing is not supported")
        where = self._where()
        order: list[tuple[str, bool]] = []
        if tokens.accept("ORDER", "BY"):
            order.append(self._order())
            while tokens.accept(","):
                order.append(self._order())
        if tokens.kind in {"GROUP", "HAVING", "LIMIT"}:
            raise invalid(f"Unsupported clause: {'GROUP BY' if tokens.kind == 'GROUP' else tokens.kind}")
        return Select(paths, table, index, where, tuple(order))

    def _paths(self) -> list[Path]:
        paths: list[Path] = []
        while not paths or self.tokens.accept(","):
            if self.tokens.kind != "name" and self.tokens.following() == "(":
                raise invalid("Unexpected path component")
            paths.append(self.path())
            if self.tokens.kind in {"AS", "name"}:
                raise invalid("Aliasing is not supported")
        return paths

    def _order(self) -> tuple[str, bool]:
        name = self.tokens.expect("name")
        descends = self.tokens.accept("DESC")
        if not descends:
            self.tokens.accept("ASC")
        return name, not descends

    def _update(self) -> Update:
        tokens = self.tokens
        table = self._written_table()
        actions: list[Action] = []
        while not actions or tokens.kind in {"SET", "REMOVE"}:
            if tokens.accept("REMOVE"):
                actions.append(Action("REMOVE", self.path(), None))
                continue
            tokens.expect("SET")
            actions.append(self._assignment())
            while tokens.accept(","):
                actions.append(self._assignment())
        return Update(table, tuple(actions), self._where(), self._returning("UPDATE"))

    def _assignment(self) -> Action:
        path = self.path()
        self.tokens.expect("=")
        value = self.operand()
        if isinstance(value, Call) and value.name in _SETS:
            if len(value.operands) != 2 or value.operands[0] != path:
                raise invalid(f"The first argument to {value.name.upper()} must be the attribute that is set: {path}")
            return Action(_SETS[value.name], path, value.operands[1])
        _check_update_value(value)
        check_words(value, "update", names=False)
        return Action("SET", path, value)

    def _exists(self) -> Exists:
        self.tokens.expect("(")
        self.tokens.expect("SELECT")
        select = self._select()
        self.tokens.expect(")")
        return Exists(select.table, select.where)

    # Clauses

    def _table(self) -> tuple[str, str | None]:
        table = self.tokens.expect("name")
        return table, self.tokens.expect("name") if self.tokens.accept(".") else None

    def _written_table(self) -> str:
        table, index = self._table()
        if index is not None:
            raise invalid("This operation is not supported on an index")
        return table

    def _where(self) -> Node | None:
        if not self.tokens.accept("WHERE"):
            return None
        node = self.condition()
        check_condition(node)
        check_words(node, "condition", names=False)
        return node

    def _returning(self, statement: str) -> str:
        tokens = self.tokens
        if not tokens.accept("RETURNING"):
            return "NONE"
        extent, state = tokens.expect("ALL", "MODIFIED").upper(), tokens.expect("OLD", "NEW").upper()
        if not tokens.accept("*"):
            raise invalid("Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause")
        if statement == "DELETE" and (extent, state) != ("ALL", "OLD"):
            raise invalid(
                f"Invalid returning clause: RETURNING {extent} {state} *. "
                "Only RETURNING ALL OLD * is allowed in DELETE statements."
            )
        return f"{'ALL' if extent == 'ALL' else 'UPDATED'}_{state}"


def _check_update_value(node: Node) -> None:
    """Raise AwsError for operators that have no value in an update."""
    if isinstance(node, Call):
        if node.name not in VALUES and node.name not in CONDITIONS and node.name not in {"+", "-"}:
            raise invalid(f"Unsupported operator in Update Expression. Operator: {node.name}")
        for operand in node.operands:
            _check_update_value(operand)
