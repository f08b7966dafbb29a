"""Run a function of an attendee's file: `python run_function.py FILE FUNCTION`, a list of argument lists on stdin.

Writes {"results": [...]} or {"error": "..."} to stdout. What the file prints goes to stderr.
"""

import contextlib
import json
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any


def main(path: Path, name: str) -> None:
    """Call the function with each list of arguments."""
    calls, out = json.load(sys.stdin), sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        try:
            answer = {"results": _results(path, name, calls)}
            text = json.dumps(answer)
        except Exception as exc:  # noqa: BLE001 - the attendee's code may raise anything
            text = json.dumps({"error": described(exc, path)})
    out.write(text)


def _results(path: Path, name: str, calls: list[list[Any]]) -> list[Any]:
    function = runpy.run_path(str(path)).get(name)
    if function is None:
        raise LookupError(f"the file has no function {name}")
    return [function(*arguments) for arguments in calls]


def described(exc: BaseException, path: Path) -> str:
    """Return an exception as one line, with the last line of this file that led to it."""
    frames = [each.lineno for each in traceback.extract_tb(exc.__traceback__) if each.filename == str(path)]
    line = exc.lineno if isinstance(exc, SyntaxError) else frames[-1] if frames else None
    where = f"line {line}: " if line is not None else ""
    text = exc.msg if isinstance(exc, SyntaxError) else str(exc)
    return f"{where}{type(exc).__name__}: {text}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
