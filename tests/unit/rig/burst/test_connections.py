"""The generator's own HTTP/1.1: every way in which an answer can end, and the pace of an open load."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from localbus.http.tls import certificate_file, server_context
from orderboard.burst.load import connections
from orderboard.burst.load.connections import Connections
from orderboard.burst.load.http_connection import HttpAnswer, NoAnswer
from orderboard.burst.load.mix import PlannedOrder
from orderboard.burst.load.open_load import Due, FreeConnections, OpenLoad, Prepared
from orderboard.burst.load.order_api import OrderApi, answered

CLOSE = b"close"
WHOLE = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Answers each request with the next script: pieces, sent one by one; CLOSE closes the connection."""

    def __init__(self, *scripts: tuple[bytes, ...]) -> None:
        self.scripts = list(scripts)
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection."""
        self.connections += 1
        with_body = b""
        while data := await reader.read(1 << 16):
            with_body += data
            head, _, body = with_body.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            if len(body) < length:
                continue
            self.requests.append(with_body)
            with_body = b""
            for piece in self.scripts.pop(0) if self.scripts else (WHOLE,):
                if piece == CLOSE:
                    writer.close()
                    return
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)  # so that pieces are packets
        writer.close()


@asynccontextmanager
async def serving(server: Server, tls: ssl.SSLContext | None = None) -> AsyncIterator[Connections]:
    """Run a server, and connections to it."""
    running = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{running.sockets[0].getsockname()[1]}"
    found = Connections(f"{server.url}/a b/", {"X-One": "1"})
    async with running:
        try:
            yield found
        finally:
            found.close()


def end_of(result: HttpAnswer | NoAnswer) -> tuple[int, str, bytes] | str:
    """Return the result without its time."""
    return result.reason if isinstance(result, NoAnswer) else result[:3]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ((WHOLE[:9], WHOLE[9:40], WHOLE[40:]), (202, "Accepted", b"{}")),
        (
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"1\r\nd\r\n0\r\n\r\n"),
            (200, "OK", b"abcd"),
        ),
        ((b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n", WHOLE), (202, "Accepted", b"{}")),
        ((b"HTTP/1.1 301 Moved\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",), (301, "Moved", b"")),
    ],
)
async def test_an_answer_is_read_however_it_comes(script: tuple[bytes, ...], expected: object) -> None:
    """In pieces, in chunks, after an informational one (RFC 9110, section 15.2); and the connection is used again."""
    server = Server(script)
    async with serving(server) as found:
        results = [end_of(await found.exchange(found.head("GET", "x") + b"\r\n")) for _ in range(2)]

    assert results == [expected, (202, "Accepted", b"{}")]
    assert server.connections == 1


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ((b"HTTP/1.1 200 OK\r\n\r\nto the end", CLOSE), (200, "OK", b"to the end")),  # RFC 9112, section 6.3
        ((b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na", CLOSE), (200, "OK", b"a")),
        ((WHOLE + WHOLE,), (202, "Accepted", b"{}")),  # the second one was not asked for
        ((WHOLE[:-1], CLOSE), "the connection was closed before the answer"),
        ((CLOSE,), "the connection was closed before the answer"),
        ((b"220 smtp\r\n",), "an answer that is not HTTP/1.1"),
    ],
)
async def test_a_connection_that_cannot_go_on_is_replaced(script: tuple[bytes, ...], expected: object) -> None:
    """The next request gets a new one, whatever the end of this one."""
    server = Server(script)
    async with serving(server) as found:
        results = [end_of(await found.exchange(found.head("GET", "x") + b"\r\n")) for _ in range(2)]

    assert results == [expected, (202, "Accepted", b"{}")]
    assert server.connections == 2


async def test_no_answer_is_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its order may have been placed."""
    monkeypatch.setattr(connections, "_ANSWER_WITHIN_S", 0.02)
    monkeypatch.setattr(connections, "_LOOK_EVERY_S", 0.01)
    async with serving(Server(())) as found:
        result = await found.exchange(found.head("GET", "x") + b"\r\n")

    assert end_of(result) == "no answer within 0.02 s"
    assert answered(result).answer == "unavailable"


async def test_requests_are_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The URL's path counts, also over TLS; a body is JSON in UTF-8, in which half a surrogate pair stays escaped."""
    server, tls = Server(), server_context(tmp_path, frozenset())
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate_file(tmp_path)))
    async with serving(server, tls) as found:
        await found.exchange(found.head("GET", "x") + b"\r\n")
        api = OrderApi(f"{server.url}/v1/", "secret", 1)
        await api.place(api.request(PlannedOrder("own", "run-0", {"note": "\u00e9"})))
        await api.cancel("a/b\r\nc", "x")
        api.close()
    host = server.url.removeprefix("https://")

    assert server.requests[0] == f"GET /a%20b/x HTTP/1.1\r\nHost: {host}\r\nX-One: 1\r\n\r\n".encode()
    assert (
        server.requests[1]
        == (
            f"POST /v1/orders HTTP/1.1\r\nHost: {host}\r\nUser-Agent: orderboard-burst\r\nAccept: */*\r\n"
            "Content-Type: application/json\r\nAuthorization: Bearer secret\r\nIdempotency-Key: run-0\r\n"
            'Content-Length: 14\r\n\r\n{"note": "\u00e9"}'
        ).encode()
    )
    assert server.requests[2].startswith(b"POST /v1/orders/a%2Fb%0D%0Ac/cancellation HTTP/1.1\r\n")
    assert api.request(PlannedOrder("own", "run-1", {"note": "\ud83d"})).endswith(b'{"note": "\\ud83d"}')


@pytest.mark.parametrize(
    ("url", "begins"),
    [
        ("http://[::1]:8000", "GET /x HTTP/1.1\r\nHost: [::1]:8000\r\n"),
        ("http://caf\u00e9.example/\u00e9/", "GET /%C3%A9/x HTTP/1.1\r\nHost: xn--caf-dma.example\r\n"),
        ("https://ada:p%40ss@a.example", "GET /x HTTP/1.1\r\nHost: a.example\r\nAuthorization: Basic YWRhOnBAc3M=\r\n"),
    ],
)
def test_every_url_has_its_request(url: str, begins: str) -> None:
    """Addresses and names in other scripts (RFC 5891), and a login for a proxy before order-api (RFC 7617)."""
    assert Connections(url, {"X-One": "1"}).head("GET", "x").decode() == f"{begins}X-One: 1\r\n"


async def test_a_host_with_several_addresses_is_reached_by_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked up once for several connections, and one that refuses does not count (RFC 8305)."""
    loop, asked = asyncio.get_running_loop(), []

    async def two_addresses(host: str, port: int, *, type: socket.SocketKind) -> list[object]:  # noqa: A002
        asked.append(host)
        return [(socket.AF_INET, type, 0, "", (address, port)) for address in ("127.0.0.1", "127.0.0.9")]

    monkeypatch.setattr(loop, "getaddrinfo", two_addresses)
    server = Server()
    async with serving(server) as found:
        request = found.head("GET", "x") + b"\r\n"
        results = await asyncio.gather(*(found.exchange(request) for _ in range(3)))

    assert [end_of(each) for each in results] == [(202, "Accepted", b"{}")] * 3
    assert asked == ["127.0.0.1"]
    assert server.connections == 3


async def test_a_server_that_cannot_be_trusted_gets_no_order(tmp_path: Path) -> None:
    """Nothing was sent, so nothing can have been placed."""
    server = Server()
    async with serving(server, server_context(tmp_path, frozenset())) as found:
        result = await found.exchange(found.head("GET", "x") + b"\r\n")

    assert isinstance(result, NoAnswer)
    assert "certificate verify failed" in result.reason
    assert answered(result).answer == "unreached"
    assert not server.requests


async def test_an_accepted_order_without_its_id_is_not_an_acknowledgement() -> None:
    """It may have been placed, so it counts as unavailable."""
    found = [answered(HttpAnswer(202, "Accepted", content, 1.0)) for content in (b"{}", b"[]", b"no JSON")]

    assert {(each.answer, each.reason) for each in found} == {("unavailable", "202 without an order_id")}


def orders(*sends: int) -> Iterator[tuple[float, Prepared]]:
    """Return orders that are due at once, each sent so many times."""
    for number, count in enumerate(sends):
        yield 0.0, Prepared(number, PlannedOrder("own", str(number), {}, sends=count), b"")


async def test_two_streams_share_the_connections_in_turn() -> None:
    """The one that waits longest is first; an order that is sent twice leaves even with a single connection."""
    sent: list[Due] = []
    free = FreeConnections(1)
    loads = [OpenLoad(stream, orders(*sends), free, sent.append) for stream, sends in enumerate(((1, 2), (1,)))]
    running = [asyncio.ensure_future(load.run(time.monotonic())) for load in loads]
    await asyncio.sleep(0)
    for number in range(3):
        assert len(sent) == number + 1
        free.give_back(sent[-1].held)
    await asyncio.gather(*running)

    assert [(due.stream, due.number, due.waited) for due in sent] == [(0, 0, False), (0, 1, True), (1, 0, True)]


async def test_orders_that_cannot_be_made_end_the_load() -> None:
    """Its timer has no caller that would see the error."""

    def broken() -> Iterator[tuple[float, Prepared]]:
        yield from orders(1)
        raise ValueError("no more")

    sent: list[Due] = []
    with pytest.raises(ValueError, match="no more"):
        await OpenLoad(0, broken(), FreeConnections(9), sent.append).run(time.monotonic())

    assert len(sent) == 1
