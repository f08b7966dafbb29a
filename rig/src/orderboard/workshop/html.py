"""Markdown of the exercises as HTML. Markup in the text is shown as text; links open in a new tab."""

from collections.abc import MutableMapping, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict


class _Renderer(RendererHTML):
    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Render the start of a link."""
        tokens[idx].attrSet("target", "_blank")
        tokens[idx].attrSet("rel", "noopener")
        return self.renderToken(tokens, idx, options, env)


def to_html(markdown: str) -> str:
    """Return the HTML of a text."""
    return str(parser().render(markdown))


@cache
def parser() -> MarkdownIt:
    """Return the parser of all texts of the workshop: CommonMark with tables, without HTML."""
    return MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable("table")
