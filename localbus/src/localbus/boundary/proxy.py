"""The way of a request to the upstream: the configuration of a sender is read, and its bridges are made, before."""

from __future__ import annotations

from collections.abc import Awaitable

from localbus.boundary.requests import reader_of
from localbus.boundary.state import Boundary
from localbus.errors import AwsError
from localbus.http.message import Handler, Request, Response
from localbus.protocol.router import caller_of, service_of
from localbus.protocol.unsupported import refusal

_STATUS = {"NotImplemented": 501, "InternalFailure": 500}


class BoundaryProxy:
    """The handler for every service that localbus does not have."""

    def __init__(self, boundary: Boundary, forward: Handler) -> None:
        self._boundary = boundary
        self._forward = forward

    def reads_body(self, request: Request) -> bool:
        """Return whether the request may configure a sender, so that its body is needed first."""
        return reader_of(request, service_of(request)) is not None

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        """Pass the request on, after its configuration if it has one."""
        service = service_of(request)
        if reader_of(request, service) is None:
            return self._forward(request)
        return self._prepared(request, service)

    async def _prepared(self, request: Request, service: str | None) -> Response:
        read, caller = reader_of(request, service), caller_of(request)
        assert read is not None  # noqa: S101 (as in __call__)
        try:
            configuration = read(request, caller)
            if configuration.sender.service == "s3" and not request.header(b"x-amz-skip-destination-validation"):
                self._boundary.check_bucket(configuration, caller)
            await self._boundary.prepare(configuration, caller)
        except AwsError as exc:
            # An unsigned request that is read is one to S3.
            return refusal(request, service or "s3", exc.code, exc.message, _STATUS.get(exc.code, 400))
        answer = self._forward(request)
        return await answer if isinstance(answer, Awaitable) else answer
