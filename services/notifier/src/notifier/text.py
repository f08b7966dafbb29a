"""Text for people: amounts, and untrusted text made safe for terminals and SNS subjects."""

import unicodedata
from typing import Final

MAX_SUBJECT_CHARACTERS: Final = 99


def money(cents: int, currency: str) -> str:
    """Format an amount that is not negative: `10680, "EUR"` as `106.80 EUR`."""
    return f"{cents // 100}.{cents % 100:02d} {currency}"


def printable(text: str) -> str:
    """Return the text on one line, with a space for every control, format, private or unassigned character.

    This is stricter than the contract: joined emoji are separated.
    """
    return " ".join("".join(" " if unicodedata.category(c).startswith("C") else c for c in text).split())


def shortened(text: str, max_characters: int) -> str:
    """Return the text, truncated with three dots if it is too long."""
    return text if len(text) <= max_characters else text[: max_characters - 3].rstrip() + "..."


def subject_line(text: str) -> str:
    """Return any text as a valid SNS subject: ASCII, one line, fewer than 100 characters, never empty.

    SNS rejects the publish otherwise. Accents are dropped, other foreign characters become question marks.
    https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_RequestParameters
    """
    folded = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    ascii_only = printable(folded).encode("ascii", "replace").decode("ascii")
    return shortened(ascii_only, MAX_SUBJECT_CHARACTERS) or "Alert"
