"""Odd bytes on a connection, and an upstream that answers oddly: the engine answers or disconnects, and goes on.

A connection carries one or several requests in pieces. Every response can be read, none is a 500, none shows the
engine's inside, and the next client is served.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import NamedTuple

from fuzz.examples import ACCOUNT
from fuzz.remnants import fault_of
from fuzz.standard_error import StandardError
from localbus.clock import ManualClock
from localbus.engine import Engine, Options
from localbus.http.message import Request, Response

_WAIT_S = 10
_FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
_METHODS = [b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"BREW", b"CONNECT", b"PRI", b"", b"get", b"G\x00T", b"\xff"]
_TARGETS = [
    b"/", b"", b"*", b"//", b"/..", b"/../../etc", b"/%00", b"/%", b"/%zz", b"/\xff", b"/a b", b"http://other.example/",
    b"/_localbus/health", b"/_localbus/../health", b"/_localbus/journal?last=5", b"/_aws/sqs/messages?QueueUrl=%00",
    f"/{ACCOUNT}/q?Action=GetQueueUrl&QueueName=q".encode(), f"/queue/us-east-1/{ACCOUNT}/q".encode(),
    b"/?" + b"a" * 9000,
    b"/?Action=ListQueues&Version=2012-11-05",
    b"/?Action=SendMessage&MessageBody=x&QueueUrl=http%3A%2F%2Fother.example%2F1%2Fq",
    b"/" + b"x" * 70_000, b"/2015-03-31/functions/f/invocations", b"/2015-03-31/event-source-mappings/%2e%2e",
]  # fmt: skip
_HEADERS = [
    b"", b"", b"Content-Length: -1\r\n", b"Content-Length: 99999999999999999999\r\n", b"Content-Length: +5\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 5\r\nContent-Length: 6\r\n", b"Content-Length: \xd9\xa3\r\n", b"Content-Length: 0x5\r\n",
    b"Content-Length: 1_0\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n",
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    b"Upgrade: x\r\nConnection: upgrade\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n", b": x\r\n",
    b"a\r\n", b" a: b\r\n",
    b"a" * 70_000 + b": b\r\n", b"x: " + b"a" * 70_000 + b"\r\n", b"x: y\r\n" * 3000,
    b"Host: sqs.us-east-1.amazonaws.com\r\n",
    b"Host: \xff\r\n", b"Host: a\r\nHost: b\r\n", b"Origin: http://localhost:3000\r\n", b"Origin: null\r\n",
    b"Origin: http://[\r\n",
    b"Origin: https://evil.example\r\n", b"Origin: \xff\r\n", b"X-Amz-Target: AmazonSQS.ListQueues\r\n",
    b"X-Amz-Target: \xff.x\r\n",
    b"Origin: http://localhost\r\nAccess-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: \xff\r\n",
    b"Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request\r\n",
    b"Content-Encoding: gzip\r\n",
    b"X-Amzn-Trace-Id: \xff\r\n", b"Accept: application/json\r\n", _FORM,
]  # fmt: skip
_BODIES = [
    b"", b"hello", b"{}", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n", b"5\r\nhel", b"ffffffffffffffff\r\n",
    b"5;x=y\r\nhello\r\n0\r\nT: x\r\n\r\n",
    b"-1\r\n\r\n", b"Action=ListQueues&Version=2012-11-05", b"Action=" + b"%" * 99, b"=&=&&", b"\x00" * 50,
]  # fmt: skip
_SMUGGLED = b"GET /_localbus/health HTTP/1.1\r\nHost: x\r\n\r\n"
_UPSTREAM_ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut",
    b"HTTP/1.1 200 OK\r\n\r\nno length",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"", b"garbage\r\n\r\n",
    b"HTTP/1.1 200", b"HTTP/1.1 999 X\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"HTTP/1.0 200 OK\r\n\r\nold", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}extra",
    b"HTTP/1.1 103 Early Hints\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
]  # fmt: skip


class _Case(NamedTuple):
    sent: bytes
    pieces: int
    half_closes: bool
    about: str
    of_upstream: bool = False  # the upstream's answer is the odd one
    answers: int | None = None


def run(seed: int, count: int) -> list[str]:
    """Open `count` connections. Return each fault with the bytes that repeat it."""
    with StandardError() as errors:
        return asyncio.run(_run(random.Random(seed), count, errors))


async def _run(rng: random.Random, count: int, errors: StandardError) -> list[str]:
    upstream = await asyncio.start_server(_answer_oddly, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{upstream.sockets[0].getsockname()[1]}"
    engine = Engine(Options(upstream=url), ManualClock())
    port = int((await engine.start()).rpartition(":")[2])
    faults: list[str] = []
    for _ in range(count):
        case = _case(rng)
        fault = await _fault(case, port) or errors.taken()
        if fault:
            faults.append(f"{case.about}\n  {fault}\n  sent in {case.pieces} pieces: {case.sent[:1500]!r}")
    await engine.stop()
    upstream.close()
    if late := errors.taken():
        faults.append(f"at the end\n  {late}")
    return faults


def _case(rng: random.Random) -> _Case:
    half_closes, pieces = rng.random() < 0.2, rng.choice([1, 1, 1, 2, 5])
    kind = rng.randrange(10)
    if kind == 0:
        return _Case(rng.randbytes(rng.randrange(1, 300)), pieces, half_closes, "random bytes")
    if kind == 1:
        answer = rng.randrange(len(_UPSTREAM_ANSWERS))
        method = rng.choice([b"GET", b"POST", b"HEAD"])
        sent = b"%b /odd/%d HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" % (method, answer)
        return _Case(
            sent * rng.choice([1, 1, 3]),
            pieces,
            half_closes,
            f"upstream answers {_UPSTREAM_ANSWERS[answer][:60]!r}",
            of_upstream=True,
        )
    if kind == 2:
        number = rng.randrange(2, 40)
        return _Case(_SMUGGLED * number, pieces, half_closes=False, about="pipelined requests", answers=number)
    requests = [_request(rng) for _ in range(rng.choice([1, 1, 1, 2, 4]))]
    return _Case(b"".join(requests), pieces, half_closes, f"odd request {requests[0][:80]!r}")


def _request(rng: random.Random) -> bytes:
    version = rng.choice([b"HTTP/1.1"] * 8 + [b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9.9", b"", b"http/1.1"])
    method, target = rng.choice(_METHODS[:2] if rng.random() < 0.7 else _METHODS), rng.choice(_TARGETS)
    headers = b"".join(rng.choice(_HEADERS) for _ in range(rng.randrange(4)))
    body = rng.choice(_BODIES)
    if rng.random() < 0.5 and b"ength" not in headers:
        headers += b"Content-Length: %d\r\n" % len(body)
    end = rng.choice([b"\r\n"] * 6 + [b"\n", b"\r"])
    return b"%b %b %b\r\n%b%b%b" % (method, target, version, headers, end, body)


async def _answer_oddly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as the upstream, by the number in the path; some answers come slowly."""
    with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ")[1].rpartition(b"/")
        answer = _UPSTREAM_ANSWERS[int(path[2])] if path[0] == b"/odd" else _UPSTREAM_ANSWERS[0]
        middle = len(answer) // 2
        writer.write(answer[:middle])
        await writer.drain()
        await asyncio.sleep(0.005)
        writer.write(answer[middle:])
        await writer.drain()
    writer.close()


async def _fault(case: _Case, port: int) -> str | None:
    """Return what is wrong with the answers, or that there are none for the next client."""
    try:
        async with asyncio.timeout(_WAIT_S):
            fault = _judged(case, await _exchange(port, case))
            health = await _exchange(
                port, _Case(_SMUGGLED.replace(b"Host", b"Connection: close\r\nHost"), 1, False, "")
            )
    except TimeoutError:
        return "the engine hangs"
    return fault or (None if health.startswith(b"HTTP/1.1 200") else f"the next client gets {health[:100]!r}")


async def _exchange(port: int, case: _Case) -> bytes:
    """Send the bytes and return everything that comes until the engine disconnects or is silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    with contextlib.suppress(OSError, TimeoutError):
        size = -(-len(case.sent) // case.pieces) or 1
        for start in range(0, len(case.sent), size):
            writer.write(case.sent[start : start + size])
            await writer.drain()
            if case.pieces > 1:
                await asyncio.sleep(0.002)
        if case.half_closes:
            writer.write_eof()
        while piece := await asyncio.wait_for(reader.read(65536), 0.05):
            received += piece
    writer.close()
    return received


def _judged(case: _Case, received: bytes) -> str | None:
    """Return what is wrong with the responses; those of the upstream are its own."""
    if received and not received.startswith(b"HTTP/1.1 "):
        return f"this is not a valid response: {received[:100]!r}"
    request = Request("", "", {}, [], case.sent)
    responses = _split(received)
    if case.answers is not None and len(responses) != case.answers:
        return f"{len(responses)} answers to {case.answers} requests"
    for response in responses if not case.of_upstream else ():
        if response.status >= 500 and response.status not in {501, 505}:
            return f"status {response.status}: {str(response.body)[:200]}"
        fault = None if response.status >= 500 else fault_of(request, response)
        if fault:
            return fault
    return None


def _split(received: bytes) -> list[Response]:
    """Return the responses by their status lines: a cut one or one to HEAD has no body that could be parsed."""
    parts = [part for part in received.split(b"HTTP/1.1 ") if part[:3].isdigit()]
    return [Response(int(part[:3]), [], part.partition(b"\r\n\r\n")[2]) for part in parts]
