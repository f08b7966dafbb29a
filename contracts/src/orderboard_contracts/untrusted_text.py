"""Validation of untrusted text: rejects control and bidirectional characters that could spoof a terminal."""

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, ValidationError

# Letters, emoji, right-to-left scripts and HTML pass. Control characters (Cc) may control a terminal, and SQS rejects
# most of them; bidirectional overrides reorder the visible text; lone surrogates (Cs) are not valid UTF-8.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NONCHARACTERS = frozenset("\ufffe\uffff")
_MAX_ERROR_CHARACTERS: Final = 400


def require_printable(value: str) -> str:
    """Return the value unchanged. Raises ValueError with the first character that is not allowed."""
    for position, character in enumerate(value):
        if (
            unicodedata.category(character) in ("Cc", "Cs")
            or character in _BIDI_CONTROLS
            or character in _NONCHARACTERS
        ):
            raise ValueError(f"character U+{ord(character):04X} at position {position} is not allowed; remove it")
    return value


PrintableText = Annotated[str, AfterValidator(require_printable)]


def first_error(exc: ValidationError) -> str:
    """Return the first validation error, short and printable, since the sender chose parts of it and logs keep it."""
    first = exc.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the document"
    error = "".join(character if character.isprintable() else "?" for character in f"{where}: {first['msg']}")
    return error if len(error) <= _MAX_ERROR_CHARACTERS else f"{error[:_MAX_ERROR_CHARACTERS]}..."
