"""Python expressions, laid out as `ruff format` lays them out with its default settings."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 88
_INDENT: Final = "    "
_ESCAPES: Final = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True)
class Code:
    """An expression that stays on its line: a name, a number, a string."""

    text: str


@dataclass(frozen=True)
class Sentence:
    """A text that is split between words where it is too long for a line."""

    text: str


@dataclass(frozen=True)
class Bracketed:
    """A call, a list or a dictionary. Each item has what stands before it: `name=`, `"key": ` or nothing."""

    opening: str
    items: Sequence[tuple[str, Expression]]
    closing: str

    @property
    def is_call(self) -> bool:
        """The arguments of a call may share a line between its brackets, items of a list or dictionary may not."""
        return self.closing == ")"


Expression = Code | Sentence | Bracketed


def call(function: str, /, *arguments: Expression, **named: Expression) -> Bracketed:
    """A call."""
    items = [("", each) for each in arguments] + [(f"{name}=", each) for name, each in named.items()]
    return Bracketed(f"{function}(", items, ")")


def quoted(text: str) -> str:
    """A string, in the quotes that need fewer escapes."""
    return _quoted(text, {})


def formatted(parts: Sequence[str | Code]) -> str:
    """A string of texts and of expressions; an f-string if there is an expression."""
    if all(isinstance(each, str) for each in parts):
        return quoted("".join(map(str, parts)))
    braces = {"{": "{{", "}": "}}"}
    quote = _quote("".join(each for each in parts if isinstance(each, str)))
    inner = [_escaped(each, quote, braces) if isinstance(each, str) else f"{{{each.text}}}" for each in parts]
    return f"f{quote}{''.join(inner)}{quote}"


def flat(expression: Expression) -> str:
    """An expression on one line."""
    match expression:
        case Code(text):
            return text
        case Sentence(text):
            return quoted(text)
        case Bracketed(opening, items, closing):
            return f"{opening}{_joined(items)}{closing}"


def lines(expression: Expression, depth: int, before: str = "", after: str = "") -> list[str]:
    """An expression at a depth of indentation, with what stands before and after it, on as many lines as it needs."""
    indent = _INDENT * depth
    line = f"{indent}{before}{flat(expression)}{after}"
    if len(line) <= WIDTH or isinstance(expression, Code):
        return [line]
    if isinstance(expression, Sentence):
        return _split(expression.text, indent, before, after)
    opening, closing = f"{indent}{before}{expression.opening}", f"{indent}{expression.closing}{after}"
    inside = f"{indent}{_INDENT}{_joined(expression.items)}"
    if expression.is_call and len(inside) <= WIDTH:
        return [opening, inside, closing]
    comma = "," if len(expression.items) > 1 else ""
    body: list[str] = []
    for name, each in expression.items:
        body += lines(each, depth + 1, name, comma)
    return [opening, *body, closing]


def _joined(items: Sequence[tuple[str, Expression]]) -> str:
    return ", ".join(f"{before}{flat(each)}" for before, each in items)


def _split(text: str, indent: str, before: str, after: str) -> list[str]:
    width = WIDTH - len(indent) - len('" "') - len(after)
    parts = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    if " ".join(parts) != text:  # other white space would be lost
        return [f"{indent}{before}{quoted(text)}{after}"]
    strings = [quoted(f"{each} ") for each in parts[:-1]] + [quoted(parts[-1])]
    strings[0], strings[-1] = f"{before}{strings[0]}", f"{strings[-1]}{after}"
    return [f"{indent}{each}" for each in strings]


def _quote(text: str) -> str:
    return "'" if text.count('"') > text.count("'") else '"'


def _quoted(text: str, escapes: dict[str, str]) -> str:
    quote = _quote(text)
    return f"{quote}{_escaped(text, quote, escapes)}{quote}"


def _escaped(text: str, quote: str, escapes: dict[str, str]) -> str:
    table = {**_ESCAPES, **escapes, quote: f"\\{quote}"}
    return "".join(table.get(each) or (each if each.isprintable() else ascii(each)[1:-1]) for each in text)
