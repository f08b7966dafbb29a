"""Commands in messages, as this user's shell takes them."""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orderboard.system.workspace import STATE_DIR_VARIABLE

if TYPE_CHECKING:
    from orderboard_stack.backend import Endpoint

_COMMANDS: Final = (
    "demo|burst|bursts|compare|compare-workers|calibrate|chaos|up|down|reset|deploy|status|alarms|dashboard|backup|"
    "place|show|logs|redrive|replay|console|doctor|lab|workshop|env|aws|journal|peek|send|publish|put-event|worker|"
    "disorder|faults|clock"
)
# Not in "`orderboard place` prints", where nothing is to be typed.
_NAMED: Final = re.compile(rf"(?<![\w./-])orderboard(?= (?:{_COMMANDS})\b(?!` prints))")
# A program of an exercise, which needs the packages of this environment.
_PROGRAM: Final = re.compile(r"(?<![\w./-])python(?= workshop/)")


def orderboard() -> str:
    """The start of every command: `orderboard`, or its path if not on PATH, with the state folder if one is set."""
    installed = Path(sys.executable).with_name("orderboard")
    on_path = shutil.which("orderboard") is not None or not installed.exists()
    return _state_dir() + ("orderboard" if on_path else shlex.quote(relative(installed)))


def python() -> str:
    """The start of a command that runs a program with this Python, as `orderboard()` is for the others."""
    on_path = shutil.which("python")
    ours = on_path is not None and Path(on_path).parent == Path(sys.executable).parent
    return _state_dir() + ("python" if ours else shlex.quote(relative(Path(sys.executable))))


def aws(endpoint: "Endpoint", *words: str) -> str:
    """An aws command that needs no other setting.

    The endpoint is an option, since version 1 of the CLI ignores AWS_ENDPOINT_URL for SQS; so is the region, since
    version 1 knows only AWS_DEFAULT_REGION and version 2 prefers AWS_REGION.
    """
    variables = endpoint.environment()
    keys = [f"{name}={variables[name]}" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if name in variables]
    url = [] if endpoint.endpoint_url is None else ["--endpoint-url", endpoint.endpoint_url]
    return shlex.join([*keys, "aws", *url, "--region", endpoint.region, *words])


def to_paste(text: str) -> str:
    """The text with every `orderboard COMMAND` and `python workshop/PROGRAM` in it as this user has to type it."""
    return _PROGRAM.sub(lambda _: python(), _NAMED.sub(lambda _: orderboard(), text))


def _state_dir() -> str:
    named = os.environ.get(STATE_DIR_VARIABLE)
    return f"{STATE_DIR_VARIABLE}={shlex.quote(named)} " if named else ""


def relative(path: Path) -> str:
    """The path from the working directory if it is below it, else as it is."""
    working = Path.cwd()
    return str(path.relative_to(working)) if path.is_relative_to(working) else str(path)
