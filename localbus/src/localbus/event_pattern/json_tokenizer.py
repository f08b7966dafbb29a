"""A JSON tokenizer with the offsets at which EventBridge reports errors.

EventBridge parses a pattern as a stream and reports the offset its parser has reached: the end of a number or literal,
just after the opening quote of a string whose text was not read, and the start of the value after a name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from localbus.errors import AwsError

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_WORD = re.compile(r"[A-Za-z0-9_$]*")
_CLOSING = {"{": "}", "[": "]"}
_LITERALS = {"true": True, "false": False, "null": None}
_SHOWN_CHARACTERS = 500
MAX_DEPTH = 200

Value = str | int | float | bool | None


def invalid_pattern(reason: str) -> AwsError:
    """Build the error for an invalid pattern."""
    return AwsError("InvalidEventPatternException", f"Event pattern is not valid. Reason: {reason}")


class Token(NamedTuple):
    """A token. `kind` is a bracket, "name", "string", "number", "literal" or "end"."""

    kind: str
    value: Value
    met: int  # the offset of the parser when it returns the token
    read: int  # its offset when it has read the token's text


class JsonTokens:
    """A token stream over one JSON text. `read_float` gives the value of a number with a fraction or an exponent."""

    def __init__(self, text: str, read_float: Callable[[str], float] = float) -> None:
        self._text = text
        self._read_float = read_float
        self._tokens = self._scan()
        self._reached = 0
        self._open: list[tuple[str, int]] = []  # the open brackets with their offsets

    def next(self) -> Token:
        """Return the next token."""
        token = next(self._tokens)
        self._reached = token.met
        return token

    def until(self, kind: str) -> Iterator[Token]:
        """Yield the tokens before the next one of this kind, which is consumed too."""
        while (token := self.next()).kind != kind:
            yield token

    def text_of(self, token: Token) -> str:
        """Return the text of a string token; the parser has then read it."""
        self._reached = token.read
        return str(token.value)

    def texts(self, values: Iterable[Token], reason: str, *, twice: bool = False) -> Iterator[str]:
        """Yield the texts of string tokens; raise an error with this reason for any other token."""
        for token in values:
            if token.kind != "string":
                raise self.error(reason, twice=twice)
            yield self.text_of(token)

    def source(self, start: int) -> str:
        """Return the text from an offset up to the last token."""
        return self._text[start : self._reached]

    def close(self, reason: str) -> None:
        """Consume the end of an object; raise an error with this reason for any other token."""
        if self.next().kind != "}":
            raise self.error(reason)

    def error(self, reason: str, *, twice: bool = False) -> AwsError:
        """Build the error at the current offset. EventBridge reports the place of some errors twice."""
        return invalid_pattern(reason + self._place(self._reached) * (1 + twice))

    def _place(self, offset: int) -> str:
        line = self._text.count("\n", 0, offset) + 1
        column = offset - self._text.rfind("\n", 0, offset)
        shown, hidden = self._text[:_SHOWN_CHARACTERS], len(self._text) - _SHOWN_CHARACTERS
        rest = f"[truncated {hidden} chars]" if hidden > 0 else ""
        return f'\n at [Source: (String)"{shown}"{rest}; line: {line}, column: {column}]'

    def _scan(self) -> Iterator[Token]:
        """Yield tokens. The stack of open brackets decides what is valid next: a name and its value, or a value."""
        at = 0
        first = True
        while True:
            at = self._skip_space(at)
            character = self._character(at)
            closing = _CLOSING[self._open[-1][0]] if self._open else ""
            if character == closing:
                self._open.pop()
                at += 1
                yield Token(character, None, at, at)
            else:
                if self._open and not first:
                    kind = "Object" if closing == "}" else "Array"
                    at = self._past(",", at, f"was expecting comma to separate {kind} entries")
                name = None
                if closing == "}":
                    name = self._string(at, "was expecting double-quote to start field name")
                    after = self._skip_space(name.read)
                    at = self._past(":", after, "was expecting a colon to separate field name and value")
                token = self._value(at)
                at = token.read
                if name is not None:
                    yield name._replace(kind="name", met=token.met)
                yield token
                if token.kind in "{[":
                    if len(self._open) >= MAX_DEPTH:
                        raise invalid_pattern("The pattern is nested too deeply")
                    self._open.append((token.kind, at - 1))
                    first = True
                    continue
            first = False
            if not self._open:
                yield Token("end", None, at, at)
                return

    def _past(self, wanted: str, at: int, expected: str) -> int:
        """Return the offset of the next token after this character; raise an error where it is missing."""
        if self._character(at) != wanted:
            raise self._unexpected(at, expected)
        return self._skip_space(at + 1)

    def _skip_space(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return found.end() if found else at

    def _character(self, at: int) -> str:
        """Return the character at an offset; raise an error at the end of the text."""
        if at < len(self._text):
            return self._text[at]
        if not self._open:
            raise invalid_pattern("Filter is not an object" + self._place(at))
        bracket, start = self._open[-1]
        marker = f"{'Object' if bracket == '{' else 'Array'} (start marker{self._place(start)[1:]})"
        raise invalid_pattern(f"Unexpected end-of-input: expected close marker for {marker}{self._place(at)}")

    def _value(self, at: int) -> Token:
        character = self._character(at)
        if character in "{[":
            return Token(character, None, at + 1, at + 1)
        if character == '"':
            return self._string(at, "")
        number = _NUMBER.match(self._text, at)
        if number:
            text = number[0]
            value = int(text) if text.lstrip("-").isdigit() and len(text) < 400 else self._read_float(text)
            return Token("number", value, number.end(), number.end())
        word = _WORD.match(self._text, at)
        if word and word[0] in _LITERALS:
            return Token("literal", _LITERALS[word[0]], word.end(), word.end())
        expected = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
        if word and word[0]:
            reason = f"Unrecognized token '{word[0]}': was expecting {expected}"
            raise invalid_pattern(reason + self._place(word.end()))
        raise self._unexpected(at, f"expected a valid value {expected}")

    def _string(self, at: int, expected: str) -> Token:
        if self._character(at) != '"':
            raise self._unexpected(at, expected)
        found = _STRING.match(self._text, at)
        if found is None:
            reason = "Unexpected end-of-input in VALUE_STRING, or a character that a string must escape"
            raise invalid_pattern(reason + self._place(at + 1))
        return Token("string", json.loads(found[0]), at + 1, found.end())

    def _unexpected(self, at: int, expected: str) -> AwsError:
        character = self._text[at]
        reason = f"Unexpected character ('{character}' (code {ord(character)})): {expected}"
        return invalid_pattern(reason + self._place(at))
