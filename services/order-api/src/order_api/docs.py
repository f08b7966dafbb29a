"""GET /docs: the OpenAPI document as an HTML page without scripts, which works offline (FastAPI's page does not).

Also the page of each problem type.
"""

import json
from collections.abc import Iterator
from html import escape
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from order_api.problem import NO_SUCH_PAGE, PROBLEM_TYPES, ProblemError

router = APIRouter(include_in_schema=False)

_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
code,pre{font:14px/1.5 ui-monospace,monospace}pre{background:#f4f4f2;padding:.75rem;overflow:auto}
h2{border-top:1px solid #ddd;padding-top:1.25rem}table{border-collapse:collapse}
td{padding:.15rem .75rem .15rem 0;vertical-align:top}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#1a1a1a}
pre{background:#262626}h2{border-color:#444}a{color:#8ab4f8}}
"""


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """Return the OpenAPI document."""
    return JSONResponse(request.app.openapi())


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Return the OpenAPI document as HTML."""
    return HTMLResponse(page(request.app.openapi()))


@router.get("/problems/{name}")
async def explanation(name: str) -> Response:
    """Explain a problem type and its fix."""
    found = PROBLEM_TYPES.get(name)
    if found is None:
        raise ProblemError(NO_SUCH_PAGE, f"The problem types are {', '.join(PROBLEM_TYPES)}.")
    return Response(f"{found.title} ({found.status})\n\n{found.explanation}\n", media_type="text/plain")


def page(document: dict[str, Any]) -> str:
    """Render an OpenAPI document as HTML."""
    info = document["info"]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(info['title'])}</title>",
        f"<style>{_STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        f"<p>{escape(info['description'])}<p>For machines: <a href=/openapi.json>/openapi.json</a>",
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts.extend(_operation(f"{method.upper()} {path}", operation))
    parts.append("<h2>Schemas</h2>")
    for name, schema in document["components"]["schemas"].items():
        parts.append(f"<h3 id='{escape(name)}'>{escape(name)}</h3>{_pre(schema)}")
    return "\n".join(parts)


def _operation(address: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{escape(address)}</code></h2><p><b>{escape(operation['summary'])}</b> "
    yield escape(operation.get("description", ""))
    rows = [
        (parameter["name"], f"{parameter['in']}. {parameter.get('description', '')}")
        for parameter in operation.get("parameters", ())
    ]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        rows.append(("body", _schema_name(content)))
        for name, example in content.get("examples", {}).items():
            yield f"<p>{escape(example.get('summary', name))}{_pre(example['value'])}"
    for status, response in operation["responses"].items():
        names = ", ".join(filter(None, map(_schema_name, response.get("content", {}).values())))
        rows.append((str(status), f"{response['description']} {names}"))
    yield "<table>"
    yield from (f"<tr><td><code>{escape(name)}</code><td>{escape(text)}" for name, text in rows)
    yield "</table>"


def _schema_name(content: dict[str, Any]) -> str:
    schema = content.get("schema", {})
    options = [schema, *schema.get("anyOf", ())]
    return " or ".join(option["$ref"].rpartition("/")[2] for option in options if "$ref" in option)


def _pre(value: object) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"
