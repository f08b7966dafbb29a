"""Untrusted text: accepted or rejected."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orderboard_contracts.untrusted_text import require_printable


@pytest.mark.parametrize(
    "text",
    [
        "",
        "oat milk, please",
        "naïve café",
        "👨‍👩‍👧‍👦 ☕️ 🏳️‍🌈",
        "بدون سكر",
        "תודה",
        "<script>alert(1)</script>",
        "  ",
        "\u200f",
        "日本語",
        "\U0010fffd",
    ],
)
def test_text_of_all_scripts_is_accepted(text: str) -> None:
    """Letters, emoji with joiners, right-to-left scripts and HTML are text."""
    assert require_printable(text) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\x00", r"U\+0000 at position 1"),
        ("\n", r"U\+000A at position 0"),
        ("\x1b[2J", r"U\+001B at position 0"),
        ("a\x7f", r"U\+007F at position 1"),
        ("a\x85", r"U\+0085 at position 1"),
        ("ab\u202e", r"U\+202E at position 2"),
        ("\u2066", r"U\+2066 at position 0"),
        ("\ud800", r"U\+D800 at position 0"),
        ("\ufffe", r"U\+FFFE at position 0"),
    ],
)
def test_spoofing_characters_are_rejected(text: str, message: str) -> None:
    """Control characters, bidirectional overrides and noncharacters are rejected, with character and position."""
    with pytest.raises(ValueError, match=message):
        require_printable(text)


@given(st.text())
def test_what_passes_is_safe_for_sqs_and_terminals(text: str) -> None:
    """Accepted text is UTF-8, without control characters, and SQS allows all its characters."""
    try:
        require_printable(text)
    except ValueError:
        return

    text.encode()
    assert not any(unicodedata.category(character) == "Cc" for character in text)
    assert all(
        0x20 <= ord(character) <= 0xD7FF or 0xE000 <= ord(character) <= 0xFFFD or ord(character) >= 0x10000
        for character in text
    )
