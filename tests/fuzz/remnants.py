"""Signs that an answer shows the engine's inside: Python's own words, class names, tracebacks, internal errors."""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ET
from urllib.parse import unquote_plus

from localbus.http.message import Request, Response

# What no answer of AWS has. What the request itself holds may be quoted, so it is not searched.
_REMNANT = re.compile(
    r"Traceback|<class |<function |<bound |object at 0x|\b(?:None|NoneType|True|False)\b|datetime\.|Decimal\(|"
    r"\b[A-Z][a-z]+Error\b:|(?:Key|Type|Value|Attribute|Index|Recursion|Unicode\w+|Overflow)Error|localbus\.[a-z_]+\.|"
    r"\bb'[^' ]+'|\{'\w*': |\('\w+', |has no attribute|not subscriptable|unhashable|serializable|isoformat|"
    r"could not convert|invalid literal|codec can't|unexpected keyword|positional argument|int too large|"
    r"integer string conversion|Internal ?(?:Failure|Error)|internal error|__\w+__|maximum recursion|\bdict\b|\binf\b"
)
# CloudFormation's own enum, and the reason of DynamoDB for an action of a transaction that has no fault
_REPLACEMENT = re.compile(
    r'<Replacement>(?:True|False)</Replacement>|"Replacement":"(?:True|False)",?|'
    r'(?<="Code":")None(?=")|(?<=specific reasons )\[[A-Za-z, ]+\]'
)
_OF_ANSWERS = re.compile(r"InternalErrorException|InternalException")


def fault_of(request: Request, response: Response) -> str | None:
    """Return what is wrong with an answer, whatever the request was; None if nothing is."""
    body = response.body if isinstance(response.body, bytes) else b""
    text = body.decode("utf-8", "replace")
    headers = dict(response.headers)
    is_not_built = response.status == 501 and (b"NotImplemented" in headers.values() or "NotImplemented" in text)
    if response.status >= 500 and not is_not_built:
        return f"status {response.status}: {text[:300]}"
    try:
        text = _read(text, headers)
    except (ValueError, ET.ParseError) as exc:
        return f"the answer cannot be read ({exc}): {text[:300]}"
    sent = html.unescape(request.body.decode("utf-8", "replace")) + request.target
    sent += unquote_plus(sent)
    for found in _REMNANT.finditer(text):
        if found[0] not in sent and not _OF_ANSWERS.search(text):
            return f"{found[0]!r} in the answer: {text[max(0, found.start() - 200) : found.end() + 150]}"
    return None


def _read(text: str, headers: dict[bytes, bytes]) -> str:
    """Return the text of an answer as a client reads it. Raises ValueError or ParseError."""
    kind = {name.lower(): value for name, value in headers.items()}.get(b"content-type", b"")
    if b"json" in kind and text and b"ndjson" not in kind:
        return json.dumps(json.loads(_REPLACEMENT.sub("", text), parse_constant=_refuse), ensure_ascii=False)
    if b"xml" in kind and text:
        return " ".join(ET.fromstring(_REPLACEMENT.sub("", text)).itertext())  # noqa: S314 (our own answer)
    return text


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
