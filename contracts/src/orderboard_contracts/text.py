"""Text that people type: what is kept as it is, and what is refused because it could lie to a reader or a terminal."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator

# Letters, emoji, right-to-left scripts and HTML are text and pass. Control characters (Cc) may drive a terminal and
# SQS refuses most of them; bidirectional overrides reorder what a reader sees; lone surrogates (Cs) are not UTF-8.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NONCHARACTERS = frozenset("\ufffe\uffff")


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
