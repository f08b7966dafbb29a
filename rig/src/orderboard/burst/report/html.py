"""report.html: one file that opens offline, with the run embedded as JSON and everything that draws it inlined.

Texts of orders may be hostile. They reach the page as JSON whose markup characters are escaped, the page puts them in
as text only, and its Content-Security-Policy runs nothing but the scripts that are named there by their hashes.
"""

import base64
import hashlib
import html
import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from orderboard.burst.model import Moment
from orderboard.burst.report.files import BurstRun

_SLOT: Final = re.compile(r"\{\{(\w+)\}\}")
# In a script element these could end it, or open a comment; in a JSON string their escapes mean the same.
# https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
_ESCAPES: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def write_report(run: BurstRun, path: Path) -> None:
    """Write the page to path."""
    path.write_text(render(run), encoding="utf-8")


def render(run: BurstRun) -> str:
    """The page."""
    settings = run.summary.settings
    style, uplot_style = _asset("report.css"), _asset("uPlot.min.css")
    script, uplot_script = (
        _asset("charts.js") + _asset("report.js").replace('"use strict";\n', "", 1),
        _asset("uPlot.iife.min.js"),
    )
    return _filled(
        _asset("page.html"),
        {
            "title": html.escape(f"Burst of {settings.orders} orders, {settings.profile}"),
            "style": style,
            "style_hashes": f"{_hash(uplot_style)} {_hash(style)}",
            "script": script,
            "script_hashes": f"{_hash(uplot_script)} {_hash(script)}",
            "uplot_style": uplot_style,
            "uplot_script": uplot_script,
            "uplot_license": _asset("uPlot.LICENSE").strip(),
            "data": embedded_json(_document(run)),
        },
    )


def embedded_json(document: object) -> str:
    """JSON in ASCII that is safe inside a script element, whatever the strings in it say."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False).translate(_ESCAPES)


def _document(run: BurstRun) -> dict[str, object]:
    # By way of JSON text: there pydantic turns an infinite number into null, which every reader knows.
    moments = [json.loads(moment.model_dump_json()) for moment in run.timeline]
    return {
        "summary": json.loads(run.summary.model_dump_json()),
        "timeline": {name: [moment[name] for moment in moments] for name in Moment.model_fields},
    }


def _filled(page: str, values: dict[str, str]) -> str:
    """In one pass, so that what is filled in is not looked at again."""
    return _SLOT.sub(lambda slot: values[slot[1]], page)


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _asset(name: str) -> str:
    return files("orderboard.burst.report").joinpath("assets", name).read_text(encoding="utf-8")
