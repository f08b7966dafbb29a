"""Values in the parameters of a call: constants, and what is known only when the experiment runs."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Variable:
    """A value that a step keeps, under a name that the programs use too: `orders_url`.

    is_list: a list of texts or numbers; else one text or number.
    """

    name: str
    is_list: bool = False


@dataclass(frozen=True)
class Name:
    """A name that no other run uses: `orders` becomes lab-1f3a9c2e-orders."""

    text: str


@dataclass(frozen=True)
class Json:
    """A document as JSON text, such as a policy; it may hold other values."""

    document: Any


@dataclass(frozen=True)
class Joined:
    """Several values as one text."""

    parts: tuple[Any, ...]


@dataclass(frozen=True)
class LongText:
    """A text of `length` times one character."""

    character: str
    length: int


@dataclass(frozen=True)
class Zip:
    """A zip archive of a function with one file, index.py."""

    code: str


Value = Variable | Name | Json | Joined | LongText | Zip | str | int | float | bool | bytes | None
VALUE_TYPES = (Variable, Name, Json, Joined, LongText, Zip)


def values_in(given: Any) -> Iterator[Any]:
    """Return every value in parameters, also those inside other values."""
    match given:
        case Mapping():
            for key, each in given.items():
                yield from values_in(key)
                yield from values_in(each)
        case str() | bytes():
            yield given
        case Sequence():
            for each in given:
                yield from values_in(each)
        case Json(document):
            yield given
            yield from values_in(document)
        case Joined(parts):
            yield given
            yield from values_in(parts)
        case _:
            yield given


def resolve(given: Any, names: Mapping[str, Any], run: str) -> Any:
    """Return parameters with every value replaced by what it is in this run.

    `names` has the value of each variable, `run` is the prefix of all names.
    """
    match given:
        case Mapping():
            return {resolve(key, names, run): resolve(each, names, run) for key, each in given.items()}
        case list() | tuple():
            return [resolve(each, names, run) for each in given]
        case Variable(name):
            resolved = names[name]
        case Name(text):
            resolved = f"{run}-{text}"
        case Json(document):
            resolved = json.dumps(resolve(document, names, run))
        case Joined(parts):
            resolved = "".join(str(resolve(each, names, run)) for each in parts)
        case LongText(character, length):
            resolved = character * length
        case Zip(code):
            resolved = _zipped(code)
        case _:
            resolved = given
    return resolved


def _zipped(code: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", code)
    return archive.getvalue()
