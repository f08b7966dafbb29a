"""The code of a document, by default docs/use-localbus.md: files by their names, and the commands of each section."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[2] / "docs" / "use-localbus.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"\A(?:#!.*\n)?(?:#|//) (\S+)")


def files(page: Path = PAGE) -> dict[str, str]:
    """Return the blocks that begin with the name of a file."""
    found = {}
    for language, text in _BLOCK.findall(page.read_text()):
        if language != "sh":
            name = _NAME.match(text)
            assert name is not None, f"a block without the name of its file:\n{text}"
            found[name[1]] = text
    return found


def commands(section: str) -> list[str]:
    """Return the lines of shell in a section."""
    _, _, after = PAGE.read_text().partition(f"\n## {section}\n")
    body, _, _ = after.partition("\n## ")
    return [line for language, text in _BLOCK.findall(body) if language == "sh" for line in text.splitlines()]
