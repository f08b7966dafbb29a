"""Markdown in the terminal. Lines of code are not wrapped, so that they can be pasted."""

import re
import textwrap
from typing import Final

from rich.console import Console
from rich.markdown import Markdown
from rich.text import Text

_FENCE: Final = re.compile(r"^(?P<indent> *)```[^\n]*\n(?P<code>.*?)^ *```\n?", re.MULTILINE | re.DOTALL)


def print_markdown(console: Console, text: str) -> None:
    """Print the text; lines of its code blocks as they are, however long."""
    end = 0
    for fence in _FENCE.finditer(text):
        _print_prose(console, text[end : fence.start()])
        code = textwrap.dedent(fence["code"]).rstrip("\n")
        console.print(Text(f"\n{textwrap.indent(code, '    ')}", style="cyan"), soft_wrap=True)
        end = fence.end()
    _print_prose(console, text[end:])


def _print_prose(console: Console, text: str) -> None:
    if text.strip():
        console.print(Markdown(textwrap.dedent(text), hyperlinks=False))
