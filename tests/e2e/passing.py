"""Stands between a client and a backend, passes everything on as it is, and remembers what was asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import uvicorn
from orderboard.system.services import free_port
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from support import eventually

_METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD"]
_OF_ONE_HOP = frozenset(("content-length", "transfer-encoding", "connection", "content-encoding", "host"))


@dataclass
class Passing:
    """Where it is, and each request that came: its target or path."""

    url: str
    seen: list[str] = field(default_factory=list)


@asynccontextmanager
async def passing(backend_url: str) -> AsyncIterator[Passing]:
    """Pass requests on to this backend for the length of the block."""
    port = free_port()
    found = Passing(f"http://127.0.0.1:{port}")
    async with httpx.AsyncClient(base_url=backend_url, trust_env=False, timeout=30) as http:

        async def pass_on(request: Request) -> Response:
            found.seen.append(request.headers.get("x-amz-target", request.url.path))
            headers = {name: value for name, value in request.headers.items() if name not in _OF_ONE_HOP}
            answer = await http.request(
                request.method, f"{request.url.path}?{request.url.query}", headers=headers, content=await request.body()
            )
            kept = {name: value for name, value in answer.headers.items() if name not in _OF_ONE_HOP}
            return Response(answer.content, answer.status_code, kept)

        app = Starlette(routes=[Route("/{path:path}", pass_on, methods=_METHODS)])
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off"))
        async with _serving(server):
            yield found


@asynccontextmanager
async def _serving(server: uvicorn.Server) -> AsyncIterator[None]:
    task = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started, within_s=10)
        yield
    finally:
        server.should_exit = True
        await task
