"""The operands of expressions: document paths, values, functions and parentheses."""

from __future__ import annotations

from localbus.dynamodb.expressions.lexer import END, Tokens
from localbus.dynamodb.expressions.syntax import Call, ExpressionError, Node, Path, Reference

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
MAX_BYTES = 4096
_MAX_NESTING = 100


class OperandParser:
    """A parser of one text, with what all expressions have."""

    def __init__(self, text: str) -> None:
        if not text:
            raise ExpressionError("The expression can not be empty;")
        if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            raise ExpressionError("Expression size has exceeded the maximum allowed size;")
        self.tokens = Tokens(text)
        self._group = (0, 0)  # the first and the last token of the parentheses that were closed last
        self.nesting = 0

    def close(self) -> None:
        """Check that nothing follows."""
        if self.tokens.kind != END:
            raise self.tokens.error()

    def open_group(self) -> int:
        """Consume an opening parenthesis and return its place."""
        self.nesting += 1
        if self.nesting > _MAX_NESTING:
            raise ExpressionError("The expression has redundant parentheses;")
        self.tokens.expect("(")
        return self.tokens.at - 1

    def close_group(self, start: int) -> None:
        """Consume the closing parenthesis of a group that was opened at a place. It must not only hold another."""
        self.tokens.expect(")")
        end = self.tokens.at - 1
        if self._group == (start + 1, end - 1):
            raise ExpressionError("The expression has redundant parentheses;")
        self._group = (start, end)

    def operand(self) -> Node:
        """Parse a path, a value, a function or one of these in parentheses."""
        tokens = self.tokens
        if tokens.kind == "(":
            start = self.open_group()
            node = self.operand()
            self.close_group(start)
            self.nesting -= 1
            return node
        if tokens.kind == "colon":
            return Reference(tokens.expect("colon"))
        if tokens.kind == "name" and tokens.following() == "(":
            return Call(tokens.expect("name"), self.operands())
        return self.path()

    def operands(self) -> tuple[Node, ...]:
        """Parse operands in parentheses."""
        self.nesting += 1
        if self.nesting > _MAX_NESTING:
            raise ExpressionError("The expression contains too many operators; operator count: 301")
        self.tokens.expect("(")
        operands = [self.operand()]
        while self.tokens.accept(","):
            operands.append(self.operand())
        self.tokens.expect(")")
        self.nesting -= 1
        return tuple(operands)

    def path(self) -> Path:
        """Parse a document path."""
        tokens = self.tokens
        steps: list[str | int] = [tokens.expect("name", "hash")]
        while True:
            if tokens.accept("."):
                steps.append(tokens.expect("name", "hash"))
            elif tokens.accept("["):
                steps.append(int(tokens.expect("number")))
                tokens.expect("]")
            else:
                return Path(tuple(steps))
