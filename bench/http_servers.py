"""HTTP servers: the bare asyncio protocol beside uvicorn with httptools, with the same router behind both.

Run: python bench/http_servers.py [requests]. Each server is a process on uvloop; one client process keeps sixteen
connections busy with SendMessage requests of AWS JSON. The figures are requests a second and the server's
CPU seconds for a thousand requests.
"""

import asyncio
import multiprocessing
import socket
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

import psutil
import uvloop
from engines.client import Client
from localbus.http.message import Request, Response
from localbus.http.server import HttpServer
from localbus.protocol.router import Router
from localbus.protocol.service import Service
from localbus.protocol.service_model import Api
from orderboard_stack.process import free_port

CONNECTIONS = 16
BODY = b'{"QueueUrl":"http://localhost/000000000000/q","MessageBody":"' + b"x" * 500 + b'"}'
REQUEST = (
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: AmazonSQS.SendMessage\r\n"
    b"Content-Type: application/x-amz-json-1.0\r\nUser-Agent: Boto3/1.43 md/Botocore#1.43 ua/2.1 os/linux\r\n"
    b"X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/sqs/"
    b"aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=0\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
) + BODY


def router() -> Router:
    """A router with one action that does nothing."""
    service = Service(Api("sqs"), {"SendMessage": lambda _params, _caller: {"MessageId": "0"}}, "1.0")
    return Router([service], lambda _request: Response(404, []))


async def serve_bare(port: int) -> None:
    """Serve with the bare protocol until killed."""
    await HttpServer(router()).start("127.0.0.1", port)
    await asyncio.Event().wait()


async def serve_uvicorn(port: int) -> None:
    """Serve the same router with uvicorn until killed."""
    import uvicorn  # noqa: PLC0415 (needed for this comparison only)

    app = router()

    async def asgi(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        response = app.handle(Request(scope["method"], scope["path"], dict(scope["headers"]), [], body))
        response = response if isinstance(response, Response) else await response
        headers = [*response.headers, (b"content-length", b"%d" % len(cast(bytes, response.body)))]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    config = uvicorn.Config(asgi, port=port, http="httptools", log_level="warning", access_log=False, lifespan="off")
    await uvicorn.Server(config).serve()


def run_server(serve: Callable[[int], Any], port: int) -> None:
    """Run a server in its process."""
    uvloop.run(serve(port))


async def keep_busy(port: int, requests: int) -> None:
    """Send requests on one connection, each after the response to the last."""
    client = await Client.connect(port)
    for _ in range(requests):
        await client.call(REQUEST)
    client.close()


async def load(port: int, requests: int) -> float:
    """Requests a second over all connections."""
    started = time.perf_counter()
    await asyncio.gather(*(keep_busy(port, requests // CONNECTIONS) for _ in range(CONNECTIONS)))
    return requests / (time.perf_counter() - started)


def measure(serve: Callable[[int], Any], requests: int) -> tuple[float, float]:
    """The median rate of five runs and CPU seconds for a thousand requests."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=run_server, args=(serve, port), daemon=True)
    process.start()
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.05)

    def cpu_s() -> float:
        return sum(psutil.Process(process.pid).cpu_times()[:2])

    uvloop.run(load(port, requests))
    before = cpu_s()
    rates = [uvloop.run(load(port, requests)) for _ in range(5)]
    used = (cpu_s() - before) / (5 * requests) * 1000
    process.terminate()
    process.join()
    return statistics.median(rates), used


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    for name, serve in {"bare protocol": serve_bare, "uvicorn + httptools": serve_uvicorn}.items():
        rate, cpu = measure(serve, count)
        sys.stdout.write(f"{name:22} {rate:8.0f} requests/s   {cpu:.4f} CPU s per 1,000\n")
