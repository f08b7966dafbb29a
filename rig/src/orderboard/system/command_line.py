"""Commands in messages, as this user's shell takes them."""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

from orderboard.system.workspace import STATE_DIR_VARIABLE

_COMMANDS: Final = "demo|burst|calibrate|up|down|deploy|status|place|show|redrive|console|doctor"
# Not in "`orderboard place` prints", where nothing is to be typed.
_NAMED: Final = re.compile(rf"(?<![\w./-])orderboard(?= (?:{_COMMANDS})\b(?!` prints))")


def orderboard() -> str:
    """The start of every command: `orderboard`, or its path if not on PATH, with the state folder if one is set."""
    named = os.environ.get(STATE_DIR_VARIABLE)
    state = f"{STATE_DIR_VARIABLE}={shlex.quote(named)} " if named else ""
    installed = Path(sys.executable).with_name("orderboard")
    on_path = shutil.which("orderboard") is not None or not installed.exists()
    return state + ("orderboard" if on_path else shlex.quote(relative(installed)))


def to_paste(text: str) -> str:
    """The text with every `orderboard COMMAND` in it as this user has to type it."""
    return _NAMED.sub(lambda _: orderboard(), text)


def relative(path: Path) -> str:
    """The path from the working directory if it is below it, else as it is."""
    working = Path.cwd()
    return str(path.relative_to(working)) if path.is_relative_to(working) else str(path)
