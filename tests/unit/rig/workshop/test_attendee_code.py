"""Calls of functions that attendees wrote."""

from pathlib import Path

import pytest
from orderboard.errors import UsageError
from orderboard.workshop.attendee_code import call


def test_results_come_back_in_order(tmp_path: Path) -> None:
    """A function is called with each list of arguments, and what it prints does not get in the way."""
    path = tmp_path / "my_code.py"
    path.write_text("def double(number):\n    print('thinking')\n    return number * 2\n")

    assert call(path, "double", [[1], [2]]) == [2, 4]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def double(number)\n", "my_code.py: line 1: SyntaxError: expected ':'"),
        ("def double(number):\n    return number['x']\n", "my_code.py: line 2: TypeError"),
        ("def triple(number):\n    return number\n", "LookupError: the file has no function double"),
        ("def double(number):\n    return {number}\n", "TypeError: Object of type set is not JSON serializable"),
        ("import os\ndef double(number):\n    os._exit(3)\n", "ended its process (exit code 3)"),
        ("def double(number):\n    while True: pass\n", "double did not return within 0.5 s"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, text: str, reason: str) -> None:
    """Code that cannot be used becomes one error that names the line and the reason."""
    path = tmp_path / "my_code.py"
    path.write_text(text)

    with pytest.raises(UsageError) as raised:
        call(path, "double", [[1]], within_s=0.5 if "while" in text else 10)

    assert reason in str(raised.value)
