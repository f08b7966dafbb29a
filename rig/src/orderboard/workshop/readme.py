"""An exercise's README.md: its title, its minutes, and its sections."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orderboard.errors import RigError

# Every README has these sections, in this order.
SECTIONS: Final = ("Goal", "Story", "Do", "See", "On AWS", "For the trainer")
FOR_TRAINERS: Final = "For the trainer"
_TITLE: Final = re.compile(r"# (?P<number>\d+)\. (?P<title>.+)\n+(?P<minutes>\d+) minutes\.\n")
_SECTION: Final = re.compile(r"^## (.+)\n", re.MULTILINE)


@dataclass(frozen=True)
class Readme:
    """The text of an exercise, as Markdown."""

    number: int
    title: str
    minutes: int
    sections: Mapping[str, str]

    def text(self, *, for_trainers: bool = False) -> str:
        """Return the sections, without the title; those for the trainer only on request."""
        shown = ((name, text) for name, text in self.sections.items() if for_trainers or name != FOR_TRAINERS)
        return "\n".join(f"## {name}\n\n{text}" for name, text in shown)


def read_readme(path: Path) -> Readme:
    """Read it; raise RigError if it does not have the form that all of them have."""
    text = path.read_text()
    head = _TITLE.match(text)
    _, *parts = _SECTION.split(text)
    sections = {name: body.strip() + "\n" for name, body in zip(parts[::2], parts[1::2], strict=True)}
    if head is None or tuple(sections) != SECTIONS:
        raise RigError(
            f"{path} must begin with `# NUMBER. TITLE` and `NUMBER minutes.`; its sections are {', '.join(SECTIONS)}."
        )
    return Readme(int(head["number"]), head["title"], int(head["minutes"]), sections)
