"""The end of a server: no connection and no request outlives it, whatever the client does."""

from __future__ import annotations

import asyncio
import socket
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable
from time import monotonic

import pytest
import uvloop
from localbus.engine import Engine, Options
from localbus.http.cors import Cors
from localbus.http.message import Request, Response
from localbus.http.server import HttpServer

LARGE = bytes(12_000_000)


class SlowApp:
    """Streams without end at /stream, waits at /wait, and takes a moment to end when the client leaves."""

    def __init__(self) -> None:
        self.running = 0

    def wants_stream(self, request: Request) -> bool:
        """Requests to /upload are handled before their body is there."""
        return request.path == "/upload"

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer later, or without end."""
        if request.path == "/large":
            return Response(200, [], LARGE)
        return Response(200, [], self.pieces()) if request.path == "/stream" else self.wait(request)

    async def pieces(self) -> AsyncGenerator[bytes]:
        """A body without end."""
        self.running += 1
        try:
            while True:
                yield bytes(100_000)
        finally:
            await asyncio.sleep(0.01)
            self.running -= 1

    async def wait(self, request: Request) -> Response:
        """Wait for a body that never ends, or for nothing."""
        self.running += 1
        try:
            if request.stream is not None:
                _ = [piece async for piece in request.stream]
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            self.running -= 1
        return Response(200, [])


def get(path: str, *headers: str) -> bytes:
    """A request."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


CLIENTS = {
    "idle": b"",
    "half a head": b"GET / HTTP/1.1\r\nHo",
    "half a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab",
    "half a stream": b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab",
    "long poll": get("/wait"),
    "page with a long poll": get("/wait", "Origin: http://localhost"),
    "requests in a row": get("/wait") * 40,
    "does not read a stream": get("/stream"),
    "does not read an answer": get("/large", "Connection: close"),
}


def stopped(turns: int, *clients: bytes, leaves: bool = False) -> None:
    """Stop a server that many turns of its loop after these clients have connected and sent this; close the loop.

    A loop that closes with an open connection warns.
    """
    app = SlowApp()

    async def run() -> None:
        server = HttpServer(Cors(app))
        port = await server.start("127.0.0.1", 0)
        for data in clients:
            client = socket.create_connection(("127.0.0.1", port))
            sockets.append(client)
            client.sendall(data)
            if leaves:
                client.close()
        for _ in range(turns):
            await asyncio.sleep(0)
        started = monotonic()
        await server.stop()
        assert monotonic() - started < 2

    sockets: list[socket.socket] = []
    loop = uvloop.new_event_loop()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            loop.run_until_complete(run())
            assert not asyncio.all_tasks(loop)
        finally:
            loop.close()
            for client in sockets:
                client.close()
    assert [str(one.message) for one in warned] == []
    assert app.running == 0


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 20])
@pytest.mark.parametrize("client", CLIENTS)
def test_every_connection_ends_with_the_server(client: str, turns: int) -> None:
    """Nothing is open after `stop`, at any point of a request, also if the socket was accepted while it stopped."""
    stopped(turns, CLIENTS[client], CLIENTS[client])


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("client", CLIENTS)
def test_clients_that_leave_at_once(client: str, turns: int) -> None:
    """A request whose client has left ends with the server, also if it had not begun."""
    stopped(turns, CLIENTS[client], leaves=True)


async def never(_request: Request) -> Response:
    """An answer that does not come."""
    await asyncio.Event().wait()
    return Response(200, [])


ANSWERS: dict[str, Callable[[Request], Response | Awaitable[Response]]] = {
    "none": never,
    "at once": lambda _request: Response(200, [], b"answer"),
    "a stream": lambda _request: Response(200, [], SlowApp().pieces()),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("size", [0, 90_000_000], ids=["whole", "half"])
def test_requests_to_an_upstream_end_with_the_engine(answer: str, size: int) -> None:
    """A proxied request leaves no connection to the upstream, at any point of it."""

    class Upstream(SlowApp):
        def handle(self, request: Request) -> Response | Awaitable[Response]:
            return ANSWERS[answer](request)

    async def run(client: socket.socket) -> None:
        upstream = HttpServer(Upstream())
        engine = Engine(Options(upstream=f"http://127.0.0.1:{await upstream.start('127.0.0.1', 0)}"))
        client.connect(("127.0.0.1", int((await engine.start()).rpartition(":")[2])))
        client.sendall(
            b"PUT /bucket HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + bytes(min(size, 50_000))
        )
        for _ in range(turns):
            await asyncio.sleep(0)
        await engine.stop()
        assert len(asyncio.all_tasks()) <= 2  # this one, and the upstream's
        await upstream.stop()

    for turns in (*range(1, 9), 50):
        loop = uvloop.new_event_loop()
        with warnings.catch_warnings(record=True) as warned, socket.socket() as client:
            warnings.simplefilter("always")
            try:
                loop.run_until_complete(run(client))
            finally:
                loop.close()
        assert [str(one.message) for one in warned] == [], turns
