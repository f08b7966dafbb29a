"""The documents are true: their links lead to files, their targets and commands exist, and help fits a terminal."""

import re
import shlex
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import typer
from orderboard.cli.app import app
from orderboard.workshop.catalogue import everything
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    chain(ROOT.glob("*.md"), *(ROOT.glob(f"{folder}/**/*.md") for folder in ("docs", "bench", "localbus")))
)
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # click's class has it not
LINES = sorted(
    " ".join((name, each)) for name, command in COMMANDS.items() for each in getattr(command, "commands", {"": None})
)


def lines_of_shell(text: str) -> list[str]:
    """The lines of shell blocks and the code within sentences, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", text.replace("\\\n", " "), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(document: Path) -> None:
    """Every link within the project leads to a file."""
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text())

    dead = [link for link in links if "://" not in link and not (document.parent / link).exists()]

    assert not dead


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_and_command_in_a_document_exists(document: Path) -> None:
    """Every target, command and option that a document names exists."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    wrong: list[str] = []

    for line in lines_of_shell(document.read_text()):
        if (made := re.match(r"make ([a-z]+)", line)) and made[1] not in targets:
            wrong.append(line)
        if not (typed := re.search(r"(?:^|/|\| *)orderboard ([a-z]+)(.*)", line)):
            continue
        if (command := COMMANDS.get(typed[1])) is None:
            wrong.append(line)
            continue
        words = shlex.split(typed[2], comments=True)
        if words and hasattr(command, "commands") and not words[0].startswith("--"):  # `bursts --json` has options too
            command = command.commands.get(words[0])
            if command is None:
                wrong.append(line)
                continue
        options = set(chain.from_iterable(each.opts for each in command.params))
        wrong += [line for word in words if word.startswith("--") and word.split("=")[0] not in options]

    assert not wrong


@pytest.mark.parametrize("command", [each.strip() for each in LINES])
def test_help_is_whole_in_a_terminal_of_80_columns(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No word of a command's help is cut off, and no choice is broken in two."""
    monkeypatch.setenv("COLUMNS", "80")

    answered = CliRunner().invoke(app, [*command.split(), "--help"])

    assert answered.exit_code == 0
    assert "…" not in answered.output
    assert max(len(line) for line in answered.output.splitlines()) <= 80


def test_the_agenda_has_the_minutes_of_the_exercises_and_leaves_time_to_talk() -> None:
    """Each row has the minutes of its README, and each slot's sum, as printed, is less than the slot."""
    cells = r" *([^|]*?) *\|"
    rows = re.findall(rf"^\|{cells * 5}$", (ROOT / "docs/workshop/trainer.md").read_text(), re.MULTILINE)
    exercises = {int(name.split()[0]): int(minutes) for name, minutes, *_ in rows if name[0].isdecimal()}
    assert exercises == {each.number: each.readme.minutes for each in everything()}

    timed = [(int(minutes), shown) for _, minutes, *shown in rows if minutes.isdecimal()]
    sums = [sum(minutes for minutes, shown in timed if shown[slot]) for slot in range(3)]
    [printed] = [[int(each) for each in row[2:]] for row in rows if row[0] == "in all"]
    assert printed == sums
    assert all(used < slot for used, slot in zip(sums, (90, 180, 360), strict=True))
