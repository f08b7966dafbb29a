"""Calls of functions that attendees wrote, in a process that ends with the call."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from orderboard.errors import UsageError

_RUNNER: Final = Path(__file__).with_name("run_function.py")


def call(path: Path, function: str, calls: Sequence[Sequence[Any]], *, within_s: float = 10.0) -> list[Any]:
    """Call a function of a file with each of these lists of arguments, in order; return the results.

    Arguments and results are values of JSON. Raises UsageError that says what is wrong with the file.
    """
    if not path.is_file():
        raise UsageError(f"{path.name} is missing. Bring its first version back: orderboard workshop reset")
    command = [sys.executable, "-I", "-B", str(_RUNNER), str(path), function]
    try:
        ran = subprocess.run(
            command, input=json.dumps(calls), capture_output=True, text=True, timeout=within_s, check=False
        )
    except subprocess.TimeoutExpired as exc:
        raise UsageError(f"{path.name}: {function} did not return within {within_s:g} s.") from exc
    try:
        answer = json.loads(ran.stdout)
    except ValueError as exc:
        raise UsageError(f"{path.name}: {function} has ended its process (exit code {ran.returncode}).") from exc
    if "error" in answer:
        raise UsageError(f"{path.name}: {answer['error']}")
    return list(answer["results"])
