"""The way of a request to the upstream: the configuration of a sender is read, and its bridges are made, before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from localbus.boundary.requests import Reader, reader_of
from localbus.boundary.state import Boundary
from localbus.errors import AwsError
from localbus.http.message import Handler, Request, Response
from localbus.protocol.router import caller_of, issued_key_of, service_of
from localbus.protocol.unsupported import refusal

AccountOfKey = Callable[[str], Awaitable[str | None]]
_STATUS = {"NotImplemented": 501, "InternalFailure": 500}


class BoundaryProxy:
    """The handler for every service that localbus does not have."""

    def __init__(self, boundary: Boundary, forward: Handler, account_of_key: AccountOfKey) -> None:
        self._boundary = boundary
        self._forward = forward
        self._account_of_key = account_of_key

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        """Pass the request on, after its configuration if it has one, and after all bridges are created."""
        service = service_of(request)
        read = reader_of(request, service)
        if read is not None:
            return self._prepared(request, service, read)
        return self._forward(request) if self._boundary.is_ready else self._forwarded(request)

    async def _prepared(self, request: Request, service: str | None, read: Reader) -> Response:
        if request.stream is not None:
            request = replace(request, body=b"".join([piece async for piece in request.stream]), stream=None)
        caller, key = caller_of(request), issued_key_of(request)
        if key:
            caller = replace(caller, account=await self._account_of_key(key) or caller.account)
        try:
            configuration = read(request, caller)
            of_bucket = configuration.sender.service == "s3"
            skips_check = of_bucket and request.header(b"x-amz-skip-destination-validation").lower() == "true"
            if of_bucket and not skips_check:
                self._boundary.check_bucket(configuration, caller)
            if not skips_check:
                await self._boundary.check_functions(configuration)
            await self._boundary.prepare(configuration, caller)
        except AwsError as exc:
            # An unsigned request that is read is one to S3.
            return refusal(request, service or "s3", exc.code, exc.message, _STATUS.get(exc.code, 400))
        return await self._forwarded(request)

    async def _forwarded(self, request: Request) -> Response:
        """Pass a request on that may cause messages for a queue, topic or rule that was made just before."""
        await self._boundary.ready()
        answer = self._forward(request)
        return await answer if isinstance(answer, Awaitable) else answer
