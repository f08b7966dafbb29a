"""A proxy in front of a backend that records every request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import uvicorn
from orderboard_stack.process import free_port
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from support.waiting import eventually

_METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD"]
_HOP_BY_HOP = frozenset(("content-length", "transfer-encoding", "connection", "content-encoding", "host"))


@dataclass
class RecordingProxy:
    """The proxy's URL, the X-Amz-Target or path of each request, and each Authorization header and body."""

    url: str
    seen: list[str] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)


@asynccontextmanager
async def recording_proxy(backend_url: str) -> AsyncIterator[RecordingProxy]:
    """Run a proxy to this backend."""
    port = free_port()
    proxy = RecordingProxy(f"http://127.0.0.1:{port}")
    async with httpx.AsyncClient(base_url=backend_url, trust_env=False, timeout=30) as http:

        async def forward(request: Request) -> Response:
            proxy.seen.append(request.headers.get("x-amz-target", request.url.path))
            body = await request.body()
            proxy.texts.append((request.headers.get("authorization", ""), body.decode(errors="replace")))
            headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
            answer = await http.request(
                request.method, f"{request.url.path}?{request.url.query}", headers=headers, content=body
            )
            kept = {name: value for name, value in answer.headers.items() if name not in _HOP_BY_HOP}
            return Response(answer.content, answer.status_code, kept)

        app = Starlette(routes=[Route("/{path:path}", forward, methods=_METHODS)])
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off"))
        task = asyncio.create_task(server.serve())
        try:
            await eventually(lambda: server.started, within_s=10)
            yield proxy
        finally:
            server.should_exit = True
            await task
