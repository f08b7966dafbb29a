"""Pages: files that open offline, with their data embedded as JSON and all scripts and styles inlined.

Texts of orders may be hostile. They reach the page as JSON whose markup characters are escaped, the page inserts them
as text only, and its Content-Security-Policy allows only the scripts whose hashes it lists.
"""

import base64
import hashlib
import html
import json
import re
from functools import cache
from importlib.resources import files
from typing import Final

from orderboard.burst.model import TimelineRow
from orderboard.burst.report.files import BurstFiles

_SLOT: Final = re.compile(r"\{\{(\w+)\}\}")
# In a script element these could end it, or open a comment; their escapes mean the same in a JSON string.
# https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
_ESCAPES: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def render(run: BurstFiles) -> str:
    """Return the report of a run."""
    settings = run.summary.settings
    return page(f"Burst of {settings.orders} orders, {settings.profile}", _document(run), "timeline.js", "report.js")


def page(title: str, document: object, *scripts: str) -> str:
    """Return a page that scripts draw from a document."""
    style, uplot_style = asset("report.css"), asset("uPlot.min.css")
    script = asset("charts.js") + "".join(
        asset(name).replace('"use strict";\n', "", 1) for name in ("elements.js", *scripts)
    )
    uplot_script = asset("uPlot.iife.min.js")
    values = {
        "title": html.escape(title),
        "style": style,
        "style_hashes": f"{_hash(uplot_style)} {_hash(style)}",
        "script": script,
        "script_hashes": f"{_hash(uplot_script)} {_hash(script)}",
        "uplot_style": uplot_style,
        "uplot_script": uplot_script,
        "uplot_license": asset("uPlot.LICENSE").strip(),
        "data": embedded_json(document),
    }
    # In one pass, so that inserted text is not searched for slots.
    return _SLOT.sub(lambda slot: values[slot[1]], asset("page.html"))


def embedded_json(document: object) -> str:
    """Return ASCII JSON that is safe inside a script element, whatever its strings contain."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False).translate(_ESCAPES)


def _document(run: BurstFiles) -> dict[str, object]:
    # Through JSON text, in which pydantic turns an infinite number into null.
    rows = [json.loads(row.model_dump_json()) for row in run.timeline]
    return {
        "summary": run.summary.document(),
        "headline": run.summary.verdict.headline,
        "timeline": {name: [row[name] for row in rows] for name in TimelineRow.model_fields},
    }


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def asset(name: str) -> str:
    """Return a file of the pages."""
    return files("orderboard.burst.report").joinpath("assets", name).read_text(encoding="utf-8")
