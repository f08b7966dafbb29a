"""Direct invocations of functions, counted on their way to the upstream for the functions' metrics.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import Final
from urllib.parse import unquote

from localbus.http.message import Handler, Request, Response
from localbus.protocol.router import caller_of
from localbus.upstream.function_counts import FunctionCounts, FunctionName, Invocation, function_name

_INVOKE: Final = re.compile(r"/2015-03-31/functions/([^/?]+)/invocations")
_COLONS: Final = 6  # of a function's ARN


class CountedInvocations:
    """The handler in front of a proxy."""

    def __init__(self, forward: Handler, functions: FunctionCounts) -> None:
        self._forward = forward
        self._functions = functions

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        """Pass the request on, and count it if it invokes a function."""
        found = _INVOKE.match(request.target) if request.method == "POST" else None
        kind = request.header(b"x-amz-invocation-type") or "RequestResponse"
        if found is None or kind == "DryRun":
            return self._forward(request)
        caller, named = caller_of(request), unquote(found[1])
        by_arn = named.startswith("arn:")
        if by_arn and named.count(":") < _COLONS:
            return self._forward(request)  # it is not an ARN: the upstream says so
        name = function_name(named) if by_arn else FunctionName(caller.account, caller.region, _plain(named))
        return self._counted(request, self._functions.begin(name), waited=kind == "RequestResponse")

    async def _counted(self, request: Request, invocation: Invocation, *, waited: bool) -> Response:
        try:
            answer = self._forward(request)
            response = answer if isinstance(answer, Response) else await answer
        except BaseException:
            invocation.not_sent()
            raise
        failed = any(name.lower() == b"x-amz-function-error" for name, _ in response.headers)
        invocation.answered(response.status, failed=failed, waited=waited)
        return response


def _plain(name: str) -> str:
    """Return the name in `NAME`, `NAME:QUALIFIER` or `ACCOUNT:function:NAME`."""
    parts = name.split(":")
    return parts[2] if parts[1:2] == ["function"] and len(parts) > 2 else parts[0]
