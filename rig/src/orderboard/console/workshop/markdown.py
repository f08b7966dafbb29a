"""Markdown as a tree of elements, which the page builds one by one: its policy allows no HTML from a string."""

from functools import cache
from typing import Any, Final

from markdown_it.tree import SyntaxTreeNode

from orderboard.system.command_line import to_paste
from orderboard.workshop.html import parser

# A text, or [name, attributes, *children].
Element = str | list[Any]

_BREAKS: Final[dict[str, Element]] = {"softbreak": "\n", "hardbreak": ["br", {}]}
_CODE: Final = {"code_inline": "code", "fence": "pre", "code_block": "pre"}
_KEPT: Final = frozenset(("p", "h1", "h2", "h3", "h4", "em", "strong", "a", "ul", "ol", "li", "blockquote", "hr"))
_OF_TABLES: Final = frozenset(("table", "thead", "tbody", "tr", "th", "td"))


@cache
def elements(text: str) -> list[Element]:
    """Return the elements of a Markdown text. Commands in its code are as this user has to type them."""
    return _children(SyntaxTreeNode(parser().parse(text)))


def _children(node: SyntaxTreeNode) -> list[Element]:
    return [element for child in node.children for element in _elements(child)]


def _elements(node: SyntaxTreeNode) -> list[Element]:
    if node.type in _BREAKS:
        return [_BREAKS[node.type]]
    if node.type in _CODE:
        return [[_CODE[node.type], {}, to_paste(node.content.rstrip("\n"))]]
    if not node.children and node.type != "hr":
        return [node.content] if node.content else []
    inside = _children(node)
    if node.tag not in _KEPT | _OF_TABLES or (node.type == "paragraph" and node.hidden):
        return inside
    return [[node.tag, _attributes(node), *inside]]


def _attributes(node: SyntaxTreeNode) -> dict[str, str]:
    match node.tag:
        case "a" if str(node.attrGet("href")).startswith(("https://", "http://", "/")):
            return {"href": str(node.attrGet("href"))}
        case "ol" if node.attrGet("start") is not None:
            return {"start": str(node.attrGet("start"))}
    return {}
