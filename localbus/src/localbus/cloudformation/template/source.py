"""Where the text of a template comes from: the request, a file in the upstream's S3, or the stack itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localbus.cloudformation.template.parser import MAX_BODY_BYTES, MAX_FILE_BYTES
from localbus.errors import AwsError
from localbus.http import client as http_client
from localbus.http.client import NoAnswerError
from localbus.protocol.service_model import Params

if TYPE_CHECKING:
    from localbus.cloudformation.stack import Stack
    from localbus.cloudformation.state import CloudFormation

_BUCKET_HOST = re.compile(r"(.+)\.s3[.-].*")
_TIMEOUT_S = 30


async def text_of(formation: CloudFormation, params: Params, stack: Stack | None = None) -> str:
    """The template's text. Raises AwsError."""
    given = [name for name in ("TemplateBody", "TemplateURL") if name in params]
    if params.get("UsePreviousTemplate") and stack is not None and stack.plan is not None:
        if given:
            raise AwsError("ValidationError", f"You cannot specify both usePreviousTemplate and {given[0]}")
        return stack.plan.template.text
    if len(given) != 1:
        raise AwsError("ValidationError", "Either Template URL or Template Body must be specified.")
    if "TemplateURL" in params:
        return await _fetch(formation, params["TemplateURL"])
    text: str = params["TemplateBody"]
    if len(text.encode()) > MAX_BODY_BYTES:
        rule = f"Member must have length less than or equal to {MAX_BODY_BYTES}"
        detected = f"Value '{text[:100]}...' at 'templateBody' failed to satisfy constraint: {rule}"
        raise AwsError("ValidationError", f"1 validation error detected: {detected}")
    return text


async def _fetch(formation: CloudFormation, url: str) -> str:
    if formation.upstream is None:
        raise AwsError("ValidationError", "TemplateURL needs S3, and localbus was started with no --upstream.")
    parts = urlsplit(url)
    host = _BUCKET_HOST.fullmatch(parts.netloc)
    path = f"/{host[1]}{parts.path}" if host else parts.path
    try:
        answer = await http_client.send("GET", f"{formation.upstream.url}{path}", {}, b"", timeout_s=_TIMEOUT_S)
    except (NoAnswerError, TimeoutError) as exc:
        raise AwsError("ValidationError", f"The template {url} cannot be read: {exc}") from exc
    if answer.status != 200:
        raise AwsError("ValidationError", f"S3 error: {url} answers with status {answer.status}")
    if len(answer.body) > MAX_FILE_BYTES:
        raise AwsError("ValidationError", f"Template may not exceed {MAX_FILE_BYTES} bytes in size.")
    return answer.body.decode("utf-8", "replace")
