"""Words and documents of a shell script: what is quoted, and how, and where a value is put in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 96
_NAME_WORDS: Final = 3  # aws sqs send-message
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


def command(words: Sequence[str], before: str = "", after: str = "") -> list[str]:
    """A command on as many lines as it needs. An option stays beside its first value, and a command beside its name."""
    lines, line = [], f"{before}{words[0]}"
    for number, each in enumerate(words[1:], 1):
        following = words[number + 1] if each.startswith("--") and number + 1 < len(words) else ""
        needed = len(line) + len(f" {each} {following}" if following and not following.startswith("--") else f" {each}")
        room = WIDTH - len(after if number >= len(words) - 2 else " \\")
        stays = number < _NAME_WORDS or (words[number - 1].startswith("--") and not each.startswith("--"))
        if stays or needed <= room:
            line += f" {each}"
        else:
            lines.append(f"{line} \\")
            line = f"  {each}"
    return [*lines, f"{line}{after}"]


def wrapped(path: str) -> str:
    """A JMESPath expression; a long one is broken where white space has no meaning."""
    if len(path) <= WIDTH // 2:
        return path
    pieces = re.split(r"(?<=,) (?=(?:[^'\"`]|'[^']*'|\"[^\"]*\"|`[^`]*`)*$)", path)
    lines = [pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + len(piece) < WIDTH - 20:
            lines[-1] += f" {piece}"
        else:
            lines.append(f"    {piece}")
    return "\n".join(lines)


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
