"""The operands and conditions of statements: the same nodes as those of expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from localbus.dynamodb.errors import invalid
from localbus.dynamodb.expressions.syntax import (
    COMPARATORS,
    CONDITIONS,
    LOGICAL,
    VALUES,
    Call,
    Literal,
    Node,
    Path,
    Reference,
)
from localbus.dynamodb.partiql.lexer import KEYWORDS, Tokens
from localbus.dynamodb.partiql.literals import Literals

_MAX_NESTING = 50
_COMPARATORS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_FLIPPED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SET_FUNCTIONS = ("set_add", "set_delete")


class OperandParser:
    """A parser of a statement's operands and conditions. `parameters` counts those of the statement."""

    def __init__(self, text: str) -> None:
        self.tokens = Tokens(text)
        self.literals = Literals(self.tokens)
        self.parameters = 0
        self._nesting = 0

    def condition(self) -> Node:
        """Parse a condition, or an operand alone."""
        return self._chain("OR", lambda: self._chain("AND", self._negation))

    def _chain(self, word: str, parse: Callable[[], Node]) -> Node:
        parts: list[Node] = [parse()]
        while self.tokens.accept(word):
            parts.append(parse())
        return parts[0] if len(parts) == 1 else Call(word, tuple(parts))

    def _negation(self) -> Node:
        negated = False
        while self.tokens.accept("NOT"):
            negated = not negated
        node = self._comparison(self.operand())
        return Call("NOT", (node,)) if negated else node

    def _comparison(self, left: Node) -> Node:
        tokens = self.tokens
        if tokens.kind in _COMPARATORS:
            operator, right = _COMPARATORS[tokens.expect(*_COMPARATORS)], self.operand()
            if isinstance(right, Path) and not isinstance(left, Path):
                return Call(_FLIPPED[operator], (right, left))
            return Call(operator, (left, right))
        if tokens.accept("IS"):
            negated = tokens.accept("NOT")
            state = self._state(left, tokens.expect("MISSING", "NULL").upper())
            return Call("NOT", (state,)) if negated else state
        if tokens.kind == "LIKE":
            raise invalid("Unsupported operator in Condition Expression. Operator: like")
        negated = tokens.accept("NOT")
        if tokens.accept("BETWEEN"):
            low = self.operand()
            tokens.expect("AND")
            node: Node = Call("BETWEEN", (left, low, self.operand()))
        elif tokens.accept("IN"):
            node = Call("IN", (left, *self._choices(left)))
        elif negated:
            raise tokens.error()
        else:
            return left
        return Call("NOT", (node,)) if negated else node

    def _state(self, node: Node, state: str) -> Node:
        if state == "MISSING":
            return Call("attribute_not_exists", (node,))
        return Call("attribute_type", (node, Literal({"S": "NULL"})))

    def _choices(self, left: Node) -> list[Node]:
        tokens = self.tokens
        close = {"(": ")", "[": "]"}.get(tokens.kind)
        if close is None or not isinstance(left, Path | Call):
            raise invalid(
                "IN operator must have a left hand argument of type Variable Reference and right hand argument of "
                "type Seq with at least one member"
            )
        tokens.expect("(", "[")
        choices = [self.operand()]
        while tokens.accept(","):
            choices.append(self.operand())
        tokens.expect(close)
        return choices

    # Operands

    def operand(self) -> Node:
        """Parse a sum, or a single operand. A condition in parentheses is one."""
        node, operators = self._term(), 0
        while self.tokens.kind in {"+", "-", "||"}:
            operators += 1
            if operators > _MAX_NESTING:
                raise self.tokens.error()
            node = Call(self.tokens.expect("+", "-", "||"), (node, self._term()))
        return node

    def _term(self) -> Node:
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise self.tokens.error()
        node = self._single()
        self._nesting -= 1
        return node

    def _single(self) -> Node:
        tokens = self.tokens
        if tokens.accept("?"):
            return self.parameter()
        if tokens.accept("("):
            node = self.condition()
            tokens.expect(")")
            return node
        if tokens.kind == "MISSING":
            raise invalid("MISSING must be compared using IS operator")
        if tokens.following() == "(" and (tokens.kind == "name" or tokens.kind in KEYWORDS):
            return self._function()
        if tokens.kind == "name":
            return self.path()
        return Literal(self.literals.value())

    def parameter(self) -> Reference:
        """Return the next parameter."""
        self.parameters += 1
        return Reference(f"?{self.parameters - 1}")

    def _function(self) -> Call:
        name = self.tokens.expect("name", *KEYWORDS).lower()
        if name not in CONDITIONS and name not in VALUES and name not in _SET_FUNCTIONS:
            raise invalid(f"Unrecognized function: {name}")
        self.tokens.expect("(")
        operands = [self.operand()]
        while self.tokens.accept(","):
            operands.append(self.operand())
        self.tokens.expect(")")
        return Call(name, tuple(operands))

    def path(self) -> Path:
        """Parse a document path."""
        tokens = self.tokens
        steps: list[str | int] = [tokens.expect("name")]
        while True:
            if tokens.accept("."):
                steps.append(tokens.expect("name"))
            elif tokens.accept("["):
                text = tokens.kind == "string"
                step = tokens.expect("number", "string")
                steps.append(step if text else int(step) if step.isdecimal() else self._fail())
                tokens.expect("]")
            else:
                return Path(tuple(steps))

    def _fail(self) -> int:
        raise self.tokens.error()


def check_condition(node: Node) -> None:
    """Raise AwsError unless a node is a condition whose parts fit together."""
    if not isinstance(node, Call) or node.name in VALUES:
        raise invalid("WHERE clause must contain an expression that resolves to a boolean")
    if node.name in LOGICAL:
        for operand in node.operands:
            check_condition(operand)
    else:
        _check_operator(node, (*COMPARATORS, "BETWEEN", "IN"))


def _check_operator(node: Node, operators: Sequence[str] = ()) -> None:
    """Raise AwsError for operators that have no place in a comparison. `operators` are allowed for the node itself."""
    if isinstance(node, Call):
        if node.name not in operators and node.name not in VALUES and node.name not in CONDITIONS:
            raise invalid(f"Unsupported operator in Condition Expression. Operator: {node.name}")
        for operand in node.operands:
            _check_operator(operand)
