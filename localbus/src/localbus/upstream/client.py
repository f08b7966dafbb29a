"""A client for the engine's own calls to services of the upstream, such as invoking a function."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from localbus.errors import AwsError
from localbus.http import client as http_client
from localbus.http.client import Answer, NoAnswerError
from localbus.protocol.service_model import Params
from localbus.upstream.function_counts import FunctionCounts, function_name

INVOKE_TIMEOUT_S = 15 * 60  # the longest that a function may run
CALL_TIMEOUT_S = 30
_ACCOUNT = re.compile(rb"<Account>(\d{12})</Account>")


class UpstreamClient:
    """A client of the upstream. Account and region of an ARN go into the credentials. Calls raise NoAnswerError."""

    def __init__(self, url: str | None) -> None:
        self.url = url
        self.functions = FunctionCounts()

    @property
    def is_configured(self) -> bool:
        """True if the engine has an upstream."""
        return self.url is not None

    async def invoke(self, function_arn: str, payload: str, *, wait: bool) -> Answer:
        """Invoke a function: with `wait` the answer is its result, else it only confirms that the call is queued."""
        headers = {"X-Amz-Invocation-Type": "RequestResponse" if wait else "Event", "Content-Type": "application/json"}
        timeout_s = INVOKE_TIMEOUT_S if wait else CALL_TIMEOUT_S
        path = f"{_function_path(function_arn)}/invocations"
        invocation = self.functions.begin(function_name(function_arn))
        try:
            answer = await self._send("POST", path, function_arn, headers, payload.encode(), timeout_s=timeout_s)
        except TimeoutError:
            invocation.timed_out()
            raise
        except BaseException:
            invocation.not_sent()
            raise
        invocation.answered(answer.status, failed="x-amz-function-error" in answer.headers, waited=wait)
        return answer

    async def function_policy(self, function_arn: str) -> str:
        """Return the resource policy of a function as JSON; empty without one."""
        answer = await self._send("GET", f"{_function_path(function_arn)}/policy", function_arn, {}, b"")
        document = _document(answer.body)
        return str(document.get("Policy", "")) if answer.status == 200 else ""

    async def has_function(self, function_arn: str) -> bool:
        """Return whether the function exists."""
        answer = await self._send("GET", _function_path(function_arn), function_arn, {}, b"")
        return answer.status != 404

    async def function_configuration(self, function_arn: str) -> Params | None:
        """Return the configuration of a function; None if it does not exist."""
        answer = await self._send("GET", f"{_function_path(function_arn)}/configuration", function_arn, {}, b"")
        if answer.status >= 500:
            raise NoAnswerError(f"{function_arn}: the upstream answered {answer.status}")
        return _document(answer.body) if answer.status == 200 else None

    async def account_of_key(self, access_key: str) -> str | None:
        """Return the account of an access key that the upstream issued; None if it does not know the key."""
        body = b"Action=GetCallerIdentity&Version=2011-06-15"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = await self._send("POST", "/", f"arn:aws:sts:us-east-1:{access_key}:", headers, body)
        except (NoAnswerError, TimeoutError):
            return None
        found = _ACCOUNT.search(answer.body)
        return found[1].decode() if found else None

    async def rest(self, method: str, target: str, arn: str, body: bytes) -> Params:
        """Call an action of a REST JSON service. Raises AwsError with the error that the upstream returns."""
        headers = {"Content-Type": "application/json"}
        answer = await self._send(method, target, arn, headers, body)
        document = _document(answer.body)
        if answer.status >= 300:
            code = answer.headers.get("x-amzn-errortype") or str(document.get("__type", "ServiceException"))
            message = str(document.get("message") or document.get("Message") or f"HTTP status {answer.status}")
            raise AwsError(code.partition(":")[0].rpartition("#")[2], message)
        return document

    async def json(self, target: str, arn: str, params: Params, *, version: str = "1.1") -> tuple[int, Params]:
        """Call an action of an AWS JSON service. Return the HTTP status and the document."""
        headers = {"X-Amz-Target": target, "Content-Type": f"application/x-amz-json-{version}"}
        answer = await self._send("POST", "/", arn, headers, json.dumps(params).encode())
        return answer.status, _document(answer.body)

    async def form(self, arn: str, params: Mapping[str, str]) -> Answer:
        """Call an action of a Query service."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._send("POST", "/", arn, headers, urlencode(params).encode())

    async def _send(
        self,
        method: str,
        path: str,
        arn: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        timeout_s: float = CALL_TIMEOUT_S,
    ) -> Answer:
        _, _, service, region, account, *_ = arn.split(":")
        scope = f"Credential={account}/20200101/{region}/{service}/aws4_request"
        signature = {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature={'0' * 64}"}
        return await http_client.send(method, f"{self.url}{path}", {**headers, **signature}, body, timeout_s=timeout_s)


def _function_path(function_arn: str) -> str:
    return f"/2015-03-31/functions/{function_arn.replace(':', '%3A')}"


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
