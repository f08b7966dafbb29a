"""Values of an experiment as Python expressions."""

from __future__ import annotations

from typing import Any

from orderboard.lab.programs.names import Names
from orderboard.lab.programs.python_text import Bracketed, Code, Expression, call, flat, formatted, quoted
from orderboard.lab.values import Joined, Json, LongText, Name, Variable, Zip


def expression(value: Any, names: Names, codes: dict[str, str]) -> Expression:
    """Return a value as an expression. codes: the names of constants by the code of a function; filled here."""

    def of(each: Any) -> Expression:
        return expression(each, names, codes)

    found: Expression
    match value:
        case Code():
            found = value
        case Variable():
            found = Code(names.of(value))
        case Name(text):
            found = Code(formatted([Code("RUN"), f"-{text}"]))
        case Json(document):
            found = call("json.dumps", of(document))
        case Joined(parts):
            found = _joined([of(each) if isinstance(each, LongText | Json) else each for each in parts], names)
        case LongText(character, length):
            found = Code(f"{quoted(character)} * {length:_}")
        case Zip(code):
            found = call("zipped", Code(codes.setdefault(code, f"CODE_{len(codes) + 1}" if codes else "CODE")))
        case dict():
            found = Bracketed("{", [(f"{flat(of(key))}: ", of(each)) for key, each in value.items()], "}")
        case list() | tuple():
            found = Bracketed("[", [("", of(each)) for each in value], "]")
        case str():
            found = Code(quoted(value))
        case bytes():
            found = Code(f"b{quoted(value.decode('latin-1'))}" if value.isascii() else repr(value))
        case _:
            found = Code(repr(value))
    return found


def _joined(parts: list[Any], names: Names) -> Expression:
    """Texts as an f-string; a sum where a part is more than a name."""
    if any(isinstance(each, Code | Bracketed) for each in parts):
        terms = [flat(each) if isinstance(each, Code | Bracketed) else flat(_joined([each], names)) for each in parts]
        return Code(" + ".join(terms))
    pieces: list[str | Code] = []
    for each in parts:
        match each:
            case Variable():
                pieces.append(Code(names.of(each)))
            case Name(text):
                pieces += [Code("RUN"), f"-{text}"]
            case _:
                pieces.append(str(each))
    return Code(formatted(pieces))
