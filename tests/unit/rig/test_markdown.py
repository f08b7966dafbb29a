"""Markdown in the terminal: what must be pasted is not wrapped."""

import io

from orderboard.terminal.markdown import print_markdown
from rich.console import Console

_LONG = "echo " + "x" * 100 + " | orderboard place"
_TEXT = f"""Do this:

1. First place an order, and look at what happens to it afterwards on its way through the queues:

   ```sh
   {_LONG}
   ```
   Afterwards have a look.
2. Then read [the page](https://docs.aws.amazon.com/).
"""


def test_code_keeps_its_lines_and_lists_their_numbers() -> None:
    """A line of 120 characters is one line on a terminal of 40; the list goes on after it; a link shows its address."""
    console = Console(file=io.StringIO(), width=40)

    print_markdown(console, _TEXT)

    assert isinstance(console.file, io.StringIO)
    lines = [each.strip() for each in console.file.getvalue().splitlines()]
    assert _LONG in lines
    assert any(each.startswith("1 First") for each in lines)
    assert any(each.startswith("2 Then") for each in lines)
    assert "https://docs.aws.amazon.com/" in "".join(lines)
    assert max(len(each) for each in lines if each != _LONG) <= 40
