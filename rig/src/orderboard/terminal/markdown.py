"""Markdown in the terminal. Lines of code are not wrapped, so that they can be pasted."""

import re
import textwrap
from typing import Final

from rich.console import Console
from rich.markdown import Markdown
from rich.text import Text

_NUMBERED: Final = re.compile(r"(?<!\n)\n(?=\d+\. )")
_LIST: Final = re.compile(r"\s*(\d+\.|-) ")
_FENCE: Final = re.compile(r"^(?P<indent> *)```[^\n]*\n(?P<code>.*?)^ *```\n?", re.MULTILINE | re.DOTALL)


def print_markdown(console: Console, text: str) -> None:
    """Print the text; lines of its code blocks as they are, however long."""
    end = 0
    for fence in _FENCE.finditer(text):
        _print_prose(console, text[end : fence.start()], below_code=end > 0)
        code = textwrap.dedent(fence["code"]).rstrip("\n")
        console.print(Text(f"\n{textwrap.indent(code, '    ')}", style="cyan"), soft_wrap=True)
        end = fence.end()
    _print_prose(console, text[end:], below_code=end > 0)


def _print_prose(console: Console, text: str, *, below_code: bool) -> None:
    # Without an empty line before it, an item with a number beyond 1 would go on with the paragraph above.
    # https://spec.commonmark.org/0.31.2/#list-items
    text = _NUMBERED.sub("\n\n", text, count=1)
    if text.strip():
        if below_code and _LIST.match(text) is None:  # a list begins with an empty line by itself
            console.print()
        console.print(Markdown(textwrap.dedent(text), hyperlinks=False))
