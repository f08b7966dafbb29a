"""The text of a template: from the request, from the upstream's S3, or from the stack itself."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from localbus.cloudformation.template.parser import MAX_BODY_BYTES, MAX_FILE_BYTES
from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

_BUCKET_HOST = re.compile(r"(.+)\.(?:s3[.-].*|localhost(?::\d+)?)")
_MESSAGE = re.compile(rb"<Message>([^<]*)</Message>")
_MORE = "For more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"

# The status and body of a path of S3, requested for a caller and with a Host header; raises AwsError.
Fetch = Callable[[str, Caller, str], Awaitable[tuple[int, bytes]]]


async def template_text(fetch: Fetch | None, params: Params, caller: Caller, previous: str = "") -> str:
    """The text that a request names; `previous` for UsePreviousTemplate. Raises AwsError."""
    given = [name for name in ("TemplateBody", "TemplateURL") if name in params]
    if params.get("UsePreviousTemplate") and previous:
        if given:
            raise AwsError("ValidationError", f"You cannot specify both usePreviousTemplate and {given[0]}")
        return previous
    if len(given) != 1:
        raise AwsError("ValidationError", "Either Template URL or Template Body must be specified.")
    if "TemplateURL" in params:
        return await from_s3(fetch, params["TemplateURL"], caller)
    text: str = params["TemplateBody"]
    if len(text.encode()) > MAX_BODY_BYTES:
        rule = f"Member must have length less than or equal to {MAX_BODY_BYTES}"
        detected = f"Value '{text[:100]}...' at 'templateBody' failed to satisfy constraint: {rule}"
        raise AwsError("ValidationError", f"1 validation error detected: {detected}")
    return text


async def from_s3(fetch: Fetch | None, url: str, caller: Caller) -> str:
    """The text of a file in S3, by a path-style, virtual-hosted or presigned URL. Raises AwsError."""
    if fetch is None:
        raise AwsError("ValidationError", "TemplateURL needs S3; start localbus with --upstream URL.")
    parts = urlsplit(url)
    if not parts.netloc or len(parts.path) < 2:
        raise AwsError("ValidationError", "TemplateURL must be a supported URL.")
    host = _BUCKET_HOST.fullmatch(parts.netloc)
    path = f"/{host[1]}{parts.path}" if host else parts.path
    target = f"{path}?{parts.query}" if parts.query else path
    try:
        status, body = await fetch(target, caller, parts.netloc)
    except AwsError as exc:
        raise AwsError("ValidationError", f"The template {url} cannot be read: {exc.message}") from exc
    if status != 200:
        found = _MESSAGE.search(body)
        reason = found[1].decode("utf-8", "replace") if found else f"{url} answers with status {status}"
        raise AwsError("ValidationError", f"S3 error: {reason}\n{_MORE}")
    if len(body) > MAX_FILE_BYTES:
        raise AwsError("ValidationError", f"Template may not exceed {MAX_FILE_BYTES} bytes in size.")
    return body.decode("utf-8", "replace")
