"""The text of a template: from the request, from the upstream's S3, or from the stack itself."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from localbus.cloudformation.template.parser import MAX_BODY_BYTES, MAX_FILE_BYTES
from localbus.errors import AwsError
from localbus.protocol.service_model import Params

_BUCKET_HOST = re.compile(r"(.+)\.s3[.-].*")

Fetch = Callable[[str], Awaitable[tuple[int, bytes]]]  # the status and body of a path; raises AwsError


async def template_text(fetch: Fetch | None, params: Params, previous: str = "") -> str:
    """The text that a request names; `previous` for UsePreviousTemplate. Raises AwsError."""
    given = [name for name in ("TemplateBody", "TemplateURL") if name in params]
    if params.get("UsePreviousTemplate") and previous:
        if given:
            raise AwsError("ValidationError", f"You cannot specify both usePreviousTemplate and {given[0]}")
        return previous
    if len(given) != 1:
        raise AwsError("ValidationError", "Either Template URL or Template Body must be specified.")
    if "TemplateURL" in params:
        return await _from_s3(fetch, params["TemplateURL"])
    text: str = params["TemplateBody"]
    if len(text.encode()) > MAX_BODY_BYTES:
        rule = f"Member must have length less than or equal to {MAX_BODY_BYTES}"
        detected = f"Value '{text[:100]}...' at 'templateBody' failed to satisfy constraint: {rule}"
        raise AwsError("ValidationError", f"1 validation error detected: {detected}")
    return text


async def _from_s3(fetch: Fetch | None, url: str) -> str:
    if fetch is None:
        raise AwsError("ValidationError", "TemplateURL needs S3; start localbus with --upstream URL.")
    parts = urlsplit(url)
    host = _BUCKET_HOST.fullmatch(parts.netloc)
    try:
        status, body = await fetch(f"/{host[1]}{parts.path}" if host else parts.path)
    except AwsError as exc:
        raise AwsError("ValidationError", f"The template {url} cannot be read: {exc.message}") from exc
    if status != 200:
        raise AwsError("ValidationError", f"S3 error: {url} answers with status {status}")
    if len(body) > MAX_FILE_BYTES:
        raise AwsError("ValidationError", f"Template may not exceed {MAX_FILE_BYTES} bytes in size.")
    return body.decode("utf-8", "replace")
