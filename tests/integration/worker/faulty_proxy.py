"""A proxy between a worker and its backend that throttles calls, fails them, or drops their responses."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
from aiohttp import web

Fault = Literal["throttle", "fail", "drop_response"]
_HOP_BY_HOP = {"host", "content-length", "transfer-encoding", "connection", "content-encoding"}


@dataclass
class FaultyProxy:
    """A plan of faults by operation, such as `BatchExecuteStatement`, and the number of calls that met one."""

    address: str = ""
    met: dict[str, int] = field(default_factory=dict)
    _faults: dict[str, tuple[Fault, int]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that route a service through the proxy."""
        return {"AWS_ENDPOINT_URL": self.address}

    def plan(self, operation: str, fault: Fault, calls: int) -> None:
        """Inject a fault into the next calls of an operation. drop_response takes effect after the backend's work."""
        self._faults[operation] = (fault, calls)

    def next_fault(self, operation: str) -> Fault | None:
        """Return the fault for this call."""
        fault, left = self._faults.get(operation, (None, 0))
        if fault is None or left <= 0:
            return None
        self._faults[operation] = (fault, left - 1)
        self.met[operation] = self.met.get(operation, 0) + 1
        return fault


@asynccontextmanager
async def faulty_proxy(backend_url: str) -> AsyncIterator[FaultyProxy]:
    """Listen on a free port of 127.0.0.1 and forward requests to backend_url."""
    proxy = FaultyProxy()
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        app = web.Application(client_max_size=4 << 20)
        app.router.add_route("*", "/{path:.*}", _handler(proxy, session, backend_url))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            proxy.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield proxy
        finally:
            await runner.cleanup()


def _handler(
    proxy: FaultyProxy, session: aiohttp.ClientSession, backend_url: str
) -> Callable[[web.Request], "asyncio.Future[web.Response]"]:
    async def handle(request: web.Request) -> web.Response:
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        fault = proxy.next_fault(operation)
        if fault == "throttle":
            return web.json_response({"__type": "ThrottlingException", "message": "slow down"}, status=400)
        if fault == "fail":
            return web.json_response({"__type": "InternalServerError", "message": "ill"}, status=500)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        async with session.request(
            request.method, f"{backend_url}{request.path_qs}", headers=headers, data=await request.read()
        ) as response:
            body = await response.read()
            kept = {name: value for name, value in response.headers.items() if name.lower() not in _HOP_BY_HOP}
        if fault == "drop_response":
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=response.status, headers=kept, body=body)

    return handle  # type: ignore[return-value]
