"""Values of an experiment as words of a shell script, and as documents that stand before the command."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from botocore import xform_name

from orderboard.errors import UsageError
from orderboard.lab.programs.names import Names, snake
from orderboard.lab.programs.shell_text import Output, Part, Text, heredoc, is_constant, word
from orderboard.lab.programs.shell_text import Variable as ShellVariable
from orderboard.lab.steps import Call
from orderboard.lab.values import VALUE_TYPES, Joined, Json, LongText, Name, Variable, Zip, values_in

# Options that the AWS CLI calls otherwise than the API does.
_RENAMED: Final = {("sns", "subscribe", "Endpoint"): "notification-endpoint"}
# Options whose addresses version 1 of the CLI takes as they are.
_NEVER_FETCHED: Final = ("--queue-url", "--notification-endpoint")
# What the shorthand syntax of the CLI takes as it stands.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/+@ -]+")
_LONGEST_INSIDE: Final = 64
# Longer arguments of a command go by a file: Linux allows 128 KiB for one.
_LONGEST_ARGUMENT: Final = 60_000
_DOCUMENT_WIDTH: Final = 80


@dataclass
class Values:
    """Turns values into words.

    safe: the variables that need no escapes inside a string of JSON. addresses: those of HTTP endpoints. before: lines
    that must stand before the command: documents, files.
    """

    names: Names
    safe: frozenset[str]
    addresses: frozenset[Variable]
    helpers: set[str] = field(default_factory=set)
    before: list[str] = field(default_factory=list)
    _named_here: set[str] = field(default_factory=set)

    def options(self, call: Call) -> list[str]:
        """The options of a call, each with its value."""
        self._named_here.clear()
        words: list[str] = []
        for name, value in call.parameters.items():
            option = f"--{_RENAMED.get((call.service, call.operation, name)) or xform_name(name, '-')}"
            about = call.parameters.get("AttributeName", name) if name == "AttributeValue" else name
            words += self._option(option, about, value)
        return words

    def expected(self, value: Any) -> list[str]:
        """The words of what a check expects."""
        return [word([str(each)]) for each in (value if isinstance(value, list) else [value])]

    def _option(self, option: str, name: str, value: Any) -> list[str]:
        match value:
            case bool():
                words = [option if value else option.replace("--", "--no-", 1)]
            case {"ZipFile": Zip(code)} if len(value) == 1:
                words = ["--zip-file", self._zip(code)]
            case Json(document):
                words = [option, self.argument(name, document)]
            case Mapping():
                words = [option, self._shorthand(value) or self.argument(name, value)]
            case list() | tuple() if any(isinstance(each, Mapping) for each in value):
                short = [self._shorthand(each) for each in value]
                words = [option, *(short if all(short) else [self.argument(name, value)])]
            case list() | tuple():
                words = [option, *(word(self._text(each)) for each in value)]
            case _ if _length(value) > _LONGEST_ARGUMENT:
                words = [option, self._by_file(f"{snake(name)}.txt", word(self._text(value)))]
            case _:
                text = word(self._text(value))
                if option not in _NEVER_FETCHED and self._is_address(value):
                    text = self._by_file(f"{snake(name)}.txt", text)
                words = [f"{option}={text}"] if text.startswith("-") else [option, text]
        return words

    def _is_address(self, value: Any) -> bool:
        """Return whether version 1 of the CLI would read the page at this address, and take that for the value."""
        return (
            value in self.addresses if isinstance(value, Variable) else str(value).startswith(("http://", "https://"))
        )

    def _shorthand(self, value: Mapping[str, Any]) -> str:
        """A flat document in the CLI's short form, Id=1,MessageBody=mocha; empty if it is not that simple."""
        text: list[Part] = []
        for key, each in value.items():
            match each:
                case bool() | int():
                    part: list[Part] = [str(each).lower()]
                case str() if _PLAIN.fullmatch(each):
                    part = [each]
                case Name():
                    part = self._text(each)
                case Variable(name) if name in self.safe:
                    part = self._text(each)
                case _:
                    return ""
            text += [*([","] if text else []), f"{key}=", *part]
        return word(text)

    def argument(self, name: str, document: Any) -> str:
        """A document as an argument: inside the command if it is short, else in lines before it."""
        if _length(document) > _LONGEST_ARGUMENT:
            return self._by_file(f"{snake(name)}.json", None, self._json(document))
        if _is_constant(document):
            text = json.dumps(document, ensure_ascii=False, default=str)
            if len(text) <= _LONGEST_INSIDE:
                return word([text])
        return word([ShellVariable(self._named(name, document))])

    def _named(self, name: str, document: Any) -> str:
        """A variable with a document as JSON."""
        plain = self.names.document(snake(name))
        variable, number = plain, 1
        while variable in self._named_here:
            number += 1
            variable = f"{plain}_{number}"
        self._named_here.add(variable)
        text = self._json(document)
        if is_constant(text) and "\n" not in "".join(map(str, text)):
            self.before.append(f"{variable}={word(text)}")
        else:
            delimiter, lines = heredoc(text)
            self.before += [f"read -r -d '' {variable} <<{delimiter} || true", *lines.split("\n"), "JSON"]
        return variable

    def _by_file(self, file: str, text: str | None, document: Text = ()) -> str:
        path = f"$SCRATCH/{file}"
        if text is not None:
            self.before.append(f'printf %s {text} >"{path}"')
        else:
            delimiter, lines = heredoc(document)
            self.before += [f'cat >"{path}" <<{delimiter}', *lines.split("\n"), "JSON"]
        return f'"file://{path}"'

    def _zip(self, code: str) -> str:
        self.before += ["cat >\"$SCRATCH/index.py\" <<'PYTHON'", *code.strip("\n").split("\n"), "PYTHON"]
        self.before.append('rm -f "$SCRATCH/index.zip"')
        self.before.append('python3 -m zipfile -c "$SCRATCH/index.zip" "$SCRATCH/index.py"')
        return '"fileb://$SCRATCH/index.zip"'

    def _json(self, value: Any, width: int = _DOCUMENT_WIDTH, depth: int = 0) -> list[Part]:
        """A value as JSON, on one line if it fits."""
        match value:
            case Mapping():
                items = [
                    [*self._key(key), ": ", *self._json_of(str(key), each, width, depth + 1)]
                    for key, each in value.items()
                ]
                return _bracketed("{", items, "}", width, depth)
            case list() | tuple():
                items = [self._json_of("document", each, width, depth + 1) for each in value]
                return _bracketed("[", items, "]", width, depth)
            case _:
                return self._json_of("document", value, width, depth)

    def _key(self, key: Any) -> list[Part]:
        return ['"', *(_escaped(each) if isinstance(each, str) else each for each in self._text(key)), '"']

    def _json_of(self, key: str, value: Any, width: int, depth: int) -> list[Part]:
        match value:
            case Mapping() | list() | tuple():
                return self._json(value, width, depth)
            case Json(document):
                return [self._json_text(self._named(key, document))]
            case Variable() | Joined() if not self._is_safe(value):
                text = word(self._text(value))
                self.before.append(f"{snake(key)}={text}")
                return [self._json_text(snake(key))]
            case Variable() | Name() | LongText() | Joined() | str():
                inner = [_escaped(each) if isinstance(each, str) else each for each in self._text(value)]
                return ['"', *inner, '"']
            case bytes() | Zip():
                return list(self._text(value))
            case _:
                return [json.dumps(value)]

    def _is_safe(self, value: Any) -> bool:
        """Return whether a value needs no escapes inside a string of JSON."""
        parts = list(values_in(value))
        return not any(
            isinstance(each, Json) or (isinstance(each, Variable) and each.name not in self.safe) for each in parts
        )

    def _json_text(self, variable: str) -> Output:
        self.helpers.add("json_text")
        return Output(f'json_text "${variable}"')

    def _text(self, value: Any) -> list[Part]:
        """A value as a text."""
        text: list[Part]
        match value:
            case Variable():
                text = [ShellVariable(self.names.of(value))]
            case Name(name):
                text = [ShellVariable("RUN"), f"-{name}"]
            case Joined(parts):
                text = [part for each in parts for part in self._text(each)]
            case LongText(character, length):
                self.helpers.add("long_text")
                text = [Output(f"long_text {word([character])} {length}")]
            case Json(document):
                text = [ShellVariable(self._named("document", document))]
            case bytes() | Zip():
                raise UsageError("A shell script cannot have binary values. The Python program can: --boto3")
            case bool():
                text = [str(value).lower()]
            case _:
                text = [str(value)]
        return text


def _bracketed(opening: str, items: list[list[Part]], closing: str, width: int, depth: int) -> list[Part]:
    line = [opening, *(part for n, each in enumerate(items) for part in ([", "] if n else []) + each), closing]
    if depth * 2 + sum(map(_width, line)) <= width and not any("\n" in each for each in line if isinstance(each, str)):
        return line
    lines: list[Part] = [opening]
    for number, each in enumerate(items):
        lines += [f"\n{'  ' * (depth + 1)}", *each, "," if number < len(items) - 1 else ""]
    return [*lines, f"\n{'  ' * depth}", closing]


def _width(part: Part) -> int:
    return (
        len(part)
        if isinstance(part, str)
        else len(str(part.name if isinstance(part, ShellVariable) else part.command)) + 1
    )


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _is_constant(value: Any) -> bool:
    return not any(isinstance(each, VALUE_TYPES) for each in values_in(value))


def _length(value: Any) -> int:
    """The least length of a value as text."""
    return sum(each.length if isinstance(each, LongText) else len(str(each)) for each in values_in(value))
