"""The tokens of an expression, and the syntax errors that quote them."""

from __future__ import annotations

import re
from typing import NamedTuple

from localbus.dynamodb.expressions.syntax import ExpressionError

_KEYWORDS = frozenset(("AND", "OR", "NOT", "IN", "BETWEEN", "SET", "REMOVE", "ADD", "DELETE"))
_TOKEN = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z0-9_]*)|(?P<hash>#[A-Za-z0-9_]+)|(?P<colon>:[A-Za-z0-9_]+)"
    r"|(?P<number>0|[1-9][0-9]*)|(?P<symbol><>|<=|>=|.)",
    re.DOTALL,
)
_SPACE = re.compile(r"[ \t\r\n]*")
END = "<EOF>"


class Token(NamedTuple):
    """A token. Its kind is name, hash, colon, number, a keyword in capitals, a symbol, or END."""

    kind: str
    text: str
    start: int
    end: int


class Tokens:
    """A reader of one expression's tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokenize(text)
        self.at = 0

    @property
    def kind(self) -> str:
        """The kind of the next token."""
        return self._tokens[self.at].kind

    def following(self) -> str:
        """Return the kind of the token after the next one."""
        return self._tokens[min(self.at + 1, len(self._tokens) - 1)].kind

    def accept(self, kind: str) -> bool:
        """Consume the next token if it is of this kind."""
        if self._tokens[self.at].kind != kind:
            return False
        self.at += 1
        return True

    def expect(self, *kinds: str) -> str:
        """Consume the next token, which must be of one of these kinds, and return its text."""
        token = self._tokens[self.at]
        if token.kind not in kinds:
            raise self.error()
        self.at += 1
        return token.text

    def error(self) -> ExpressionError:
        """Return the error for the next token. AWS quotes it with the tokens before and after it."""
        token = self._tokens[self.at]
        start = self._tokens[self.at - 1].start if self.at else 0
        end = self._tokens[min(self.at + 1, len(self._tokens) - 1)].end
        return ExpressionError(f'Syntax error; token: "{token.text}", near: "{self._text[start:end]}"')


def _tokenize(text: str) -> list[Token]:
    tokens: list[Token] = []
    at = _end_of_space(text, 0)
    while found := _TOKEN.match(text, at):
        kind, word = str(found.lastgroup), found.group()
        if kind == "symbol":
            kind = word
        elif kind == "name" and word.upper() in _KEYWORDS:
            kind = word.upper()
        tokens.append(Token(kind, word, at, found.end()))
        at = _end_of_space(text, found.end())
    tokens.append(Token(END, END, len(text), len(text)))
    return tokens


def _end_of_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
