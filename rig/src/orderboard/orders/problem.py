"""Error responses of order-api, as one line."""

import json


def problem_line(content: bytes, default: str) -> str:
    """Return the reason in an RFC 9457 problem document, else the start of the text, else the default."""
    try:
        document = json.loads(content)
    except ValueError:
        return content[:200].decode(errors="replace").strip() or default
    if not isinstance(document, dict):
        return str(document)[:200]
    errors = document.get("errors")
    if isinstance(errors, list) and errors:
        return "; ".join(_field_error(error) for error in errors[:3])
    return str(document.get("detail") or document.get("title") or default)


def _field_error(error: object) -> str:
    return f"{error.get('field', '')}: {error.get('detail', '')}" if isinstance(error, dict) else str(error)
