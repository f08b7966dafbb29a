"""Words and documents of a shell script: what is quoted, and how, and where a value is put in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 96
_BARE: Final = re.compile(r"[A-Za-z0-9_./:=,@%+-]+")
_IN_NAME: Final = re.compile(r"[A-Za-z0-9_]")


@dataclass(frozen=True)
class Variable:
    """The value of a variable of the shell."""

    name: str


@dataclass(frozen=True)
class Output:
    """The output of a command."""

    command: str


Part = str | Variable | Output
Text = Sequence[Part]


def word(text: Text) -> str:
    """A text as one word of a command."""
    if all(isinstance(each, str) for each in text):
        return _literal("".join(map(str, text)))
    return f'"{_inside(text, _in_double_quotes)}"'


def heredoc(text: Text) -> tuple[str, str]:
    """The delimiter and the lines of a document that stands in the script as it is."""
    if all(isinstance(each, str) for each in text):
        return "'JSON'", "".join(map(str, text))
    return "JSON", _inside(text, _in_heredoc)


def is_constant(text: Text) -> bool:
    """Return whether a text has no value that is known only when the script runs."""
    return all(isinstance(each, str) for each in text)


def json_string(text: Text) -> list[Part]:
    """A text as a string of JSON; its values are such that need no escapes."""
    inner = [json.dumps(each, ensure_ascii=False)[1:-1] if isinstance(each, str) else each for each in text]
    return ['"', *inner, '"']


def command(words: Iterable[str], before: str = "", after: str = "") -> list[str]:
    """A command on as many lines as it needs; options keep their values beside them."""
    groups: list[str] = []
    for each in words:
        if groups and not each.startswith("--") and groups[-1].startswith("--"):
            groups[-1] += f" {each}"
        else:
            groups.append(each)
    lines, line = [], before
    for number, each in enumerate(groups):
        separator = "" if line in {before, "  "} else " "
        room = WIDTH - (len(after) if number == len(groups) - 1 else len(" \\"))
        if separator and number > 1 and len(line) + len(separator) + len(each) > room:
            lines.append(f"{line} \\")
            line, separator = "  ", ""
        line += f"{separator}{each}"
    return [*lines, f"{line}{after}"]


def _literal(text: str) -> str:
    if _BARE.fullmatch(text):
        return text
    if "'" not in text:
        return f"'{text}'"
    return f'"{_in_double_quotes(text)}"'


def _inside(text: Text, escaped: object) -> str:
    done = ""
    for number, each in enumerate(text):
        match each:
            case str():
                done += _in_double_quotes(each) if escaped is _in_double_quotes else _in_heredoc(each)
            case Output(inner):
                done += f"$({inner})"
            case Variable(name):
                following = text[number + 1] if number + 1 < len(text) else ""
                joined = isinstance(following, str) and _IN_NAME.match(following)
                done += f"${{{name}}}" if joined else f"${name}"
    return done


def _in_double_quotes(text: str) -> str:
    return re.sub(r'([\\"$`])', r"\\\1", text)


def _in_heredoc(text: str) -> str:
    return re.sub(r"([\\$`])", r"\\\1", text)
