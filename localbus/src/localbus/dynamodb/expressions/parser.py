"""The grammar of expressions. Parsed expressions are kept by their text.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from localbus.dynamodb.expressions.lexer import END
from localbus.dynamodb.expressions.operand_parser import OperandParser
from localbus.dynamodb.expressions.syntax import (
    COMPARATORS,
    LOGICAL,
    Call,
    ExpressionError,
    Node,
    Path,
    Reference,
    is_operand,
)
from localbus.dynamodb.expressions.words import check_words, count_operators

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
MAX_OPERATORS = 300
_CACHED = 2048


class Action(NamedTuple):
    """One action of an update expression; REMOVE has no value."""

    section: str
    path: Path
    value: Node | None


@lru_cache(_CACHED)
def parse_condition(text: str) -> Node:
    """Parse a condition, filter or key condition. Raises ExpressionError."""
    parser = _Parser(text)
    node = parser.condition()
    parser.close()
    operators = count_operators(node)
    if operators > MAX_OPERATORS:
        raise ExpressionError(
            f"The expression contains too many operators; operator count: {min(operators, MAX_OPERATORS + 1)}"
        )
    check_words(node, "condition")
    return node


@lru_cache(_CACHED)
def parse_update(text: str) -> tuple[Action, ...]:
    """Parse an update expression. Raises ExpressionError."""
    parser = _Parser(text)
    sections = parser.update()
    parser.close()
    for _, actions in sections:
        for action in actions:
            check_words(action.path, "update")
            if action.value is not None:
                check_words(action.value, "update")
    names = [name for name, _ in sections]
    for name in names:
        if names.count(name) > 1:
            raise ExpressionError(f'The "{name}" section can only be used once in an update expression;')
    return tuple(action for _, actions in sections for action in actions)


@lru_cache(_CACHED)
def parse_projection(text: str) -> tuple[Path, ...]:
    """Parse a projection expression. Raises ExpressionError."""
    parser = _Parser(text)
    paths = [parser.path()]
    while parser.tokens.accept(","):
        paths.append(parser.path())
    parser.close()
    for path in paths:
        check_words(path, "projection")
    return tuple(paths)


class _Parser(OperandParser):
    # Conditions: a stack instead of recursion, since an expression of 4 KB can have a thousand levels

    def condition(self) -> Node:
        """Parse a condition up to a token that cannot continue it."""
        tokens, done = self.tokens, list[Node]()
        waiting: list[tuple[str, int]] = []  # AND, OR, NOT and "(", with the number of their token
        while True:
            while tokens.kind in ("NOT", "("):
                waiting.append((tokens.kind, tokens.at))
                tokens.at += 1
            done.append(self._comparison(self.operand()))
            while True:
                if tokens.kind in ("AND", "OR"):
                    break
                self._reduce(done, waiting, "OR")
                if tokens.kind != ")" or not waiting:
                    return self._complete(done, waiting)
                self.close_group(waiting.pop()[1])
                if is_operand(done[-1]):
                    done.append(self._comparison(done.pop()))
            self._reduce(done, waiting, tokens.kind)
            self._require_condition(done[-1])
            waiting.append((tokens.kind, tokens.at))
            tokens.at += 1

    def _complete(self, done: list[Node], waiting: list[tuple[str, int]]) -> Node:
        self._require_condition(done[-1])
        if waiting:
            raise self.tokens.error()
        return done[-1]

    def _reduce(self, done: list[Node], waiting: list[tuple[str, int]], until: str) -> None:
        """Apply the waiting operators that bind as tightly as `until`."""
        while waiting and waiting[-1][0] != "(" and LOGICAL.index(waiting[-1][0]) in _TIGHTER[until]:
            self._require_condition(done[-1])
            name, _ = waiting.pop()
            right = done.pop()
            if name == "NOT":
                done.append(Call("NOT", (right,)))
                continue
            left = done.pop()
            chain = left.operands if isinstance(left, Call) and left.name == name else (left,)
            done.append(Call(name, (*chain, right)))

    def _require_condition(self, node: Node) -> None:
        if not isinstance(node, Call):
            raise self.tokens.error()

    def _comparison(self, first: Node) -> Node:
        """Parse what may follow a first operand."""
        tokens = self.tokens
        if tokens.kind in COMPARATORS:
            return Call(tokens.expect(*COMPARATORS), (first, self.operand()))
        if tokens.accept("BETWEEN"):
            low = self.operand()
            tokens.expect("AND")
            return Call("BETWEEN", (first, low, self.operand()))
        if tokens.accept("IN"):
            return Call("IN", (first, *self.operands()))
        return first

    # Updates

    def update(self) -> list[tuple[str, list[Action]]]:
        """Parse the sections of an update expression."""
        sections: list[tuple[str, list[Action]]] = []
        while not sections or self.tokens.kind != END:
            section = self.tokens.expect("SET", "REMOVE", "ADD", "DELETE").upper()
            actions = [self._action(section)]
            while self.tokens.accept(","):
                actions.append(self._action(section))
            sections.append((section, actions))
        return sections

    def _action(self, section: str) -> Action:
        path = self.path()
        if section == "REMOVE":
            return Action(section, path, None)
        if section != "SET":
            return Action(section, path, Reference(self.tokens.expect("colon")))
        self.tokens.expect("=")
        return Action(section, path, self._sum())

    def _sum(self) -> Node:
        tokens = self.tokens
        if tokens.kind == "(":
            start = self.open_group()
            left = self._sum()
            self.close_group(start)
            self.nesting -= 1
        else:
            left = self.operand()
        if tokens.kind in ("+", "-") and not (isinstance(left, Call) and left.name in ("+", "-")):
            return Call(tokens.expect("+", "-"), (left, self.operand()))
        return left


_TIGHTER = {"AND": (0, 2), "OR": (0, 1, 2)}
"""For AND and OR, the numbers of the operators (AND, OR, NOT) that are applied before it."""
