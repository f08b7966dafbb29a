"""Text for people: amounts, and what is left of a stranger's text when a terminal and an SNS subject may show it."""

import unicodedata
from typing import Final

MAX_SUBJECT_CHARACTERS: Final = 99


def money(cents: int, currency: str) -> str:
    """`10680, "EUR"` as `106.80 EUR`; the amount is not negative."""
    return f"{cents // 100}.{cents % 100:02d} {currency}"


def printable(text: str) -> str:
    """The text on one line, with a space for every control, format, private or unassigned character.

    That is more than the contract refuses: joined emoji come apart, which an announcement can bear.
    """
    return " ".join("".join(" " if unicodedata.category(c).startswith("C") else c for c in text).split())


def shortened(text: str, max_characters: int) -> str:
    """The text, or its beginning and three dots."""
    return text if len(text) <= max_characters else text[: max_characters - 3].rstrip() + "..."


def subject_line(text: str) -> str:
    """Any text as an SNS subject: ASCII, one line, fewer than 100 characters, never empty.

    SNS refuses the publish otherwise. Accents are dropped, other foreign characters become question marks.
    https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_RequestParameters
    """
    folded = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    ascii_only = printable(folded).encode("ascii", "replace").decode("ascii")
    return shortened(ascii_only, MAX_SUBJECT_CHARACTERS) or "Alert"
