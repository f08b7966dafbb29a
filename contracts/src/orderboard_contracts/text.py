"""Text that strangers send: what is refused because it could lie to a reader or a terminal, and how that is told."""

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, ValidationError

# Letters, emoji, right-to-left scripts and HTML are text and pass. Control characters (Cc) may drive a terminal and
# SQS refuses most of them; bidirectional overrides reorder what a reader sees; lone surrogates (Cs) are not UTF-8.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NONCHARACTERS = frozenset("\ufffe\uffff")
_MAX_FAULT_CHARACTERS: Final = 400


def require_printable(value: str) -> str:
    """Return value unchanged, or raise ValueError that names the first character that is refused."""
    for position, character in enumerate(value):
        if (
            unicodedata.category(character) in ("Cc", "Cs")
            or character in _BIDI_CONTROLS
            or character in _NONCHARACTERS
        ):
            raise ValueError(f"character U+{ord(character):04X} at position {position} is not allowed; remove it")
    return value


PrintableText = Annotated[str, AfterValidator(require_printable)]


def first_fault(exc: ValidationError) -> str:
    """The first thing that is wrong, short and printable: the sender chose parts of it, and logs keep it."""
    first = exc.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the document"
    fault = "".join(character if character.isprintable() else "?" for character in f"{where}: {first['msg']}")
    return fault if len(fault) <= _MAX_FAULT_CHARACTERS else f"{fault[:_MAX_FAULT_CHARACTERS]}..."
